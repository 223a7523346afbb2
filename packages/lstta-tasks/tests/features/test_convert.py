"""Pickles of public data sets become files of features, and nothing in them is run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstta_core.features import FeatureError
from lstta_tasks.features.convert import convert
from lstta_tasks.features.files import FeatureFile


def saved(folder: Path, content: Any, name: str = "a.pkl") -> Path:
    (folder / name).write_bytes(pickle.dumps(content))
    return folder / name


def mmsa(**changed: Any) -> dict[str, Any]:
    """As MMSA's: two clips of train, one of test; sound has a length, pictures are padded with zeros."""
    vision = np.zeros((2, 5, 3), np.float32)
    vision[0, 2:] = 7
    vision[1, 1:4] = 3
    audio = np.ones((2, 5, 2))
    audio[0, 0, 1] = -np.inf
    train = {"id": ["v$_$1", "v$_$2"], "vision": vision, "audio": audio, "audio_lengths": [2, 5], "raw_text": ["", ""]}
    test = {"id": ["w$_$1"], "vision": vision[:1], "audio": audio[:1], "audio_lengths": [1], "raw_text": [""]}
    return {"train": train | changed, "test": test}


def test_mmsas(tmp_path: Path) -> None:
    visual, audio = convert(saved(tmp_path, mmsa()), tmp_path / "out")
    assert (visual.path.name, visual.count, visual.width, visual.zeroed) == ("visual.npz", 3, 3, 0)
    assert (audio.path.name, audio.count, audio.width, audio.zeroed) == ("audio.npz", 3, 2, 2)
    seen, heard = FeatureFile(visual.path, width=3), FeatureFile(audio.path, width=2)
    assert list(seen.names()) == ["v/1", "v/2", "w/1"]
    assert [len(seen.read(name).values) for name in seen.names()] == [3, 3, 3]
    assert [len(heard.read(name).values) for name in heard.names()] == [2, 5, 1]
    assert heard.read("v/1").values[0, 0].tolist() == [1, 0]


def test_ur_funnys(tmp_path: Path) -> None:
    content = {
        3: {"punchline_features": np.ones((2, 5)), "context_features": [np.zeros((4, 5)), np.zeros((0, 5))]},
        8: {"punchline_features": [], "context_features": []},
    }
    path = saved(tmp_path, content, "covarep_features_sdk.pkl")
    (one,) = convert(path, tmp_path)
    assert (one.path.name, one.count, one.width) == ("covarep.npz", 1, 5)
    assert FeatureFile(one.path, width=5).read("3").values.shape == (2, 1, 5)
    (one,) = convert(path, tmp_path, context=True)
    assert FeatureFile(one.path, width=5).read("3").values[:, 0, 0].tolist() == [0, 0, 0, 0, 1, 1]


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("done",)


def test_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"a.pkl: cannot be read .*it asks for (posix|nt).mkdir"):
        convert(saved(tmp_path, {"a": Evil()}), tmp_path / "out")
    assert not (tmp_path / "done").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "an object is wanted, got list"),
        (mmsa(id=["v$_$1"]), r"a.pkl, train: 1 of id, 2 of vision"),
        (mmsa(audio_lengths=[2, 9]), r"a.pkl, train, 'v\$_\$2': audio has 5 rows and the length 9"),
        ({"train": {"id": ["a"]}}, "it has ids, and none of vision, audio, text"),
        ({"a": {"context_features": []}}, "'a': punchline_features is wanted, it has context_features"),
        ({"a": np.zeros((2, 3)), "b": np.zeros((2, 5))}, "'b': features of width 5, others have 3"),
        ({"a": "text"}, "'a': it is no array of numbers"),
        ({"a": np.zeros((2, 3, 5))}, r"'a': rows of features are wanted, got an array of shape \(2, 3, 5\)"),
    ],
)
def test_what_is_no_such_pickle(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(FeatureError, match=said):
        convert(saved(tmp_path, content), tmp_path / "out")

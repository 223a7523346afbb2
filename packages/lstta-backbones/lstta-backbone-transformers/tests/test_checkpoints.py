"""What is said where a checkpoint cannot be used, and what is known about one that can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import huggingface_hub.constants
import pytest
import torch
import transformers
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from lstta_backbone_transformers import checkpoints
from lstta_backbone_transformers.body import Body
from lstta_backbone_transformers.checkpoints import TESTED, load_part, locate
from lstta_backbone_transformers.families import FAMILIES, parts_of, supported
from lstta_core import Modality

ANSWER: Any = SimpleNamespace(headers={}, request=None)
MODEL = "some-lab/some-model"


def hub_says(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(*args: Any, **options: Any) -> str:
        raise error

    monkeypatch.setattr(checkpoints, "snapshot_download", refuse)


def folder_of(path: Path, **config: Any) -> Path:
    (path / "config.json").write_text(json.dumps(config))
    return path


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (LocalEntryNotFoundError("no"), ConnectionError, "no model hub can be reached, and some-lab/some-model is not"),
        (HfHubHTTPError("no", response=ANSWER), ConnectionError, "no model hub can be reached"),
        (GatedRepoError("no", response=ANSWER), PermissionError, "some-lab/some-model is gated: accept its terms"),
        (RevisionNotFoundError("no", response=ANSWER), ValueError, "has no revision 'v7'"),
        (RepositoryNotFoundError("no", response=ANSWER), ValueError, "there is no 'some-lab/some-model' on the hub"),
    ],
)
def test_what_the_hub_refuses_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception], message: str
) -> None:
    hub_says(monkeypatch, error)
    with pytest.raises(kind, match=message) as caught:
        locate(MODEL, "v7")
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [LocalEntryNotFoundError("no"), GatedRepoError("no", response=ANSWER)])
def test_the_local_directory_way_is_shown(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    hub_says(monkeypatch, error)
    with pytest.raises((ConnectionError, PermissionError)) as caught:
        locate(MODEL, None)
    assert "hf download some-lab/some-model --local-dir models/some-model" in str(caught.value)
    assert "model='models/some-model'" in str(caught.value)


def test_a_hub_that_is_switched_off_counts_as_not_reachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConnectionError, match=f"{MODEL} is not in the local cache"):
        locate(MODEL, None)


def test_a_name_that_is_no_id_is_refused() -> None:
    with pytest.raises(ValueError, match="'not an id' is neither a directory nor a hub id"):
        locate("not an id", None)


@pytest.mark.parametrize("model", ["./nowhere", "/no/where", "a/b/c", Path("nowhere")])
def test_a_path_that_is_not_there_is_not_looked_for_on_the_hub(
    monkeypatch: pytest.MonkeyPatch, model: str | Path
) -> None:
    hub_says(monkeypatch, AssertionError("asked the hub"))
    with pytest.raises(FileNotFoundError, match="no such directory"):
        locate(model, None)


def test_a_hub_id_is_fetched_at_its_revision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[Any, Any]] = []
    folder_of(tmp_path, model_type="bert")

    def download(*args: Any, **options: Any) -> str:
        asked.append((args, options))
        return str(tmp_path)

    monkeypatch.setattr(checkpoints, "snapshot_download", download)
    checkpoint = locate(MODEL, "v7")
    assert (checkpoint.name, checkpoint.revision, checkpoint.folder) == (MODEL, "v7", tmp_path)
    ((args, options),) = asked
    assert args == (MODEL,)
    assert options["revision"] == "v7"
    assert not any(pattern.endswith((".bin", ".pt", ".py", ".h5")) for pattern in options["allow_patterns"])


def test_a_directory_is_known_by_its_name_and_its_cards_licence(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    folder_of(folder, model_type="bert")
    (folder / "preprocessor_config.json").write_text('{"size": 7}')
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n# A model\n")
    checkpoint = locate(str(folder), "ignored")
    assert (checkpoint.name, checkpoint.revision, checkpoint.licence) == ("my-model", None, "cc-by-4.0")
    assert checkpoint.settings == {"size": 7}


@pytest.mark.parametrize("card", [None, "# no header\n", "---\ntags: [a]\n---\n"])
def test_a_card_without_a_licence_gives_none(tmp_path: Path, card: str | None) -> None:
    folder_of(tmp_path, model_type="bert")
    if card is not None:
        (tmp_path / "README.md").write_text(card)
    assert locate(tmp_path, None).licence is None


def test_a_directory_without_a_configuration_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config\.json: no such file"):
        locate(tmp_path, None)


def test_a_damaged_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json: not JSON"):
        locate(tmp_path, None)


def test_an_unknown_architecture_lists_what_is_supported(tmp_path: Path) -> None:
    checkpoint = locate(folder_of(tmp_path, model_type="mamba"), None)
    with pytest.raises(ValueError, match="'mamba' is not supported for audio") as caught:
        load_part(checkpoint, Modality.AUDIO, dtype=torch.float32)
    known = "audio-spectrogram-transformer, clap, hubert, pe_audio, pe_audio_video, wav2vec2, wavlm, whisper."
    assert known in str(caught.value)
    assert "Adding a family" in str(caught.value)


def test_another_modality_says_which_loader_to_take(tmp_path: Path) -> None:
    checkpoint = locate(folder_of(tmp_path, model_type="clip"), None)
    with pytest.raises(
        ValueError, match="has no audio encoder, it has visual, language; load it with hf-visual or hf-l"
    ):
        load_part(checkpoint, Modality.AUDIO, dtype=torch.float32)


@pytest.mark.parametrize("version", ["4.57.3", "5.25.0", "6.0.0.dev0"])
def test_an_untested_version_of_the_library_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str
) -> None:
    monkeypatch.setattr(transformers, "__version__", version)
    with pytest.raises(ImportError, match=rf"tested with transformers 5\.23 and 5\.24 and not with {version}"):
        locate(folder_of(tmp_path, model_type="bert"), None)


def test_what_pip_may_install_is_what_is_accepted() -> None:
    """A range that is wider would have every encoder refused on a fresh machine."""
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    (low, high) = re.findall(r'"transformers>=5\.(\d+),<5\.(\d+)"', text)[0]
    assert tuple(f"5.{minor}" for minor in range(int(low), int(high))) == TESTED


def test_a_block_path_that_moved_is_named(small: ModuleType) -> None:
    case = next(case for case in small.CASES if case.name == "bert")
    with pytest.raises(
        ValueError, match=r"clip_text_model: BertModel of transformers .* has no module 'final_layer_norm'"
    ):
        Body(model=case.library(), family=FAMILIES["clip_text_model"])


def test_every_family_can_be_loaded_and_is_tested(
    small: ModuleType, perception: ModuleType, speakers: ModuleType
) -> None:
    cases = (*small.CASES, *perception.PERCEPTION_CASES)
    tested = {(case.part(case.library())).config.model_type for case in cases} | set(speakers.CONFIGS)
    assert tested == set(FAMILIES)
    reached = {name for modality in Modality for name in supported(modality)}
    several = {"clip", "siglip", "siglip2", "clap", "pe_audio", "pe_video", "pe_audio_video"}
    assert reached == {name for name in FAMILIES if parts_of(name)} | several

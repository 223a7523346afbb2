"""``lstta features``, and a task from features alone: videos and cache are gone, and every verb still works."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from small_world import World, videos

from lstta_core.features import Features
from lstta_tasks.adapters import load
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.features.extract import extract
from lstta_tasks.features.files import FeatureFile
from lstta_tasks.features.write import write_features
from lstta_tasks.importances.measure import measure
from lstta_tasks.training.train import train

Tool = Callable[..., Any]
STAGES = 2
WIDTHS = {"visual": 12, "audio": 10, "language": 6}


class Forgotten(NamedTuple):
    """A data set without videos and cache.

    Attributes:
        root: of its annotations.
        files: of features, with ``encoders.py``.
        config: that reads them.
    """

    root: Path
    files: Path
    config: Path


@pytest.fixture(scope="module")
def forgotten(world: World, tmp_path_factory: pytest.TempPathFactory) -> Forgotten:
    """The small data set, of which only annotations and features are left."""
    folder = tmp_path_factory.mktemp("forgotten")
    extract(Experiment(load_config(world.config)), folder / "files")
    shutil.copytree(world.root, folder / "data", ignore=shutil.ignore_patterns("videos"))
    text = world.config.read_text(encoding="utf-8").replace(str(world.root), str(folder / "data"))
    head, _, rest = text.partition("encoders = dict(")
    section = (folder / "files" / "encoders.py").read_text(encoding="utf-8").partition("\n")[2]
    config = head + section + rest.partition("\n)\n")[2].replace(str(world.cache), str(folder / "no cache"))
    (folder / "features.py").write_text(config, encoding="utf-8")
    return Forgotten(folder / "data", folder / "files", folder / "features.py")


@pytest.fixture(scope="module")
def trained(forgotten: Forgotten) -> Path:
    """An adapter folder of it."""
    train(load_config(forgotten.config), work_dir=forgotten.files / "run")
    return forgotten.files / "run" / "best"


def with_files(*changed: tuple[str, Path]) -> Sequence[str]:
    return ["--cfg-options", *(f"encoders.{modality}.path={path}" for modality, path in changed)]


def test_extract_writes_what_encoders_give(tool: Tool, world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--only", "visual", "language", "--split", "val", "--cfg-options", "clips.prefix=not_looked_at"]
    result = tool("features", "extract", world.config, "--out", out, *words)
    assert result.code == 0, result.err
    assert "features of 5 visual inputs" in result.out
    assert "features of 15 language inputs" in result.out
    assert sorted(path.name for path in out.iterdir()) == ["encoders.py", "language.npz", "visual.npz"]
    found = FeatureFile(out / "visual.npz", width=12).read(videos("val")[0])
    assert found.values.shape == (9, 1, 12)  # three segments of three tokens
    assert found.end == pytest.approx(1.0, abs=0.1)
    result = tool("features", "info", out / "visual.npz")
    assert "10 arrays, made by ToyVisual" in result.out


def test_features_are_those_that_the_network_reads(world: World, forgotten: Forgotten) -> None:
    """The frozen encoders' streams, from clips and from files."""
    streams = []
    for config in (world.config, forgotten.config):
        experiment = Experiment(load_config(config))
        dataset = experiment.dataset("test")
        batch = experiment.collate([dataset[place] for place in range(4)])
        model = experiment.model.eval()
        (trimodal,) = model.lockstep_models().values()
        with torch.no_grad(), trimodal.disabled():
            streams.append(trimodal(batch["inputs"]).streams)
    for m in streams[0]:
        by_clip = [[one.tokens[row][one.mask[row]] for row in range(4)] for one in (streams[0][m], streams[1][m])]
        for one, two in zip(*by_clip, strict=True):
            torch.testing.assert_close(one, two)


class TestWithoutVideos:
    def test_the_doctor_finds_nothing(self, tool: Tool, forgotten: Forgotten) -> None:
        result = tool("doctor", forgotten.config)
        assert result.code == 0, result.out
        assert "errors: 0, warnings: 0" in result.out
        assert "no clip was looked at" in result.out

    def test_there_is_nothing_to_decode(self, tool: Tool, forgotten: Forgotten) -> None:
        result = tool("cache", "build", forgotten.config)
        assert (result.code, result.out.startswith("nothing to decode")) == (0, True)
        result = tool("cache", "prefix", forgotten.config, "--cfg-options", "clips.prefix=p")
        assert "encoders.visual reads features from a file, which is a prefix already" in result.err

    def test_what_it_costs(self, tool: Tool, forgotten: Forgotten) -> None:
        result = tool("profile", forgotten.config, "--repeats", 1)
        assert result.code == 0, result.err

    def test_it_learns_and_is_tested(self, tool: Tool, forgotten: Forgotten, trained: Path) -> None:
        result = tool("test", forgotten.config, trained, "--json", trained / "found.json")
        assert result.code == 0, result.err
        found = json.loads((trained / "found.json").read_text(encoding="utf-8"))
        assert (found["samples"], found["missing_clips"]) == (9, [])
        overall = next(score for score in found["scores"] if score["name"] == "overall")
        assert overall["value"] > overall["baseline"]

    def test_the_record_names_the_files_and_what_made_them(self, trained: Path) -> None:
        record = json.loads((trained / "adapter.json").read_text(encoding="utf-8"))
        assert record["encoders"]["visual"]["name"] == "precomputed-visual"
        assert record["encoders"]["visual"]["of"].startswith("ToyVisual ")
        assert record["needs"]["encoders.visual"]["distribution"] == "lstta-tasks"

    def test_infer_by_the_names_of_clips(self, tool: Tool, forgotten: Forgotten, trained: Path) -> None:
        one, two, question = (
            *videos("test")[:2],
            next(iter(FeatureFile(forgotten.files / "language.npz", width=6).names())),
        )
        moved = forgotten.files.parent / "moved.npz"
        shutil.copy(forgotten.files / "visual.npz", moved)
        result = tool("infer", trained, one, question, "--json", "--encoder", f"visual={moved}")
        assert result.code == 0, result.err
        (answer,) = json.loads(result.out)["answers"]
        assert (answer["clip"], len(answer["attention"]["visual"])) == (one, 3)
        expected = load(trained).predict(one, question)
        assert answer["answer"] == expected["answer"]
        many = list(load(trained).predict_many([(one, question), (two, question)]))
        assert many[0]["answer"] == expected["answer"]
        result = tool("infer", trained, "nobody", question)
        assert "visual.npz: it has no features of 'nobody', but of " in result.err

    def test_other_features_are_refused(self, tool: Tool, forgotten: Forgotten, trained: Path, tmp_path: Path) -> None:
        other = tmp_path / "other.npz"
        write_features(other, [(videos("test")[0], Features(np.zeros((2, 1, 12), np.float32)))], of="somebody else")
        result = tool("infer", trained, videos("test")[0], "1", "--encoder", f"visual={other}")
        assert "its features are of 'somebody else'; those of 'ToyVisual" in result.err
        result = tool("infer", trained, videos("test")[0], "1", "--encoder", "visual=a", "visual=b")
        assert "--encoder visual=… is given twice: a and b" in result.err

    def test_importances_want_videos(self, forgotten: Forgotten, trained: Path) -> None:
        with pytest.raises(ValueError, match="segments are taken out of clips"):
            measure(load_config(forgotten.config), trained, "test")


def test_what_is_wrong_with_features_is_said_with_file_and_key(
    tool: Tool, forgotten: Forgotten, tmp_path: Path
) -> None:
    first, second, third, *rest = videos("train")
    good = FeatureFile(forgotten.files / "visual.npz", width=12)
    arrays = {name: good.read(name).values[:, 0] for name in good.names()}
    del arrays[first]
    arrays[second] = arrays[second][:, :7]
    arrays[third] = np.where(np.arange(12) == 3, np.nan, arrays[third])
    arrays[rest[0]] = arrays[rest[0]][:2]
    np.savez(tmp_path / "bad.npz", **arrays)
    options = with_files(("visual", tmp_path / "bad.npz"), ("audio", tmp_path / "gone.npz"))
    result = tool("doctor", forgotten.config, "--split", "train", "--json", tmp_path / "found.json", *options)
    assert result.code == 1
    findings = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["findings"]
    said = {(one["level"], one["check"]): one["detail"] for one in findings}
    place = str(tmp_path / "bad.npz")
    assert [one["check"] for one in findings].count("no features") == 2
    bad = [one["detail"] for one in findings if one["check"] == "bad features"]
    assert bad[0].startswith(f"encoders.visual: {place}, {second!r}: an array of shape (9, 7); its last length must be")
    assert bad[1].startswith(f"encoders.visual: {place}, {third!r}: 9 of 9 steps have a number that is NaN")
    assert said["warning", "few steps"] == (
        f"encoders.visual: {place}, {rest[0]!r}: 2 steps for 3 segments: some segments share one"
    )
    result = tool(
        "train", forgotten.config, "--work-dir", tmp_path / "run", *with_files(("visual", tmp_path / "bad.npz"))
    )
    assert result.code == 2
    assert f"{place}, " in result.err


def test_features_beside_videos(tool: Tool, world: World, forgotten: Forgotten, tmp_path: Path) -> None:
    """Pictures from a file, sound and words as ever."""
    options = {"_delete_": True, "name": "precomputed-visual", "path": str(forgotten.files / "visual.npz")}
    options |= {"width": 12, "depth": STAGES, "tokens": 3}
    changed = ["--cfg-options", f"encoders.visual={options!r}", "clips.frame_size=(8, 12)"]  # that of the cache
    result = tool("train", world.config, "--work-dir", tmp_path / "run", *changed, "train_cfg.max_epochs=1")
    assert result.code == 0, result.err
    result = tool("test", world.config, tmp_path / "run" / "best", *changed)
    assert result.code == 0, result.err


def test_convert(tool: Tool, tmp_path: Path) -> None:
    content = {"test": {"id": ["v$_$1"], "vision": np.full((1, 3, 5), -np.inf)}}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
    result = tool("features", "convert", tmp_path / "a.pkl", "--out", tmp_path)
    assert result.code == 0, result.err
    assert "1 clips, width=5" in result.out
    assert "15 numbers that were NaN or infinite are 0" in result.out

"""tools/retrieve.py: an index of a split or of a folder, and searching it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_msrvtt
import torch
from small_world import World, write_film

from lstta_core.adapter_files import save_adapter, trained_tensors
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import card, record_of

Tool = Callable[..., Any]


def tiny_encoders() -> dict[str, Any]:
    """Options of a config; what applies them takes ``_delete_`` out."""
    return {
        "encoders": {"_delete_": True, **{m: {"name": f"tiny-{m}"} for m in ("visual", "audio", "language")}},
        "model": {"_delete_": True, "stages": 4, "readout": {"width": 16}},
    }


@pytest.fixture(scope="module")
def msrvtt(tmp_path_factory: pytest.TempPathFactory) -> World:
    return small_msrvtt.make(tmp_path_factory.mktemp("msrvtt"))


def untrained(world: World, folder: Path, options: dict[str, Any], seed: int = 0) -> Path:
    """An adapter folder of a freshly made model."""
    experiment = Experiment(load_config(world.config, options))
    torch.manual_seed(seed)
    network = experiment.model
    save_adapter(folder, trained_tensors(network, network.frozen()), card(record_of(experiment), network))
    return folder


@pytest.fixture(scope="module")
def tiny(msrvtt: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With encoders that a plugin registers."""
    return untrained(msrvtt, tmp_path_factory.mktemp("tiny") / "best", tiny_encoders())


def test_a_split(tool: Tool, msrvtt: World, tmp_path: Path) -> None:
    adapter = untrained(msrvtt, tmp_path / "best", {})
    out = tmp_path / "index.npz"
    result = tool("retrieve", "index", msrvtt.config, adapter, "--split", "val", "--out", out)
    assert result.code == 0, result.err
    assert f"{out}: 4 clips and 8 captions; 0 clips left out" in result.out
    with np.load(out) as arrays:
        assert arrays["clips"].shape == (4, 6)
        assert arrays["texts"].shape == (8, 6)
        assert arrays["captions"].shape == arrays["text_ids"].shape == (8,)


class TestFolder:
    @pytest.fixture
    def index(self, tool: Tool, tiny: Path, tmp_path: Path) -> Path:
        folder = tmp_path / "films"
        folder.mkdir()
        write_film(folder / "loud.mp4")
        write_film(folder / "silent and dark.mp4", bright=False, sound=False)
        (folder / "broken.mp4").write_text("no film")
        result = tool("retrieve", "index", tiny, "--folder", folder, "--out", tmp_path / "index.npz")
        assert result.code == 0, result.err
        assert "2 clips; 1 clips left out" in result.out
        assert "  broken.mp4: " in result.err
        return tmp_path / "index.npz"

    def test_searching(self, tool: Tool, tiny: Path, index: Path) -> None:
        text = tool("retrieve", "search", tiny, index, "a violin on the left")
        assert text.code == 0, text.err
        found = json.loads(tool("retrieve", "search", tiny, index, "a violin on the left", "--json").out)
        assert {one["clip"] for one in found} == {"loud.mp4", "silent and dark.mp4"}
        assert found[0]["similarity"] >= found[1]["similarity"]
        assert text.out == "".join(f"{one['similarity']:7.4f}  {one['clip']}\n" for one in found)
        best = json.loads(tool("retrieve", "search", tiny, index, "a violin on the left", "--json", "--top", 1).out)
        assert best == found[:1]

    def test_another_adapters_index(self, tool: Tool, msrvtt: World, tiny: Path, index: Path, tmp_path: Path) -> None:
        other = untrained(msrvtt, tmp_path / "other", tiny_encoders(), seed=1)
        result = tool("retrieve", "search", other, index, "a violin")
        assert result.code == 2
        assert f"was made with the adapter {tiny} (digest " in result.err
        assert f"not with {other} (digest " in result.err


class TestErrors:
    @pytest.mark.parametrize("paths", [["best"], ["a.py", "best", "more"]])
    def test_paths(self, tool: Tool, tmp_path: Path, paths: list[str]) -> None:
        result = tool("retrieve", "index", *paths, "--out", tmp_path / "index.npz")
        assert result.code == 2
        assert result.err == "error: index wants CONFIG ADAPTER, or ADAPTER --folder FOLDER\n"

    def test_no_films(self, tool: Tool, tiny: Path, tmp_path: Path) -> None:
        result = tool("retrieve", "index", tiny, "--folder", tmp_path / "none", "--out", tmp_path / "index.npz")
        assert result.code == 2
        assert f"error: {tmp_path / 'none'}: no file in it ends in .mp4" in result.err
        assert not (tmp_path / "index.npz").exists()

    def test_no_index(self, tool: Tool, tiny: Path, tmp_path: Path) -> None:
        result = tool("retrieve", "search", tiny, tmp_path / "none.npz", "a violin")
        assert result.code == 2
        assert "none.npz: no such index; lstta retrieve index makes one" in result.err

    def test_no_words(self, tool: Tool, tiny: Path, tmp_path: Path) -> None:
        write_film(tmp_path / "a.mp4")
        assert tool("retrieve", "index", tiny, "--folder", tmp_path, "--out", tmp_path / "i.npz").code == 0
        result = tool("retrieve", "search", tiny, tmp_path / "i.npz", " ")
        assert result.code == 2
        assert "the text is empty" in result.err

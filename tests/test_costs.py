"""What avqa/tiny_lstta costs, counted by hand, and lstta profile on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lstta_core.profiling import MacCount, count_macs
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.torch_counter import macs_by_torch
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.network import TaskOutput

CONFIG = Path(__file__).parents[1] / "configs" / "avqa" / "tiny_lstta.py"
ANSWERS = ["no", "perhaps", "yes"]
T, DEPTH, D = 8, 4, 128
FRAMES, SOUNDS, WORDS = 16, 20, 64
"""Tokens: of a segment's frames, with the class token; of its sound; of the longest text."""
R, HEADS, LATENTS, WINDOW = 48, 4, 4, 3
Tool = Callable[..., Any]


def block(tokens: int) -> int:
    """q, k, v, out and a perceptron of 4 D; attention over all tokens."""
    return 12 * tokens * D**2 + 2 * tokens**2 * D


def attention(queries: int, keys: int) -> int:
    """In the bottleneck: queries and out, keys and values, and the two products."""
    return 2 * queries * R**2 + 2 * keys * R**2 + products(queries, keys)


def products(queries: int, keys: int) -> int:
    return 2 * queries * keys * R


EVERY = T * (FRAMES + SOUNDS) + WORDS
NEAR = 2 * WINDOW * LATENTS + WORDS
"""What a token of sight or sound attends to: latents of both in the segments around it, and the text."""
STAGE = {
    "down": EVERY * D * R,
    "up": EVERY * R * D + 3 * R * D * R + EVERY * R**2,  # and what bounds it: W↑ᵀ W↑, and every y with it
    "long_term": (
        T * R**2  # times
        + 2 * T * (FRAMES + SOUNDS) * R  # summaries of sight and sound
        + WORDS * R  # and of the text
        + attention(2 * T + 1, 2 * T + 1)
        + 2 * T * R**2  # context
        + T * R  # its mean
    ),
    "short_term": (
        2 * T * (FRAMES + SOUNDS) * 2 * LATENTS * R  # weights of the latents of both, and their means
        + 2 * (2 * T * LATENTS + WORDS) * R**2  # keys and values, before they repeat
        + 2 * EVERY * R**2  # queries and out
        + products(WORDS, 2 * T * LATENTS)
        + T * (products(FRAMES, NEAR) + products(SOUNDS, NEAR))
    ),
}
IMPORTANCE = (
    2 * 2 * WORDS * R  # weights of the words, and their mean: what is looked for, and where
    + R**2  # query
    + 2 * T * (FRAMES + SOUNDS) * R  # what segments hold themselves
    + 2 * 2 * (R**2 + T * R * HEADS)  # of sight and sound, among the others and itself: directions, and what is found
    + 2 * R * HEADS * WINDOW  # of both: places
)
"""Of the last stage."""
POOL = 2 * D**2  # the query, and the heads' directions
STATISTICS = 3 * 2 * D  # in training, of the text, sight and sound
EXPECTED = {
    ("visual encoder",): T * (60 * 64 * 3 * 2 * 8 * 8 + 15 * D * 64 * 2 * 2 + DEPTH * block(FRAMES)),
    ("audio encoder",): T * (100 * 257 * 64 + SOUNDS * D * 32 * 10 + DEPTH * block(SOUNDS)),
    ("language encoder",): DEPTH * block(WORDS),
    **{("adapters", f"stage {stage}", name): macs for stage in (1, 2, 3, 4) for name, macs in STAGE.items()},
    ("adapters", "stage 4", "long_term"): STAGE["long_term"] + IMPORTANCE,
    ("readout",): EVERY * D**2
    + 2 * WORDS * D
    + 2 * POOL
    + T * (FRAMES + SOUNDS) * (4 + 1) * D
    + 5 * D * D
    + STATISTICS,
    ("head",): D * len(ANSWERS),
}


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return Experiment(load_config(CONFIG, {"task.answers": ANSWERS}))


@pytest.fixture(scope="module")
def inputs(experiment: Experiment) -> Any:
    sizes: dict[str, Any] = {"segments": T, "sound_seconds": 1.0, "text_length": WORDS}
    return {m: synthetic_inputs(s, batch=1, ragged=False, **sizes) for m, s in experiment.specs.items()}


def loss(output: TaskOutput) -> Tensor:
    return output.output.square().mean()


@pytest.fixture(scope="module")
def counted(experiment: Experiment, inputs: Any) -> MacCount:
    return count_macs(experiment.model, inputs, loss=loss)


class TestTheDemoModel:
    def test_macs_of_every_part_are_the_analytic_count(self, counted: MacCount) -> None:
        assert {part: macs.forward for part, macs in counted.parts.items()} == EXPECTED

    def test_frozen_blocks_behind_an_adapter_cost_their_forward_again_and_attention_twice(
        self, counted: MacCount
    ) -> None:
        behind = {("visual encoder",): T * 3, ("audio encoder",): T * 3, ("language encoder",): 3}
        for (part, rows), tokens in zip(behind.items(), (FRAMES, SOUNDS, WORDS), strict=True):
            assert counted.parts[part].backward == rows * (block(tokens) + 2 * tokens**2 * D)

    def test_a_training_step_is_what_torch_counts(self, experiment: Experiment, inputs: Any, counted: MacCount) -> None:
        assert counted.total == macs_by_torch(lambda: loss(experiment.model(inputs)))


class TestTool:
    OPTIONS = ("--batch-size", "2", "--repeats", "2", "--text-length", "5", "--cfg-options", "task.answers=['a', 'b']")

    def test_everything_as_json(self, tool: Tool, tmp_path: Path) -> None:
        result = tool("profile", CONFIG, "--json", tmp_path / "new" / "costs.json", *self.OPTIONS)
        assert result.code == 0, result.err
        (costs,) = json.loads((tmp_path / "new" / "costs.json").read_text())
        assert costs["inputs"] == {
            "batch": 2,
            "segments": 8,
            "frames a segment": 2,
            "frame height": 48,
            "frame width": 80,
            "seconds of sound a segment": 1.0,
            "texts a clip": 1,
            "ids a text": 5,
        }
        parameters, macs = costs["parameters"], costs["macs_a_sample"]
        assert parameters["trainable"] + parameters["frozen"] == parameters["total"]
        assert parameters["parts"]["adapters/stage 1/down"]["trainable"] == 3 * (D * R + R)
        assert macs["step"] == macs["forward"] + macs["backward"]
        assert macs["forward"] == sum(part["forward"] for part in macs["parts"].values())
        assert costs["flops_a_sample"]["step"] == 2 * macs["step"]
        tensors = 4 * parameters["trainable"]
        assert tensors < costs["adapter_folder_bytes"] <= 1.05 * tensors
        assert "softmax" in costs["uncounted_operators"]
        assert len(costs["step"]["seconds"]) == 2
        assert costs["step"]["peak_bytes"] > costs["forward"]["peak_bytes"] > 0
        assert costs["resident_bytes"] >= 4 * parameters["total"] + 2 * tensors

    def test_configs_side_by_side_as_markdown(self, tool: Tool, tmp_path: Path) -> None:
        (tmp_path / "base").symlink_to(CONFIG.parents[1] / "base")
        (tmp_path / "mine").mkdir()
        other = tmp_path / "mine" / "other.py"
        other.write_text(CONFIG.read_text())
        result = tool("profile", CONFIG, other, "--markdown", *self.OPTIONS)
        assert result.code == 0, result.err
        lines = result.out.splitlines()
        assert lines[:3] == ["| | avqa/tiny_lstta | mine/other |", "|---|---:|---:|", "| **parameters** | | |"]
        assert "| trainable | 466,330 | 466,330 |" in lines
        assert any(line.startswith("| adapters, all stages: short_term |") for line in lines)
        assert any("in no MAC count: add ×" in line for line in lines)

    def test_a_table_for_the_terminal(self, tool: Tool) -> None:
        result = tool("profile", CONFIG, *self.OPTIONS)
        assert result.code == 0, result.err
        assert "MACs of a sample, training step" in result.out
        assert "FLOPs of a sample (2 × MACs)" in result.out
        assert "466,330" in result.out

    def test_annotations_that_are_not_there(self, tool: Tool) -> None:
        result = tool("profile", CONFIG, "--cfg-options", "task.root=nowhere")
        assert result.code == 2
        assert result.err.startswith("error: nowhere: no such folder")
        assert "The size of the head is read from annotations: give them, or --cfg-options task.answers=…" in result.err

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    def test_no_gpu(self, tool: Tool) -> None:
        result = tool("profile", CONFIG, "--device", "cuda", *self.OPTIONS)
        assert (result.code, result.err) == (
            2,
            "error: --device cuda needs a GPU, and there is none that torch can use\n",
        )

"""Answers for every segment: each method and both readouts, what one segment tells another, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import seeded_encoders
import torch
from torch import Tensor

from lstta_core.interfaces import Encoder, Modality
from lstta_core.testing.inputs import synthetic_inputs
from lstta_tasks.network import build_model
from lstta_tasks.segment_network import OfSegments, SegmentNetwork
from lstta_tasks.task import Task
from lstta_tasks.tasks.ave import AVE
from lstta_tasks.tasks.avvp import AVVP

VISUAL, AUDIO, LANGUAGE = Modality
SEGMENTS, CLIPS = 7, 3
METHODS: dict[str, dict[str, Any]] = {
    "none": {"name": "none"},
    "bottleneck": {"name": "bottleneck", "width": 3},
    "lavish": {"name": "lavish", "latents": 2, "width": 2},
    "full": {"name": "full"},
    "lora": {"name": "lora", "target": ".*", "r": 2},
    "lstta": {"name": "lstta", "width": 4, "heads": 2},
    "long": {"name": "lstta", "width": 4, "heads": 2, "short_term": False},
}
TASKS = {"ave": AVE, "avvp": AVVP}


def encoders(*modalities: Modality) -> dict[Modality, Encoder]:
    return {m: getattr(seeded_encoders, m)(seed=5) for m in modalities or Modality}


def inputs(some: dict[Modality, Encoder], *, text_segments: int = 1) -> dict[Modality, dict[str, Tensor]]:
    return {
        m: synthetic_inputs(encoder.spec, batch=CLIPS, segments=SEGMENTS, text_segments=text_segments)
        for m, encoder in some.items()
    }


def network(task: Task, some: dict[Modality, Encoder], method: dict[str, Any], **readout: Any) -> SegmentNetwork:
    torch.manual_seed(0)
    made, _ = build_model(encoders=some, method=method, task=task, readout={"width": 12, "heads": 2, **readout})
    assert isinstance(made, SegmentNetwork)
    return made


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", TASKS)
def test_every_method_and_both_readouts(name: str, method: str, guided: bool) -> None:
    task, some = TASKS[name](), encoders()
    made = network(task, some, METHODS[method], guided=guided)
    output = made(inputs(some)).output
    assert isinstance(output, OfSegments)
    readings, width = {"ave": (1, 29), "avvp": (2, 75)}[name]
    assert output.logits.shape == (CLIPS, SEGMENTS, readings, width)
    assert output.seen.tolist() == [[[t < SEGMENTS - b] * readings for t in range(SEGMENTS)] for b in range(CLIPS)]
    target = torch.zeros(CLIPS, SEGMENTS, dtype=torch.long) if name == "ave" else torch.ones(CLIPS, 25)
    task.answer.loss(output, target).backward()
    reached = {name.partition(".")[0] for name, p in made.named_parameters() if p.grad is not None and p.grad.any()}
    assert {"head", "readout"} <= reached
    assert method == "none" or "trimodal" in reached


@pytest.mark.parametrize("modalities", [(VISUAL, AUDIO), (AUDIO, LANGUAGE), (VISUAL,)])
def test_fewer_modalities(modalities: tuple[Modality, ...]) -> None:
    some = encoders(*modalities)
    made = network(AVE(), some, METHODS["lstta"])
    assert made(inputs(some)).output.logits.shape == (CLIPS, SEGMENTS, 1, 29)


@pytest.mark.parametrize("name", TASKS)
def test_a_text_a_segment(name: str) -> None:
    some = encoders()
    made = network(TASKS[name](), some, METHODS["lstta"]).eval()
    given = inputs(some, text_segments=SEGMENTS)
    with torch.no_grad():
        before = made(given).output.logits
        given[LANGUAGE]["ids"][0, 2] = given[LANGUAGE]["ids"][0, 3]
        after = made(given).output.logits
    assert before.shape == after.shape


def test_what_lies_behind_a_clips_end_counts_nowhere() -> None:
    """Other frames and another sound there change nothing, and its loss and predictions are left out."""
    some, task = encoders(VISUAL, AUDIO), AVE()
    made = network(task, some, METHODS["lstta"]).eval()
    given = inputs(some)
    target = torch.randint(0, 29, (CLIPS, SEGMENTS), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        before = made(given).output
        given[VISUAL]["frames"][1, -1] = 77
        after = made(given).output
        assert torch.equal(task.answer.loss(before, target), task.answer.loss(after, target))
        target[1, -1] = (target[1, -1] + 1) % 29
        assert torch.equal(task.answer.loss(before, target), task.answer.loss(after, target))
    assert task.answer.predict(after) == task.answer.predict(before)
    assert task.answer.predict(after)[1]["segments"][-1] is None


def test_segments_tell_each_other_through_adapters_alone() -> None:
    """Encoders that see each segment by itself: without an adapter another one's frames change nothing."""
    some = encoders(VISUAL, AUDIO)
    given = inputs(some)
    changed = {m: {name: tensor.clone() for name, tensor in of.items()} for m, of in given.items()}
    changed[VISUAL]["frames"][0, 2] = 255 - changed[VISUAL]["frames"][0, 2]
    for method, crosses in (("none", False), ("lstta", True)):
        made = network(AVE(), some, METHODS[method]).eval()
        for parameter in made.parameters():  # at its start an adapter changes nothing
            if parameter.requires_grad and not parameter.any():
                torch.nn.init.normal_(parameter, std=0.5)
        with torch.no_grad():
            one, other = (made(each).output.logits[0] for each in (given, changed))
        moved = [bool((one[t] != other[t]).any()) for t in range(SEGMENTS)]
        assert moved[2]
        assert any(moved[:2] + moved[3:]) == crosses


def test_what_is_heard_is_read_from_sound_alone_and_what_is_seen_from_sight() -> None:
    some = encoders(VISUAL, AUDIO)
    made = network(AVVP(), some, METHODS["none"]).eval()
    given = inputs(some)
    with torch.no_grad():
        before = made(given).output.logits
        given[VISUAL]["frames"] = 255 - given[VISUAL]["frames"]
        after = made(given).output.logits
    assert torch.equal(before[:, :, 0], after[:, :, 0])
    assert not torch.equal(before[:, :, 1], after[:, :, 1])


@pytest.mark.parametrize(("name", "left"), [("avvp", VISUAL), ("avvp", AUDIO), ("ave", LANGUAGE)])
def test_models_without_what_is_read_are_refused(name: str, left: Modality) -> None:
    wanted = "from visual or audio" if name == "ave" else f"from {({VISUAL, AUDIO} - {left}).pop()}"
    with pytest.raises(ValueError, match=f"answers for every segment are read {wanted}, and the model reads {left}"):
        network(TASKS[name](), encoders(left), METHODS["none"])


def test_absent_clips_have_no_part() -> None:
    """A clip without sound: its loss is of sight alone, and nothing is heard in it."""
    some, task = encoders(VISUAL, AUDIO), AVVP()
    made = network(task, some, METHODS["lstta"]).eval()
    given = inputs(some)
    given[AUDIO]["present"][0] = False
    with torch.no_grad():
        output = made(given).output
    assert not output.seen[0, :, 0].any()
    assert task.answer.predict(output)[0]["audio"] == []
    assert task.answer.pooled(replace(output)).alone[0, 0].sum() == 0

"""Networks of one tower and of several: what adapter folders, checkpoints and collation ask of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import seeded_encoders
import torch
from torch import Tensor

from lstta_core.adapter_files import trained_tensors
from lstta_core.interfaces import Encoder, Inputs, Modality
from lstta_tasks.answers.kind import AnswerKind
from lstta_tasks.network import TaskNetwork, TaskOutput, Tower, build_model
from lstta_tasks.tasks.avqa import AVQA

VISUAL, AUDIO, LANGUAGE = Modality


class Pair(TaskNetwork):
    """Two towers, one of which hears and one of which reads and hears."""

    def __init__(self, towers: Mapping[str, Tower]) -> None:
        super().__init__()
        self.left, self.right = towers["left"].trimodal, towers["right"].trimodal

    def forward(self, inputs: Inputs, target: Tensor | None = None) -> TaskOutput:
        return TaskOutput(None)


class BothWays(AnswerKind):
    """Of which nothing but the network is asked."""

    head = loss = predict = describe = report = names = right = trivial = None  # type: ignore[assignment]

    def towers(self, modalities: Sequence[Modality]) -> dict[str, Sequence[Modality]]:
        return {"left": (AUDIO,), "right": (LANGUAGE, AUDIO)}

    def network(self, towers: Mapping[str, Tower]) -> Pair:
        return Pair(towers)


class TwoTowers(AVQA):
    answer = BothWays()  # type: ignore[assignment]


def encoders() -> dict[Modality, Encoder]:
    return {m: getattr(seeded_encoders, m)(seed=5) for m in Modality}


METHOD: dict[str, Any] = {"name": "lstta", "width": 4, "heads": 2}


def test_of_one_tower() -> None:
    network, choice = build_model(encoders=encoders(), method=METHOD, task=AVQA(answers=["no", "yes"]))
    assert list(network.lockstep_models()) == ["trimodal"]
    assert network.frozen() == ("trimodal.encoders.",)
    assert list(network.by_modality()) == list(network.digests()) == list(Modality)
    assert choice.parameters == sum(p.numel() for p in network.lockstep_models()["trimodal"].trainable_parameters())
    with pytest.raises(NotImplementedError, match="TaskModel has no second pass"):
        network.score({})


@pytest.mark.parametrize("method", [METHOD, {"name": "full"}, {"name": "lora", "target": ".*", "r": 2}])
def test_of_two(method: dict[str, Any]) -> None:
    """Towers that read the same modality have an encoder each: a method may change it."""
    network, choice = build_model(encoders=encoders(), method=method, task=TwoTowers(answers=["no", "yes"]))
    models = network.lockstep_models()
    assert list(models) == ["left", "right"]
    assert network.frozen() == ("left.encoders.", "right.encoders.")
    assert list(network.by_modality()) == [AUDIO, LANGUAGE]
    assert network.by_modality()[AUDIO] is models["left"].by_modality()[AUDIO]
    assert models["left"].by_modality()[AUDIO] is not models["right"].by_modality()[AUDIO]
    assert network.digests() == {m: models["right"].digests[m] for m in (AUDIO, LANGUAGE)}
    training = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert sum(network.get_parameter(name).numel() for name in training) == choice.parameters
    beside = {name for name, _ in network.named_buffers() if ".adapters." in name}
    assert training | beside == trained_tensors(network, network.frozen()).keys()


def test_a_budget_is_for_all_towers() -> None:
    method = {"name": "bottleneck", "budget": 1_000}
    network, choice = build_model(encoders=encoders(), method=method, task=TwoTowers(answers=["no", "yes"]))
    counts = [sum(p.numel() for p in m.trainable_parameters()) for m in network.lockstep_models().values()]
    assert choice.parameters == sum(counts)
    assert all(counts)
    widths = {len(a.down["audio"].weight) for m in network.lockstep_models().values() for a in _adapters(m)}
    assert widths == {choice.options["width"]}


def test_a_method_that_has_no_stage_is_refused() -> None:
    task = TwoTowers(answers=["no", "yes"])
    with pytest.raises(ValueError, match=r"^model\.adapted=0 leaves the method bottleneck no stage, so nothing of it"):
        build_model(encoders=encoders(), method={"name": "bottleneck"}, task=task, adapted=0)
    assert build_model(encoders=encoders(), method={"name": "none"}, task=task, adapted=0)[1].parameters == 0


def _adapters(model: Any) -> list[Any]:
    return list(model.adapters["default"].values())


def test_fresh_towers_give_what_frozen_encoders_give() -> None:
    network, _ = build_model(encoders=encoders(), method=METHOD, task=TwoTowers(answers=["no", "yes"]))
    torch.manual_seed(0)
    sound = {"sound": torch.randint(-999, 999, (2, 3, 11), dtype=torch.int16), "length": torch.full((2, 3), 11)}
    inputs: Any = {AUDIO: {**sound, "present": torch.tensor([True, True])}}
    model = network.lockstep_models()["left"]
    adapted = model(inputs).streams[AUDIO].tokens
    with model.disabled():
        assert torch.equal(adapted, model(inputs).streams[AUDIO].tokens)

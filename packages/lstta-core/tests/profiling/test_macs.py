"""The MACs of whole lockstep models: by part, for every method, against torch's own counter on a real step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lstta_core import Bottleneck, FullFineTuning, Lavish, Method, Modality, NoAdapter, Readout, TrimodalModel
from lstta_core.interfaces import Inputs
from lstta_core.methods.cola import CoLA
from lstta_core.methods.dgsct import DGSCT
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.methods.moka import MokA
from lstta_core.methods.prompt import Prompt
from lstta_core.profiling import Macs, count_macs
from lstta_core.testing import synthetic_inputs
from lstta_core.testing.torch_counter import macs_by_torch
from lstta_core.testing.toy_encoders import ToyAudio, ToyLanguage, ToyVisual

SEGMENTS, IDS, SECONDS = 5, 13, 1.0
METHODS: dict[str, Callable[[], Method]] = {
    "lstta": lambda: LSTTA(width=6, heads=2, latents=3),
    "bottleneck": lambda: Bottleneck(width=6),
    "lavish": lambda: Lavish(width=4),
    "moka": lambda: MokA(r=3),
    "cola": lambda: CoLA(r=3, reduction=2),
    "prompt": lambda: Prompt(tokens=3, modalities=["audio"]),
    "dgsct": lambda: DGSCT(width=4),
    "none": NoAdapter,
    "full": FullFineTuning,
}


class Head(nn.Module):
    """A lockstep model with a readout and a last layer, as tasks have it."""

    def __init__(self, trimodal: TrimodalModel) -> None:
        super().__init__()
        self.trimodal = trimodal
        widths = {m: encoder.widths[-1] for m, encoder in trimodal.by_modality().items()}
        self.readout = Readout(widths=widths, width=8, heads=2)
        self.head = nn.Linear(8, 3)

    def forward(self, inputs: Inputs) -> tuple[Tensor, Any]:
        output = self.trimodal(inputs)
        return self.head(self.readout(output)), output


def built(method: Method, *, adapted: int | None = None) -> Head:
    torch.manual_seed(0)
    encoders = {Modality.VISUAL: ToyVisual(), Modality.AUDIO: ToyAudio(), Modality.LANGUAGE: ToyLanguage()}
    trimodal = TrimodalModel(encoders, stages=2, adapted=adapted)
    trimodal.add_adapter("mine", method)
    return Head(trimodal)


def inputs_for(model: Head, batch: int = 1) -> Inputs:
    sizes: dict[str, Any] = {"segments": SEGMENTS, "ragged": False, "sound_seconds": SECONDS, "text_length": IDS}
    return {m: synthetic_inputs(e.spec, batch=batch, **sizes) for m, e in model.trimodal.by_modality().items()}


def loss(output: tuple[Tensor, Any]) -> Tensor:
    return output[0].square().mean()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("adapted", [0, 1, 2])
def test_it_is_what_torch_counts_of_a_real_step(method: str, adapted: int) -> None:
    if (method, adapted) == ("prompt", 1):
        pytest.skip("no block behind the last stage reads a prompt")
    model = built(METHODS[method](), adapted=adapted)
    inputs = inputs_for(model, batch=3)
    counted = count_macs(model, inputs, loss=loss)
    assert counted.total == macs_by_torch(lambda: loss(model(inputs)))


def test_adapters_are_equal_at_equal_stages_and_a_frozen_prefix_has_no_backward() -> None:
    both, last = (count_macs(m := built(METHODS["bottleneck"](), adapted=n), inputs_for(m), loss=loss) for n in (2, 1))
    none = count_macs(m := built(NoAdapter()), inputs_for(m), loss=loss)
    for modality in Modality:
        part = (f"{modality} encoder",)
        assert both.parts[part].forward == last.parts[part].forward == none.parts[part].forward
        assert both.parts[part].backward > last.parts[part].backward
        assert none.parts[part].backward == 0
    assert {part for part in last.parts if part[0] == "adapters"} == {
        ("adapters", "stage 2", "down"),
        ("adapters", "stage 2", "up"),
    }


def test_the_rule_by_hand() -> None:
    """One modality, a bottleneck at the last stage: everything before is frozen and has no graph."""
    trimodal = TrimodalModel({Modality.VISUAL: ToyVisual()}, stages=2, adapted=1)
    trimodal.add_adapter("mine", Bottleneck(width=6))
    model = Head(trimodal)
    parts = count_macs(model, inputs_for(model), loss=loss).parts
    rows, width = SEGMENTS, 8  # a frame a segment; 7 tokens, after the merging 4 of width 12
    block = rows * (7 * (4 + 4) * width**2 + 2 * 7 * 7 * width)
    merged = rows * (3 * 16 * 12 + 1 * 8 * 12)
    last = rows * (4 * (4 + 4) * 12**2 + 2 * 4 * 4 * 12)
    embedded = rows * 6 * 48 * 8
    narrow = rows * 4 * 12 * 6
    assert parts["visual encoder",] == Macs(embedded + block + merged + last, 0)
    # The bound of what is added: W↑ᵀ W↑ once a step, and y with it for each token.
    bound = 6 * 12 * 6 + rows * 4 * 6 * 6
    assert parts["adapters", "stage 2", "down"] == Macs(narrow, narrow)
    assert parts["adapters", "stage 2", "up"] == Macs(narrow + bound, 2 * (narrow + bound))
    assert parts["head",] == Macs(8 * 3, 2 * 8 * 3)


def test_twice_the_clips_are_twice_the_macs() -> None:
    model = built(METHODS["bottleneck"]())
    one, two, three = (count_macs(model, inputs_for(model, batch), loss=loss).total for batch in (1, 2, 3))
    assert three.forward - two.forward == two.forward - one.forward
    assert three.backward - two.backward == two.backward - one.backward
    once = sum(6 * width * 6 for stage in model.trimodal.adapted_stages for width in stage.widths.values())
    assert two.forward == 2 * one.forward - once, "W↑ᵀ W↑ of each adapter is there once a step"


def test_counting_leaves_the_model_as_it_was() -> None:
    model = built(METHODS["lstta"]())
    inputs = inputs_for(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    count_macs(model, inputs, loss=loss)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    for encoder in model.trimodal.by_modality().values():
        assert not {"embed", "run_block", "finish"} & set(vars(encoder))


def test_a_model_without_a_lockstep_model_is_refused() -> None:
    with pytest.raises(ValueError, match="Linear has no TrimodalModel"):
        count_macs(nn.Linear(2, 2), {}, loss=lambda output: output)


class Pair(nn.Module):
    """Two towers that share nothing, with something after them that needs a target."""

    def __init__(self) -> None:
        super().__init__()
        self.clips, self.texts = Head(_tower(ToyVisual())), Head(_tower(ToyLanguage()))

    def forward(self, inputs: Inputs, target: Tensor) -> Tensor:
        return self.clips(inputs)[0] @ self.texts(inputs)[0].T + target


def _tower(encoder: Any) -> TrimodalModel:
    trimodal = TrimodalModel({encoder.modality: encoder})
    trimodal.add_adapter("mine", Bottleneck(width=6))
    return trimodal


def test_towers_have_parts_of_their_own() -> None:
    model = Pair()
    specs = {Modality.VISUAL: model.clips, Modality.LANGUAGE: model.texts}
    inputs = {m: inputs_for(tower, batch=2)[m] for m, tower in specs.items()}
    target = torch.zeros(2, 2)

    def call(inputs: Inputs) -> Any:
        return model(inputs, target)

    counted = count_macs(model, inputs, call=call, loss=lambda output: output.sum())
    assert {part[0] for part in counted.parts} == {
        "clips: visual encoder",
        "clips: adapters",
        "clips.readout",
        "clips.head",
        "texts: language encoder",
        "texts: adapters",
        "texts.readout",
        "texts.head",
        "loss",
    }
    assert counted.parts["loss",] == Macs(2 * 2 * 3, 2 * 2 * 2 * 3)
    assert counted.total == macs_by_torch(lambda: call(inputs).sum())

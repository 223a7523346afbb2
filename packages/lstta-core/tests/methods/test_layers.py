from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from lstta_core.interfaces import Adapter, AdapterOutput, Method, Modality, Stage, Streams
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.layers import Layers
from lstta_core.testing import synthetic_inputs, toy_encoders
from lstta_core.testing.method_suite import _loss as loss_of

MakeStreams = Callable[[], Streams]
Batch = dict[Modality, dict[str, Tensor]]


def shaken(module: torch.nn.Module) -> None:
    random = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        if parameter.requires_grad:
            parameter.data += torch.randn(parameter.shape, generator=random, dtype=parameter.dtype)


def three(widths: dict[Modality, int]) -> list[Adapter]:
    return [Layers().adapter(Stage(index, 4, widths)).double() for index in (2, 3, 4)]


def through(adapters: list[Adapter], stages: list[Streams]) -> Streams:
    """Each stage's tokens, with what the adapter at the one before has left."""
    carried: dict[Modality, Tensor | None] = {}
    for adapter, streams in zip(adapters, stages, strict=True):
        given = {m: type(s)(s.tokens, s.mask, s.present, carried.get(m)) for m, s in streams.items()}
        after = adapter(given).streams
        carried = {m: s.carried for m, s in after.items()}
    return after


def norm(x: Tensor) -> Tensor:
    centred = x - x.mean()
    return centred / (centred.square().mean() + 1e-5).sqrt()


def test_values_and_gradients_equal_a_loop(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    adapters, streams = three(widths), make_streams()
    stages = [{m: s.with_tokens(s.tokens.roll(k, -1) * (k + 1)) for m, s in streams.items()} for k in range(3)]
    for adapter in adapters:
        shaken(adapter)
    fast, naive = through(adapters, stages), {}
    for m in widths:
        weights = [dict(adapter.named_parameters())[f"weight.{m}"] for adapter in adapters]
        rows = zip(*(stage[m].tokens.flatten(0, 2) for stage in stages), streams[m].mask.flatten(), strict=True)
        out = []
        for *tokens, seen in rows:
            mix = sum((w * norm(x) for w, x in zip(weights, tokens, strict=True)), torch.zeros(()))
            out.append(tokens[-1] + tokens[-1].std(correction=0) * mix if seen else tokens[-1])
        naive[m] = torch.stack(out).view_as(streams[m].tokens)
        torch.testing.assert_close(fast[m].tokens, naive[m], rtol=1e-9, atol=1e-9)
        assert fast[m].carried is None
    parameters = [p for adapter in adapters for p in adapter.parameters()]
    gradients = torch.autograd.grad(sum((s.tokens.sin().sum() for s in fast.values()), torch.zeros(())), parameters)
    expected = torch.autograd.grad(sum((t.sin().sum() for t in naive.values()), torch.zeros(())), parameters)
    for gradient, other in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-8, atol=1e-8)


def test_earlier_stages_leave_tokens_alone(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    adapters, streams = three(widths), make_streams()
    shaken(adapters[0])
    for m, stream in adapters[0](streams).streams.items():
        assert torch.equal(stream.tokens, streams[m].tokens)
        assert stream.carried is not None
        assert not stream.carried[~stream.mask].any()


def test_a_number_for_each_stage_and_modality_trains() -> None:
    model = TrimodalModel(toy_encoders())
    model.add_adapter("mix", Layers())
    assert sum(p.numel() for p in model.trainable_parameters()) == model.stages * 3


def given(model: TrimodalModel, seed: int) -> Batch:
    return {m: synthetic_inputs(e.spec, batch=2 + seed, segments=3) for m, e in model.by_modality().items()}


def gradients(checkpointing: bool) -> list[Tensor]:
    """Of two batches whose backward passes come after both forward passes."""
    torch.manual_seed(11)
    model = TrimodalModel(toy_encoders(), checkpointing=checkpointing)
    model.add_adapter("mix", Layers())
    shaken(model)
    losses = [loss_of(model(given(model, seed))) for seed in (0, 1)]
    (losses[0] + losses[1]).backward()
    return [p.grad for p in model.trainable_parameters() if p.grad is not None]


def test_stages_computed_again_give_the_same_gradients_with_two_batches_under_way() -> None:
    kept, again = gradients(False), gradients(True)
    assert len(kept) == 6
    for one, two in zip(kept, again, strict=True):
        assert one.abs() > 0
        torch.testing.assert_close(one, two)


def test_no_batch_finds_what_an_earlier_one_has_left() -> None:
    model = TrimodalModel(toy_encoders())
    model.add_adapter("mix", Layers())
    shaken(model)
    with torch.no_grad():
        first, _, again = (model(given(model, seed)) for seed in (0, 1, 0))
    for m in first.streams:
        assert torch.equal(first.streams[m].tokens, again.streams[m].tokens)


def test_layers_of_two_widths_are_refused(widths: dict[Modality, int], make_streams: MakeStreams) -> None:
    adapters, streams = three(widths), make_streams()
    visual = streams[Modality.VISUAL]
    narrow = {**streams, Modality.VISUAL: type(visual)(visual.tokens[..., :5], visual.mask, visual.present)}
    message = (
        r"layers: visual tokens are \(3, 5, 7, 14\) at stage 3 of 4 and were \(3, 5, 7, 5\) at the one before: "
        "only layers of one shape can be mixed; lower model.adapted"
    )
    with pytest.raises(ValueError, match=message):
        through(adapters, [narrow, streams, streams])


def test_one_adapted_stage_of_several_is_refused() -> None:
    model = TrimodalModel(toy_encoders(), adapted=1)
    model.add_adapter("mix", Layers())
    with pytest.raises(ValueError, match=r"layers: only stage 2 of 2 is adapted: raise model.adapted"):
        model(given(model, 0))


def test_what_is_carried_skips_a_stage_without_an_adapter(
    widths: dict[Modality, int], make_streams: MakeStreams
) -> None:
    class Sparse(Method):
        def adapter(self, stage: Stage) -> Adapter | None:
            return None if stage.index == 2 else Layers().adapter(stage)

    class Seen(Adapter):
        def forward(self, streams: Streams) -> AdapterOutput:
            seen.append([s.carried is not None for s in streams.values()])
            return AdapterOutput(dict(streams))

    class Watched(Sparse):
        def adapter(self, stage: Stage) -> Adapter | None:
            return Seen() if stage.index == stage.count else super().adapter(stage)

    seen: list[list[bool]] = []
    model = TrimodalModel({Modality.LANGUAGE: toy_encoders()[Modality.LANGUAGE]})
    model.add_adapter("mix", Watched())
    model(given(model, 0))
    assert seen == [[True]]

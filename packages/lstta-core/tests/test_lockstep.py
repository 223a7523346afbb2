"""The lockstep model: what it leaves alone, what it trains, and where the streams meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations, pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from lstta_core.adapter_set import encoder_digest
from lstta_core.interfaces import Adapter, AdapterOutput, EncoderState, Modality, Stage, Streams, TrimodalOutput
from lstta_core.lockstep import TrimodalModel, blocks_before
from lstta_core.masks import to_stream
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.methods.projections import Down

VISUAL, AUDIO, LANGUAGE = Modality

Batch = dict[Modality, dict[str, Tensor]]

pytestmark = pytest.mark.usefixtures("measured")


def lstta() -> LSTTA:
    torch.manual_seed(5)
    return LSTTA(width=8, heads=2, latents=3, window=3)


def shaken(model: TrimodalModel) -> TrimodalModel:
    """The model with noise on what it trains, so that its adapters do something."""
    random = torch.Generator().manual_seed(7)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=random)
    return model


def loss_of(output: TrimodalOutput) -> Tensor:
    """A scalar that every valid token of every stream, and every importance, has a part in."""
    total = torch.zeros(())
    for stream in output.streams.values():
        weights = torch.linspace(-1, 1, stream.tokens.shape[-1])
        total = total + ((stream.tokens.sin() * weights).masked_fill(~stream.mask[..., None], 0)).sum()
    for stage in output.importances:
        total = total + sum((g * torch.linspace(0, 1, g.shape[1])).sum() for g in stage.values())
    return total


def frozen_outputs(small: ModuleType, inputs: Batch, *modalities: Modality) -> dict[Modality, Tensor]:
    """The encoders by themselves, block after block, without the lockstep model.

    Frozen as there: attention takes another kernel, with other last bits, where weights want a gradient.
    """
    outputs = {}
    for modality, encoder in small.encoders(*modalities).items():
        encoder.eval().requires_grad_(False)
        state = encoder.embed(inputs[modality])
        for block in range(encoder.depth):
            state = encoder.run_block(block, state)
        outputs[modality] = to_stream(state, encoder.finish(state), inputs[modality]["present"]).tokens
    return outputs


@pytest.mark.parametrize("timed_text", [False, True])
def test_starts_equal_to_the_frozen_model(small: ModuleType, timed_text: bool) -> None:
    inputs = small.inputs(timed_text=timed_text)
    model = TrimodalModel(small.encoders())
    model.add_adapter("a", lstta())
    model.train()
    output = model(inputs)
    for modality, tokens in frozen_outputs(small, inputs).items():
        assert torch.equal(output.streams[modality].tokens, tokens)
    with model.disabled():
        for modality, other in model(inputs).streams.items():
            assert torch.equal(output.streams[modality].tokens, other.tokens)


@pytest.mark.parametrize("modalities", [*combinations(Modality, 1), *combinations(Modality, 2)])
def test_one_or_two_modalities_alone(small: ModuleType, modalities: tuple[Modality, ...]) -> None:
    inputs = small.inputs(*modalities)
    model = TrimodalModel(small.encoders(*modalities))
    model.add_adapter("a", lstta())
    for modality, tokens in frozen_outputs(small, inputs, *modalities).items():
        assert torch.equal(model(inputs).streams[modality].tokens, tokens)
    changed = shaken(model)(inputs)
    for modality, tokens in frozen_outputs(small, inputs, *modalities).items():
        assert not torch.allclose(changed.streams[modality].tokens, tokens)


def test_training_changes_adapters_and_nothing_in_the_encoders(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("a", lstta())
    digests = {m: encoder_digest(encoder) for m, encoder in model.by_modality().items()}
    assert digests == model.digests
    before = {name: parameter.detach().clone() for name, parameter in model.adapters.named_parameters()}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.1)
    model.train()
    for step in range(4):
        optimizer.zero_grad()
        loss_of(model(small.inputs(seed=step))).backward()
        optimizer.step()
    assert {m: encoder_digest(encoder) for m, encoder in model.by_modality().items()} == digests
    assert not [name for name, p in model.adapters.named_parameters() if torch.equal(p, before[name])]


@pytest.mark.parametrize("timed_text", [False, True])
def test_gradients_reach_every_adapter_parameter(small: ModuleType, timed_text: bool) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("a", lstta())
    loss_of(shaken(model)(small.inputs(timed_text=timed_text))).backward()
    for name, parameter in model.named_parameters():
        if name.startswith("encoders."):
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_trainable_names_are_the_adapters_and_no_other(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders(), adapted=2)
    assert model.trainable_names() == []
    model.add_adapter("a", lstta())
    requiring = sorted(name for name, parameter in model.named_parameters() if parameter.requires_grad)
    assert model.trainable_names() == requiring
    assert {name.split(".")[:3][2] for name in requiring} == {"2", "3"}
    one_stage = {name.removeprefix("adapters.a.3.") for name in requiring if name.startswith("adapters.a.3.")}
    assert one_stage == {name for name, _ in lstta().adapter(model.adapted_stages[-1]).named_parameters()}


def test_frozen_encoders_stay_in_eval(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("a", lstta())
    model.train()
    assert not any(module.training for module in model.encoders.modules())
    assert all(module.training for module in model.adapters.modules())
    inputs = small.inputs()
    first, second = model(inputs), model(inputs)
    for modality in Modality:
        assert torch.equal(first.streams[modality].tokens, second.streams[modality].tokens)
    encoders = model.by_modality()
    assert torch.equal(encoders[VISUAL].get_buffer("batch_norm.running_mean"), torch.zeros(6))
    model.eval()
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize("depth", range(1, 14))
def test_blocks_before(depth: int) -> None:
    for stages in range(1, depth + 1):
        crossed = [blocks_before(stage, depth, stages) for stage in range(stages + 1)]
        assert crossed == [(2 * k * depth + stages) // (2 * stages) for k in range(stages + 1)]
        assert crossed[0] == 0
        assert crossed[-1] == depth
        assert all(earlier < later for earlier, later in pairwise(crossed))
        # the nearest whole number to an even spread, halves rounded up
        assert all(abs(crossed[k] - k * depth / stages) <= 0.5 for k in range(stages + 1))


class Probe(Adapter):
    """Notes what it is shown, and changes nothing."""

    def __init__(self, stage: Stage, seen: dict[int, Streams]) -> None:
        super().__init__()
        self.stage, self.seen = stage, seen
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, streams: Streams) -> AdapterOutput:
        self.seen[self.stage.index] = streams
        return AdapterOutput({m: s.with_tokens(s.tokens + self.weight) for m, s in streams.items()})


class Probes(LSTTA):
    """Probes at the stages."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[int, Streams] = {}

    def adapter(self, stage: Stage) -> Adapter:
        return Probe(stage, self.seen)


def test_stages_stand_after_the_blocks_that_the_formula_says(small: ModuleType) -> None:
    model, probes = TrimodalModel(small.encoders()), Probes()
    model.add_adapter("a", probes)
    inputs = small.inputs()
    model(inputs)
    assert sorted(probes.seen) == [1, 2, 3]
    for modality, encoder in model.by_modality().items():
        state: EncoderState = encoder.embed(inputs[modality])
        after = [state]
        for block in range(encoder.depth):
            after.append(encoder.run_block(block, after[-1]))
        for stage in (1, 2, 3):
            state = after[blocks_before(stage, encoder.depth, 3)]
            stream = probes.seen[stage][modality]
            assert torch.equal(stream.tokens, state.layout.to_segments(state.tokens))
            assert stream.tokens.shape[-1] == model.adapted_stages[stage - 1].widths[modality]


def test_the_prefix_before_the_first_adapted_stage_has_no_graph(small: ModuleType) -> None:
    model, probes = TrimodalModel(small.encoders(), adapted=2), Probes()
    model.add_adapter("a", probes)
    output = model(small.inputs())
    assert sorted(probes.seen) == [2, 3]
    assert not any(stream.tokens.requires_grad for stream in probes.seen[2].values())
    assert all(stream.tokens.requires_grad for stream in probes.seen[3].values())
    assert all(stream.tokens.requires_grad for stream in output.streams.values())
    with model.disabled():
        assert not any(stream.tokens.requires_grad for stream in model(small.inputs()).streams.values())


def assert_equal_where_seen(a: TrimodalOutput, b: TrimodalOutput, modalities: Mapping[Modality, Tensor]) -> None:
    """Streams equal to the bit for the clips marked true, at the places under a true mask."""
    for modality, clips in modalities.items():
        mask = a.streams[modality].mask & clips[:, None, None]
        assert torch.equal(mask, b.streams[modality].mask & clips[:, None, None])
        assert torch.equal(a.streams[modality].tokens[mask], b.streams[modality].tokens[mask]), modality


def all_clips() -> dict[Modality, Tensor]:
    return {m: torch.ones(3, dtype=torch.bool) for m in Modality}


def change_padded_words(batch: Batch) -> None:
    batch[LANGUAGE]["ids"] = torch.where(batch[LANGUAGE]["mask"], batch[LANGUAGE]["ids"], 13)


def change_missing_frame(batch: Batch) -> None:
    batch[VISUAL]["frames"][1, 4, 1] = 77


def change_silent_tail(batch: Batch) -> None:
    batch[AUDIO]["sound"][2, 3, 8:] = 12345
    batch[AUDIO]["sound"][2, 4] = -12345


@pytest.mark.parametrize("change", [change_padded_words, change_missing_frame, change_silent_tail])
@pytest.mark.parametrize("timed_text", [False, True])
def test_content_of_padding_does_not_matter(
    small: ModuleType, change: Callable[[Batch], None], timed_text: bool
) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("a", lstta())
    shaken(model)
    inputs, other = small.inputs(timed_text=timed_text), small.inputs(timed_text=timed_text)
    change(other)
    assert_equal_where_seen(model(inputs), model(other), all_clips())


def test_more_padding_changes_nothing(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("a", lstta())
    shaken(model)
    inputs, longer = small.inputs(), small.inputs()
    for name, fill in (("ids", 4), ("mask", 0)):
        longer[LANGUAGE][name] = nn.functional.pad(longer[LANGUAGE][name], (0, 3), value=fill)
    output, padded = model(inputs), model(longer)
    words = padded.streams[LANGUAGE]
    assert not words.mask[..., 7:].any()
    torch.testing.assert_close(words.tokens[:, :, :7], output.streams[LANGUAGE].tokens, rtol=0, atol=1e-5)
    for modality in (VISUAL, AUDIO):
        torch.testing.assert_close(padded.streams[modality].tokens, output.streams[modality].tokens, rtol=0, atol=1e-5)


@pytest.mark.parametrize("absent", list(Modality))
def test_an_absent_modality_changes_nothing_elsewhere(small: ModuleType, absent: Modality) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("a", lstta())
    shaken(model)
    whole = small.inputs()
    lacking, other = small.inputs(), small.inputs(seed=2)
    others_content = {m: dict(other[m] if m is absent else lacking[m]) for m in Modality}
    for batch in (lacking, others_content):
        batch[absent]["present"] = torch.tensor([True, False, True])
    for name in lacking[absent]:
        if name != "present":
            content = lacking[absent][name].clone()
            content[1] = others_content[absent][name][1]
            others_content[absent][name] = content
    output = model(lacking)
    second = torch.tensor([False, True, False])
    assert_equal_where_seen(output, model(whole), dict.fromkeys(Modality, ~second))
    # what the absent modality's input holds is not read by anybody
    rest = {m: torch.ones(3, dtype=torch.bool) for m in Modality if m is not absent}
    assert_equal_where_seen(output, model(others_content), {**rest, absent: ~second})
    assert not output.streams[absent].mask[1].any()
    # but that it is absent is noticed by the others
    changed = [
        not torch.equal(output.streams[m].tokens[1], model(whole).streams[m].tokens[1])
        for m in Modality
        if m is not absent
    ]
    assert all(changed)


def test_a_batch_may_be_split(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("a", lstta())
    shaken(model)
    inputs = small.inputs()
    together = model(inputs)
    for clip in range(3):
        alone = model({m: {name: value[clip : clip + 1] for name, value in inputs[m].items()} for m in Modality})
        for modality, stream in alone.streams.items():
            expected = together.streams[modality].tokens[clip : clip + 1]
            torch.testing.assert_close(stream.tokens[stream.mask], expected[stream.mask], rtol=0, atol=1e-5)


def test_errors_name_what_is_wrong(small: ModuleType) -> None:
    encoders = small.encoders()
    with pytest.raises(ValueError, match="at least one encoder"):
        TrimodalModel({})
    with pytest.raises(ValueError, match="given as audio says that it reads visual"):
        TrimodalModel({AUDIO: encoders[VISUAL]})
    with pytest.raises(ValueError, match=r"stages=4 .* smallest depth.*'audio': 3"):
        TrimodalModel(encoders, stages=4)
    with pytest.raises(ValueError, match=r"adapted=3 .* stages=2"):
        TrimodalModel(encoders, stages=2, adapted=3)
    model = TrimodalModel(encoders)
    with pytest.raises(ValueError, match=r"lack .*language"):
        model(small.inputs(VISUAL, AUDIO))


@pytest.mark.parametrize("checkpointing", [False, True])
def test_adapters_measure_each_training_batch_once(
    small: ModuleType, monkeypatch: pytest.MonkeyPatch, checkpointing: bool
) -> None:
    monkeypatch.setattr("lstta_core.methods.projections.BATCHES", 40)
    model, inputs = TrimodalModel(small.encoders(), checkpointing=checkpointing), small.inputs()
    model.add_adapter("a", lstta())
    model.eval()
    loss_of(model(inputs))
    statistics = [(name, module) for name, module in model.named_modules() if isinstance(module, Down)]
    assert statistics
    assert not any(int(down.batches) for _, down in statistics), "evaluation measures nothing"
    model.train()
    loss_of(model(inputs)).backward()
    once = [int(down.tokens) for _, down in statistics]
    for _ in range(2):
        loss_of(model(inputs)).backward()
    assert [int(down.batches) for _, down in statistics] == [3] * len(statistics)
    assert [int(down.tokens) for _, down in statistics] == [3 * tokens for tokens in once]
    assert min(once) > 0

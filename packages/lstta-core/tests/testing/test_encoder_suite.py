"""The suite passes on good encoders, and each of its checks fails on an encoder that breaks what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from lstta_core.interfaces import AudioSpec, Encoder, EncoderState, LanguageSpec, Modality
from lstta_core.layout import Layout
from lstta_core.testing import CheckResult, EncoderConformance, ToyAudio, ToyLanguage, ToyVisual, run_checks
from lstta_core.testing.toy_encoders import toy_tokenize


class TestToyVisual(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return ToyVisual()


class TestToyAudio(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return ToyAudio()


class TestToyLanguage(EncoderConformance):
    def make_encoder(self) -> Encoder:
        return ToyLanguage()

    def reference_output(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The same network, written down in another way."""
        encoder = self.encoder
        assert isinstance(encoder, ToyLanguage)
        ids, mask = inputs["ids"].flatten(0, 1), inputs["mask"].flatten(0, 1)
        rows = []
        for row, seen in zip(ids, mask, strict=True):
            tokens = encoder.words(row[seen])[None]
            bias = encoder.slope * torch.arange(tokens.shape[1])[None, None]
            for block in encoder.blocks:
                tokens = block(tokens, torch.ones(tokens.shape[:2], dtype=torch.bool), bias)
            rows.append(encoder.norm(tokens)[0])
        padded = self.encoder.finish(self._states(inputs)[-1]).clone()
        for b, row in enumerate(rows):
            padded[b, : len(row)] = row
        return padded


class WrongWidths(ToyVisual):
    widths = (8, 12)


class NoWidths(ToyLanguage):
    widths = ()  # type: ignore[assignment]


class WrongSpec(ToyLanguage):
    def __init__(self) -> None:
        super().__init__()
        self.spec = AudioSpec(sample_rate=16000)


class LambdaTokenizer(ToyLanguage):
    def __init__(self) -> None:
        super().__init__()
        self.spec = LanguageSpec(tokenize=lambda text: [1], max_length=17)


class LongTexts(ToyLanguage):
    def __init__(self) -> None:
        super().__init__()
        self.spec = LanguageSpec(tokenize=toy_tokenize, max_length=5)


class NotRegular(ToyVisual):
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        state = super().embed(inputs)
        return replace(state, layout=Layout.regular(state.layout.segment.flip(0), 5, 5))


class LosesTokens(ToyAudio):
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        state = super().embed(inputs)
        assert state.layout.filled is not None
        filled = state.layout.filled & (torch.arange(state.layout.filled.shape[2]) > 0)
        return replace(state, layout=replace(state.layout, filled=filled))


class WrongSegments(ToyAudio):
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        state = super().embed(inputs)
        return replace(state, layout=Layout.ragged(state.layout.segment.clamp(max=3), 4, 1))


class AdaptsPadding(ToyVisual):
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        state = super().embed(inputs)
        return replace(state, mask=torch.ones_like(state.mask))


class HidesTheFront(ToyLanguage):
    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor]:
        return {name: torch.nn.functional.pad(bias, (count, 0), value=-1e6) for name, bias in extras.items()}


class Noisy(ToyAudio):
    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return super().run_block(index, state.with_tokens(state.tokens + 1e-4 * torch.randn_like(state.tokens)))


class ChangesInputs(ToyLanguage):
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        inputs["ids"][inputs["mask"]] += 1
        return super().embed(inputs)


class CentresTheBatch(ToyAudio):
    def finish(self, state: EncoderState) -> Tensor:
        tokens = state.tokens - state.tokens.mean(0)
        return super().finish(state.with_tokens(tokens))


class CountsRows(ToyLanguage):
    def finish(self, state: EncoderState) -> Tensor:
        rows = torch.arange(len(state.tokens))[:, None, None]
        return super().finish(state) + rows


class SeesPadding(ToyLanguage):
    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        everything = torch.ones_like(state.mask)
        after = super().run_block(index, replace(state, mask=everything))
        return replace(after, mask=state.mask)


class DividesByZero(ToyLanguage):
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        state = super().embed(inputs)
        return state.with_tokens(state.tokens / state.mask.sum(1)[:, None, None])


class ChangesTokens(ToyLanguage):
    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        state.tokens.mul_(2)
        return super().run_block(index, state)


class ChangesExtras(ToyLanguage):
    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        after = super().run_block(index, state)
        return replace(after, extras={"bias": state.extras["bias"].contiguous().add_(0)})

    def finish(self, state: EncoderState) -> Tensor:
        state.extras["bias"].add_(1)
        return super().finish(state)


class NamesTheWrongBlock(ToyLanguage):
    def block(self, index: int) -> nn.Module:
        return super().block(index - 1)


class CutsGradients(ToyAudio):
    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return super().run_block(index, state.with_tokens(state.tokens.detach()) if index == 1 else state)


class HiddenWeights(ToyLanguage):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = [torch.randn(6)]

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        state = super().embed(inputs)
        return state.with_tokens(state.tokens + self.hidden[0].to(state.tokens.dtype))


class FloatOnly(ToyVisual):
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        state = super().embed(inputs)
        return state.with_tokens(state.tokens.float())


class Projects(ToyVisual):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(12, 5)

    def finish(self, state: EncoderState) -> Tensor:
        return self.out(super().finish(state))


class DropsTokens(ToyVisual):
    def finish(self, state: EncoderState) -> Tensor:
        return super().finish(state)[:, 1:]


class Remembers(ToyVisual):
    """Its second block does not like tokens that somebody else has made."""

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        strange = index == 1 and state.tokens is not self.made
        after = super().run_block(index, state.with_tokens(state.tokens + 1) if strange else state)
        self.made = after.tokens
        return after


class Raises(ToyVisual):
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        raise KeyError("bias")


class CannotBeMade(ToyVisual):
    def __init__(self) -> None:
        raise RuntimeError("no weights here")


BROKEN: list[tuple[type[Encoder], str]] = [
    (HidesTheFront, "test_tokens_in_front_are_read"),
    (WrongWidths, "test_states_have_the_declared_widths"),
    (NoWidths, "test_declarations_fit_together"),
    (WrongSpec, "test_declarations_fit_together"),
    (LambdaTokenizer, "test_tokenizer_keeps_its_word"),
    (LongTexts, "test_tokenizer_keeps_its_word"),
    (NotRegular, "test_layouts_tell_the_truth"),
    (LosesTokens, "test_layouts_tell_the_truth"),
    (WrongSegments, "test_layouts_tell_the_truth"),
    (AdaptsPadding, "test_padding_is_masked"),
    (Noisy, "test_is_deterministic"),
    (ChangesInputs, "test_inputs_stay_as_they_are"),
    (CentresTheBatch, "test_clips_do_not_see_each_other"),
    (CountsRows, "test_order_of_the_batch_does_not_matter"),
    (SeesPadding, "test_padding_does_not_matter"),
    (DividesByZero, "test_absent_clips_give_finite_tokens"),
    (ChangesTokens, "test_blocks_leave_their_state_as_it_is"),
    (ChangesExtras, "test_blocks_leave_their_state_as_it_is"),
    (NamesTheWrongBlock, "test_nothing_before_a_block_reads_its_parameters"),
    (CutsGradients, "test_gradients_reach_the_embedding"),
    (HiddenWeights, "test_state_dict_holds_everything"),
    (FloatOnly, "test_runs_in_bfloat16"),
    (Remembers, "test_fresh_adapter_changes_nothing"),
    (Projects, "test_finish_keeps_the_last_width"),
    (DropsTokens, "test_finish_keeps_the_last_width"),
]


@pytest.mark.parametrize(("broken", "check"), BROKEN)
def test_broken_encoder_fails_its_check(broken: type[Encoder], check: str) -> None:
    class Suite(EncoderConformance):
        def make_encoder(self) -> Encoder:
            return broken()

    results = {result.name: result for result in Suite().run()}
    failed = results[check]
    assert not failed.passed
    assert failed.reason


MORE = [(Raises, "test_states_have_the_declared_widths"), (CannotBeMade, "test_declarations_fit_together")]
TWO_CAUSES = {LambdaTokenizer}  # it cannot be pickled, and gives no token to adapt


@pytest.mark.parametrize(("broken", "check"), [case for case in BROKEN + MORE if case[0] not in TWO_CAUSES])
def test_each_cause_is_reported_once(broken: type[Encoder], check: str) -> None:
    class Suite(EncoderConformance):
        def make_encoder(self) -> Encoder:
            return broken()

    results = Suite().run()
    assert [result.name for result in results if not result.passed] == [check]
    assert len(results) == len([name for name in dir(Suite) if name.startswith("test_")])


def test_every_check_has_an_encoder_that_breaks_it() -> None:
    checks = {name for name in dir(EncoderConformance) if name.startswith("test_")}
    assert checks == {check for _, check in BROKEN} | {"test_output_equals_the_original_library"}


def test_another_reference_fails() -> None:
    class Suite(EncoderConformance):
        def make_encoder(self) -> Encoder:
            return ToyLanguage()

        def reference_output(self, inputs: Mapping[str, Tensor]) -> Tensor:
            return self.encoder.finish(self._states(inputs)[-1]) + 1e-3

    (result,) = [r for r in Suite().run() if r.name == "test_output_equals_the_original_library"]
    assert not result.passed
    assert "tokens and the original's: 0.001 apart" in result.reason


def test_encoders_that_say_so_may_mind_padding() -> None:
    class Mean(ToyAudio):
        def __init__(self) -> None:
            super().__init__()
            self.spec = AudioSpec(sample_rate=47, span="clip", padding_invariant=False)

        def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
            state = super().embed(inputs)
            return state.with_tokens(state.tokens - state.tokens.mean(1, keepdim=True))

    results = {result.name: result for result in run_checks(Mean())}
    assert all(result.passed for result in results.values()), results
    assert "padding changes valid outputs" in results["test_padding_does_not_matter"].reason


def test_run_checks_leaves_the_encoder_as_it_is() -> None:
    encoder = ToyVisual()
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    results = run_checks(encoder)
    assert all(isinstance(result, CheckResult) and result.passed for result in results), results
    assert all(parameter.requires_grad for parameter in encoder.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.state_dict().items())


def test_small_suites_share_nothing() -> None:
    class One(EncoderConformance):
        def make_encoder(self) -> Encoder:
            return ToyVisual()

    class Two(One):
        def make_encoder(self) -> Encoder:
            return ToyAudio()

    assert One().encoder is One().encoder
    assert One().encoder.modality is Modality.VISUAL
    assert Two().encoder.modality is Modality.AUDIO

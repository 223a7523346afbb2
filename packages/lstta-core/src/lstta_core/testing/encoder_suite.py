"""What every encoder must keep, whatever network it wraps."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping, Sequence
from typing import ClassVar
from unittest import SkipTest

import torch
from torch import Tensor

from lstta_core.interfaces import (
    AudioSpec,
    Encoder,
    EncoderState,
    FeatureSpec,
    LanguageSpec,
    Modality,
    VisualSpec,
)
from lstta_core.lockstep import TrimodalModel
from lstta_core.masks import to_stream
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.testing.encoder_states import check_layout, filled_segments, padded, require_unchanged, segments
from lstta_core.testing.front_checks import require_front
from lstta_core.testing.inputs import TEXTS, synthetic_inputs, without_clips
from lstta_core.testing.suite import Conformance, require, require_close, take

SPECS = {Modality.VISUAL: VisualSpec, Modality.AUDIO: AudioSpec, Modality.LANGUAGE: LanguageSpec}


DECLARED, RUN, LAID_OUT = (
    "test_declarations_fit_together",
    "test_states_have_the_declared_widths",
    "test_layouts_tell_the_truth",
)
FINISHED, UNTOUCHED, SAME = (
    "test_finish_keeps_the_last_width",
    "test_inputs_stay_as_they_are",
    "test_is_deterministic",
)
READ = (LAID_OUT, FINISHED, SAME)
"""What checks that compare the finished tokens of segments rest on."""


class EncoderConformance(Conformance):
    """Checks of one encoder. A subclass gives ``make_encoder``; the rest has defaults.

    Attributes:
        tolerance: how far two ways to the same numbers may be apart, relative to the largest value (at least 1).
    """

    tolerance: ClassVar[float] = 1e-5
    rests_on: ClassVar[Mapping[str, Sequence[str]]] = {
        RUN: (DECLARED,),
        "test_tokenizer_keeps_its_word": (DECLARED,),
        LAID_OUT: (RUN,),
        FINISHED: (RUN,),
        UNTOUCHED: (RUN,),
        SAME: (UNTOUCHED,),
        "test_padding_is_masked": (LAID_OUT,),
        "test_output_equals_the_original_library": (FINISHED, SAME),
        "test_order_of_the_batch_does_not_matter": READ,
        "test_clips_do_not_see_each_other": (*READ, "test_order_of_the_batch_does_not_matter"),
        "test_padding_does_not_matter": READ,
        "test_absent_clips_give_finite_tokens": (FINISHED,),
        "test_blocks_leave_their_state_as_it_is": (FINISHED,),
        "test_nothing_before_a_block_reads_its_parameters": (SAME, "test_blocks_leave_their_state_as_it_is"),
        "test_gradients_reach_the_embedding": (
            *(FINISHED, "test_padding_is_masked", "test_blocks_leave_their_state_as_it_is"),
        ),
        "test_tokens_in_front_are_read": (
            *("test_clips_do_not_see_each_other", "test_blocks_leave_their_state_as_it_is"),
        ),
        "test_fresh_adapter_changes_nothing": READ,
        "test_state_dict_holds_everything": READ,
        "test_runs_in_bfloat16": (RUN,),
    }
    _made: ClassVar[Encoder | None] = None

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        cls._made = None

    def make_encoder(self) -> Encoder:
        """A new encoder; called once for all checks, and once more for the check of the state dict."""
        raise NotImplementedError

    def make_inputs(self, *, batch: int = 3, segments: int = 5) -> Mapping[str, Tensor]:
        """A batch, all clips present; equal lengths where padding changes valid outputs."""
        spec = self.encoder.spec
        ragged = not (isinstance(spec, AudioSpec) and not spec.padding_invariant)
        return synthetic_inputs(spec, batch=batch, segments=segments, ragged=ragged)

    def reference_output(self, inputs: Mapping[str, Tensor]) -> Tensor | None:
        """(R, M, D), the original library's tokens for these inputs; None where there is nothing to compare with."""
        return None

    @property
    def encoder(self) -> Encoder:
        """The encoder under test, frozen and in eval mode; checks must leave it as it is."""
        if type(self)._made is None:
            type(self)._made = self.make_encoder().eval().requires_grad_(False)
        made = type(self)._made
        assert made is not None
        return made

    def test_declarations_fit_together(self) -> None:
        encoder = self.encoder
        require(isinstance(encoder.modality, Modality), f"modality is {encoder.modality!r}, not a Modality")
        wanted = SPECS[encoder.modality]
        fits = isinstance(encoder.spec, wanted | FeatureSpec)
        require(fits, f"spec of {encoder.modality} must be a {wanted.__name__}")
        require(len(encoder.widths) > 0, "widths is empty: an encoder has at least one block")
        require(all(type(w) is int and w > 0 for w in encoder.widths), f"widths must be positive: {encoder.widths}")

    def test_tokenizer_keeps_its_word(self) -> None:
        spec = self.encoder.spec
        if not isinstance(spec, LanguageSpec):
            raise SkipTest("only language encoders have a tokenizer")
        tokenize = pickle.loads(pickle.dumps(spec.tokenize))
        for text in ("", *TEXTS, " ".join(TEXTS) * 50):
            ids = spec.tokenize(text)
            require(tokenize(text) == ids, "the tokenizer gives other ids after it was pickled")
            require(all(type(i) is int for i in ids), f"ids must be int, got {ids[:5]}")
            require(len(ids) <= spec.max_length, f"{len(ids)} ids for a text, max_length is {spec.max_length}")

    def test_states_have_the_declared_widths(self) -> None:
        inputs = self.make_inputs()
        for place, state in enumerate(self._states(inputs)):
            name = "embed" if place == 0 else f"block {place - 1}"
            rows, tokens, width = state.tokens.shape
            if place > 0:
                declared = self.encoder.widths[place - 1]
                require(width == declared, f"after {name} the width is {width}, widths says {declared}")
            require(state.tokens.is_floating_point(), f"after {name} the tokens are {state.tokens.dtype}")
            require(state.mask.dtype == torch.bool, f"after {name} the mask is {state.mask.dtype}, not bool")
            require(state.mask.shape == (rows, tokens), f"after {name} the mask is {tuple(state.mask.shape)}")
            segment = state.layout.segment
            require(segment.dtype == torch.int64, f"after {name} layout.segment is {segment.dtype}, not int64")
            require(segment.shape == (rows, tokens), f"after {name} layout.segment is {tuple(segment.shape)}")

    def test_finish_keeps_the_last_width(self) -> None:
        state = self._states(self.make_inputs())[-1]
        with torch.no_grad():
            tokens = self.encoder.finish(state)
        require(isinstance(tokens, Tensor) and tokens.dim() == 3, "finish gives no tensor (R, M, D)")
        require(tokens.is_floating_point(), f"finish gives tokens that are {tokens.dtype}")
        rows, count = state.tokens.shape[:2]
        require(
            tokens.shape[:2] == (rows, count),
            f"finish gives {tuple(tokens.shape[:2])} rows and tokens, the last state has {(rows, count)}",
        )
        declared = self.encoder.widths[-1]
        require(
            tokens.shape[2] == declared,
            f"finish gives tokens of width {tokens.shape[2]}, widths ends in {declared}, which whatever "
            "reads them is built for: leave such a projection out of finish, or make it part of the last block",
        )

    def test_layouts_tell_the_truth(self) -> None:
        inputs = self.make_inputs()
        for place, state in enumerate(self._states(inputs)):
            name = "embed" if place == 0 else f"block {place - 1}"
            layout = state.layout
            require(
                layout.segments == segments(inputs),
                f"after {name} the layout has {layout.segments} segments, the inputs have {segments(inputs)}",
            )
            rows, clips = len(state.tokens), len(inputs["present"])
            require(rows == clips * layout.rows_per_clip, f"after {name}: {rows} rows for {clips} clips")
            check_layout(layout, name)

    def test_padding_is_masked(self) -> None:
        inputs = self.make_inputs()
        filled = filled_segments(inputs)
        for place, state in enumerate(self._states(inputs)):
            name = "embed" if place == 0 else f"block {place - 1}"
            adapted = state.layout.mask(state.mask).any(-1)  # (B, S)
            empty = ~filled & adapted
            require(not empty.any(), f"after {name} segments that hold nothing have tokens to adapt: {empty.nonzero()}")
            require(bool(adapted.any(1).all()), f"after {name} a clip that is present has no token to adapt")

    def test_inputs_stay_as_they_are(self) -> None:
        inputs = self.make_inputs()
        before = {name: tensor.clone() for name, tensor in inputs.items()}
        self._states(inputs)
        for name, tensor in inputs.items():
            require(torch.equal(tensor, before[name]), f"the encoder changed its input {name!r} in place")

    def test_is_deterministic(self) -> None:
        inputs = self.make_inputs()
        for place, (one, two) in enumerate(zip(self._states(inputs), self._states(inputs), strict=True)):
            require(torch.equal(one.tokens, two.tokens), f"two runs in eval mode differ at state {place}")

    def test_output_equals_the_original_library(self) -> None:
        inputs = self.make_inputs()
        with torch.no_grad():
            reference = self.reference_output(inputs)
            if reference is None:
                raise SkipTest("no reference_output is given")
            tokens = self.encoder.finish(self._states(inputs)[-1])
        require_close(tokens, reference, self.tolerance, "tokens and the original's")

    def test_order_of_the_batch_does_not_matter(self) -> None:
        inputs = self.make_inputs()
        order = list(range(len(inputs["present"])))[::-1]
        whole, turned = self._contents(inputs), self._contents(take(inputs, order))
        for place, clip in enumerate(order):
            self._require_same(turned[place], whole[clip], f"clip {clip} in another order of the batch")

    def test_clips_do_not_see_each_other(self) -> None:
        inputs = self.make_inputs()
        whole = self._contents(inputs)
        for clip, content in enumerate(whole):
            alone = self._contents(take(inputs, [clip]))[0]
            self._require_same(alone, content, f"clip {clip} alone and in the batch")

    def test_padding_does_not_matter(self) -> None:
        spec, inputs = self.encoder.spec, self.make_inputs()
        if isinstance(spec, AudioSpec) and not spec.padding_invariant:
            raise SkipTest("the spec says that padding changes valid outputs")
        if isinstance(spec, VisualSpec) and spec.span == "clip":
            raise SkipTest("a visual encoder of whole clips says nothing about padding")
        more = padded(inputs, spec)
        for clip, (one, two) in enumerate(zip(self._contents(inputs), self._contents(more), strict=True)):
            self._require_same(two[: len(one)], one, f"clip {clip} with padding and without")

    def test_absent_clips_give_finite_tokens(self) -> None:
        clips = self.make_inputs()
        for gone in ([1], list(range(len(clips["present"])))):
            inputs = without_clips(clips, self.encoder.spec, gone)
            for place, state in enumerate(self._states(inputs)):
                require(bool(state.tokens.isfinite().all()), f"clips {gone} absent: state {place} is not finite")
            with torch.no_grad():
                tokens = self.encoder.finish(state)
            require(bool(tokens.isfinite().all()), f"clips {gone} absent: the finished tokens are not finite")

    def test_blocks_leave_their_state_as_it_is(self) -> None:
        encoder = self.encoder
        with torch.no_grad():
            state = encoder.embed(self.make_inputs())
            for index in range(encoder.depth):
                given = copy.deepcopy(state)
                after = encoder.run_block(index, state)
                require_unchanged(given, state, f"block {index}")
                state = after
            given = copy.deepcopy(state)
            encoder.finish(state)
            require_unchanged(given, state, "finish")

    def test_nothing_before_a_block_reads_its_parameters(self) -> None:
        modules = {index: self.encoder.block(index) for index in range(1, self.encoder.depth)}
        if None in modules.values() or not modules:
            raise SkipTest("the encoder does not say which modules its blocks are")
        inputs = self.make_inputs()
        states = self._states(inputs)
        for index in modules:
            spoilt = copy.deepcopy(self.encoder)
            module = spoilt.block(index)
            assert module is not None
            for parameter in module.parameters():
                parameter.data.fill_(float("nan"))
            with torch.no_grad():
                state = spoilt.embed(inputs)
                for before in range(index):
                    state = spoilt.run_block(before, state)
                after = spoilt.run_block(index, state)
            require_unchanged(states[index], state, f"what block {index} is said to own, when it is lost,")
            require(bool(after.tokens.isnan().any()), f"block {index} does not read the module that it is said to own")

    def test_gradients_reach_the_embedding(self) -> None:
        encoder, inputs = self.encoder, self.make_inputs()
        state = encoder.embed(inputs)
        start = state.tokens.detach().requires_grad_()
        state = state.with_tokens(start)
        for index in range(encoder.depth):
            state = encoder.run_block(index, state)
        mask = state.layout.mask(state.mask)
        finished = state.layout.to_segments(encoder.finish(state))[mask]
        weights = torch.randn(finished.shape, generator=torch.Generator().manual_seed(0)).to(finished)
        (gradient,) = torch.autograd.grad((finished * weights).sum(), start)
        require(bool(gradient.isfinite().all()), "a gradient is not finite")
        by_clip = gradient.unflatten(0, (len(inputs["present"]), -1)).flatten(1).abs().amax(1)
        require(bool((by_clip > 0).all()), f"largest gradient after embed by clip: {by_clip.tolist()}")

    def test_tokens_in_front_are_read(self) -> None:
        require_front(self.encoder, self.make_inputs(), self.tolerance)

    def test_fresh_adapter_changes_nothing(self) -> None:
        encoder, inputs = copy.deepcopy(self.encoder), self.make_inputs()
        model = TrimodalModel({encoder.modality: encoder})
        model.add_adapter("fresh", LSTTA(width=8, heads=2))
        with torch.no_grad():
            adapted = model({encoder.modality: inputs}).streams[encoder.modality]
            with model.disabled():
                frozen = model({encoder.modality: inputs}).streams[encoder.modality]
            state = self._states(inputs)[-1]
            alone = to_stream(state, self.encoder.finish(state), inputs["present"])
        for other, what in ((frozen, "without it"), (alone, "of the encoder by itself")):
            require(torch.equal(adapted.tokens, other.tokens), f"tokens with a fresh adapter differ from those {what}")

    def test_state_dict_holds_everything(self) -> None:
        inputs = self.make_inputs()
        other = self.make_encoder().eval()
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.add_(torch.randn_like(parameter))
        other.load_state_dict(self.encoder.state_dict())
        other.requires_grad_(False)  # torch picks other kernels, other last bits, for weights that train
        for one, two in zip(self._contents(inputs), self._contents(inputs, other), strict=True):
            for left, right in zip(one, two, strict=True):
                require(torch.equal(left, right), "an encoder with the same state dict gives other tokens")

    def test_runs_in_bfloat16(self) -> None:
        encoder = copy.deepcopy(self.encoder).to(torch.bfloat16)
        states = self._states(self.make_inputs(), encoder)
        require(states[-1].tokens.dtype == torch.bfloat16, f"bfloat16 weights give {states[-1].tokens.dtype} tokens")
        require(bool(states[-1].tokens.isfinite().all()), "the tokens are not finite in bfloat16")

    def _states(self, inputs: Mapping[str, Tensor], encoder: Encoder | None = None) -> list[EncoderState]:
        """After embed and after each block."""
        encoder = encoder or self.encoder
        with torch.no_grad():
            states = [encoder.embed(inputs)]
            for index in range(encoder.depth):
                states.append(encoder.run_block(index, states[-1]))
        return states

    def _contents(self, inputs: Mapping[str, Tensor], encoder: Encoder | None = None) -> list[list[Tensor]]:
        """The finished tokens that a task would read, by clip and segment: padding is left out."""
        encoder = encoder or self.encoder
        state = self._states(inputs, encoder)[-1]
        with torch.no_grad():
            stream = to_stream(state, encoder.finish(state), inputs["present"])
        return [
            [tokens[mask] for tokens, mask in zip(clip, masks, strict=True)]
            for clip, masks in zip(stream.tokens, stream.mask, strict=True)
        ]

    def _require_same(self, one: list[Tensor], two: list[Tensor], what: str) -> None:
        for segment, (left, right) in enumerate(zip(one, two, strict=True)):
            require_close(left, right, self.tolerance, f"{what}, segment {segment}")

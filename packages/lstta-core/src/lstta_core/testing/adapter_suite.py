"""What every adapter at a stage must keep, whatever it computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import ClassVar
from unittest import SkipTest

import torch

from lstta_core.interfaces import Adapter, AdapterOutput, Modality, Stream, Streams
from lstta_core.testing.inputs import absent, synthetic_streams
from lstta_core.testing.suite import Conformance, require, require_close

LANGUAGE = Modality.LANGUAGE
WIDTHS = {Modality.VISUAL: 5, Modality.AUDIO: 7, LANGUAGE: 13}
TRAINED = (
    *("test_shapes_and_masks_are_kept", "test_importances_are_in_range", "test_awake_adapter_does_something"),
    *(
        "test_order_of_the_batch_does_not_matter",
        "test_clips_do_not_see_each_other",
        "test_state_dict_holds_everything",
    ),
    "test_gradients_are_finite_where_nothing_is_seen",
)
"""Checks after steps of training, which an adapter that changes its input may not get through."""


class AdapterConformance(Conformance):
    """Checks of an adapter. A subclass gives ``make_adapter``.

    Attributes:
        tolerance: how far two ways to the same numbers may be apart, relative to the largest value (at least 1).
    """

    tolerance: ClassVar[float] = 1e-5
    rests_on: ClassVar[Mapping[str, Sequence[str]]] = {
        **dict.fromkeys(TRAINED, ("test_streams_stay_as_they_are",)),
        "test_fresh_adapter_is_the_identity_in_train_mode": ("test_fresh_adapter_is_the_identity",),
        "test_missing_modalities_work_or_are_refused": (
            *("test_fresh_adapter_is_the_identity", "test_importances_are_in_range"),
        ),
        "test_absent_clips_work": ("test_streams_stay_as_they_are", "test_shapes_and_masks_are_kept"),
        "test_masked_tokens_are_left_alone": ("test_absent_clips_work",),
        "test_content_of_padding_does_not_matter": (
            *("test_masked_tokens_are_left_alone", "test_importances_are_in_range"),
            "test_order_of_the_batch_does_not_matter",
        ),
        "test_amount_of_padding_does_not_matter": ("test_content_of_padding_does_not_matter",),
        "test_gradients_reach_every_parameter": ("test_awake_adapter_does_something",),
        "test_an_answer_is_read_by_nobody": ("test_content_of_padding_does_not_matter",),
        "test_an_answer_may_come_later": ("test_an_answer_is_read_by_nobody",),
    }

    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        """A new adapter for streams of these widths; ``last`` where the readout follows.

        Raises:
            ValueError: the adapter does not work with these modalities.
        """
        raise NotImplementedError

    def make_streams(
        self, widths: Mapping[Modality, int], *, text_segments: int = 1, dtype: torch.dtype = torch.float32
    ) -> Streams:
        """Streams of three clips, with padding."""
        return synthetic_streams(widths, text_segments=text_segments, dtype=dtype)

    def test_fresh_adapter_is_the_identity(self) -> None:
        for dtype in (torch.float32, torch.bfloat16):
            for text_segments in (1, 5):
                adapter = self.make_adapter(WIDTHS, last=True).eval().to(dtype)
                streams = self.make_streams(WIDTHS, text_segments=text_segments, dtype=dtype)
                _require_equal(adapter(streams), streams, f"fresh, {dtype}, text of {text_segments} segments")

    def test_fresh_adapter_is_the_identity_in_train_mode(self) -> None:
        streams = self.make_streams(WIDTHS)
        _require_equal(self.make_adapter(WIDTHS, last=True).train()(streams), streams, "fresh, in train mode")

    def test_shapes_and_masks_are_kept(self) -> None:
        streams = self.make_streams(WIDTHS)
        output = self._awake()(streams)
        require(output.streams.keys() == streams.keys(), f"given {list(streams)}, returned {list(output.streams)}")
        for modality, stream in streams.items():
            after = output.streams[modality]
            shapes = tuple(after.tokens.shape), tuple(stream.tokens.shape)
            require(shapes[0] == shapes[1], f"{modality} tokens became {shapes[0]}, they were {shapes[1]}")
            require(after.tokens.dtype == stream.tokens.dtype, f"{modality} tokens became {after.tokens.dtype}")
            require(torch.equal(after.mask, stream.mask), f"the adapter changed the {modality} mask")
            require(torch.equal(after.present, stream.present), f"the adapter changed {modality} present")

    def test_importances_are_in_range(self) -> None:
        streams = self.make_streams(WIDTHS)
        for modality, importance in self._awake()(streams).importances.items():
            wanted = tuple(streams[modality].tokens.shape[:2])
            require(
                tuple(importance.shape) == wanted, f"{modality} importances {tuple(importance.shape)}, not {wanted}"
            )
            inside = (importance > 0) & importance.isfinite()
            require(bool(inside.all()), f"{modality} importances are not all above 0 and finite")

    def test_streams_stay_as_they_are(self) -> None:
        streams = self.make_streams(WIDTHS)
        before = {m: stream.tokens.clone() for m, stream in streams.items()}
        self._awake()(streams)
        for modality, tokens in before.items():
            require(torch.equal(streams[modality].tokens, tokens), f"the adapter changed {modality} tokens in place")

    def test_masked_tokens_are_left_alone(self) -> None:
        for text_segments in (1, 5):
            streams = self.make_streams(WIDTHS, text_segments=text_segments)
            streams = {m: absent(stream, [i]) for i, (m, stream) in enumerate(streams.items())}
            after = self._awake()(streams).streams
            for modality, stream in streams.items():
                hidden = ~stream.mask
                require(
                    torch.equal(after[modality].tokens[hidden], stream.tokens[hidden]),
                    f"{modality} tokens under a false mask were changed",
                )

    def test_awake_adapter_does_something(self) -> None:
        streams = self.make_streams(WIDTHS)
        after = self._awake()(streams).streams
        changed = [m for m, stream in streams.items() if not torch.equal(after[m].tokens, stream.tokens)]
        require(bool(changed), "after three steps of training no token is changed")

    def test_content_of_padding_does_not_matter(self) -> None:
        streams = self.make_streams(WIDTHS)
        streams = {m: absent(stream, [i]) for i, (m, stream) in enumerate(streams.items())}
        adapter = self._awake()
        _require_same_content(adapter(streams), adapter(_other_padding(streams)), self.tolerance, "other padding")

    def test_amount_of_padding_does_not_matter(self) -> None:
        streams = self.make_streams(WIDTHS)
        longer = {m: _with_padding(stream, tokens=2) for m, stream in streams.items()}
        adapter = self._awake()
        one, two = adapter(streams), adapter(longer)
        cut = {
            m: replace(s, tokens=two.streams[m].tokens[:, :, : s.tokens.shape[2]], mask=s.mask)
            for m, s in streams.items()
        }
        _require_same_content(one, replace(two, streams=cut), self.tolerance, "more padding")

    def test_order_of_the_batch_does_not_matter(self) -> None:
        streams = self.make_streams(WIDTHS)
        adapter, order = self._awake(), [2, 0, 1]
        whole, turned = adapter(streams), adapter(_clips(streams, order))
        _require_same_content(_clips_of(whole, order), turned, self.tolerance, "another order of the batch")

    def test_clips_do_not_see_each_other(self) -> None:
        streams = self.make_streams(WIDTHS)
        adapter = self._awake()
        whole = adapter(streams)
        for clip in range(3):
            alone = adapter(_clips(streams, [clip]))
            _require_same_content(_clips_of(whole, [clip]), alone, self.tolerance, f"clip {clip} alone")

    def test_gradients_reach_every_parameter(self) -> None:
        for last in (False, True):
            for text_segments in (1, 5):
                self.gradients_reach(steps=2, last=last, text_segments=text_segments)

    def gradients_reach(
        self, *, steps: int, last: bool, text_segments: int, widths: Mapping[Modality, int] = WIDTHS
    ) -> None:
        """Fail unless every parameter that requires a gradient has one by step ``steps`` of plain SGD."""
        adapter = self.make_adapter(widths, last=last).train()
        _train(adapter, self.make_streams(widths, text_segments=text_segments), steps=steps)
        without = [
            name
            for name, parameter in adapter.named_parameters()
            if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
        ]
        where = f"last={last}, text of {text_segments} segments, {[str(m) for m in widths]}"
        require(not without, f"no gradient by step {steps} ({where}): {without}")

    def test_gradients_are_finite_where_nothing_is_seen(self) -> None:
        streams = self.make_streams(WIDTHS)
        streams = {m: absent(stream, [0, 1, 2]) for m, stream in streams.items()}
        tokens = {m: stream.tokens.clone().requires_grad_() for m, stream in streams.items()}
        adapter = self._awake()
        after = adapter({m: stream.with_tokens(tokens[m]) for m, stream in streams.items()})
        _loss(after).backward()
        for modality, leaf in tokens.items():
            require(leaf.grad is None or bool(leaf.grad.isfinite().all()), f"{modality}: a gradient is not finite")
        for name, parameter in adapter.named_parameters():
            finite = parameter.grad is None or bool(parameter.grad.isfinite().all())
            require(finite, f"{name}: the gradient is not finite")

    def test_state_dict_holds_everything(self) -> None:
        streams = self.make_streams(WIDTHS)
        one, two = self._awake(), self.make_adapter(WIDTHS, last=True).eval()
        two.load_state_dict(one.state_dict())
        for modality, stream in one(streams).streams.items():
            same = torch.equal(stream.tokens, two(streams).streams[modality].tokens)
            require(same, f"an adapter with the same state dict gives other {modality} tokens")

    def test_an_answer_is_read_by_nobody(self) -> None:
        streams = with_answer(self.make_streams(WIDTHS))
        adapter = self._awake()
        one = adapter(streams)
        text = streams[LANGUAGE]
        assert text.answer is not None
        for place in text.answer.any(0).flatten().nonzero().flatten().tolist():
            tokens = text.tokens.clone()
            tokens[:, :, place] += 3.0
            two = adapter({**streams, LANGUAGE: text.with_tokens(tokens)})
            for modality, stream in one.streams.items():
                left, right = stream.tokens, two.streams[modality].tokens
                if modality == LANGUAGE:
                    left, right = (torch.cat([t[:, :, :place], t[:, :, place + 1 :]], 2) for t in (left, right))
                require(torch.equal(left, right), f"token {place} of an answer changed other {modality} tokens")
            for modality, importance in one.importances.items():
                same = torch.equal(importance, two.importances[modality])
                require(same, f"token {place} of an answer changed the {modality} importances")

    def test_an_answer_may_come_later(self) -> None:
        streams = with_answer(self.make_streams(WIDTHS), places=3)
        adapter = self._awake()
        whole = adapter(streams).streams[LANGUAGE].tokens
        before, later = ({m: _cut(s, part) for m, s in streams.items()} for part in (slice(-3), slice(-3, None)))
        output = adapter(before)
        spoken = adapter.speak(later[LANGUAGE], before if output.heard is None else output.heard)
        spoken_too = later[LANGUAGE].changeable
        require_close(
            spoken.tokens[spoken_too], whole[:, :, -3:][spoken_too], self.tolerance, "an answer that comes later"
        )

    def test_what_is_listened_to_adds_up(self) -> None:
        streams = with_answer(self.make_streams(WIDTHS))
        adapter = self._awake()
        output = adapter(streams)
        heard = streams if output.heard is None else output.heard
        shares = adapter.listened(streams[LANGUAGE], heard)
        if not shares:
            raise SkipTest("the adapter does not tell what a text listens to")
        texts, segments = streams[LANGUAGE].tokens.shape[2], next(iter(streams.values())).tokens.shape[1]
        for modality, share in shares.items():
            wanted = (len(share), texts, segments)
            require(tuple(share.shape) == wanted, f"{modality} is listened to with {tuple(share.shape)}, not {wanted}")
            require(bool((share >= 0).all()), f"a segment of {modality} is listened to less than not at all")
        total = torch.stack([share.sum(-1) for share in shares.values()]).sum(0)
        require_close(total, torch.ones_like(total), self.tolerance, "all that a token listens to, and 1")

    def test_missing_modalities_work_or_are_refused(self) -> None:
        for count in (1, 2):
            for modalities in combinations(WIDTHS, count):
                widths = {m: WIDTHS[m] for m in modalities}
                try:
                    adapter = self.make_adapter(widths, last=True)
                except ValueError:
                    continue
                streams = self.make_streams(widths)
                _require_equal(adapter.eval()(streams), streams, f"fresh, with {[str(m) for m in modalities]} alone")

    def test_absent_clips_work(self) -> None:
        adapter = self._awake()
        for gone in WIDTHS:
            streams = self.make_streams(WIDTHS)
            streams[gone] = absent(streams[gone], [0, 2])
            for modality, stream in adapter(streams).streams.items():
                require(bool(stream.tokens.isfinite().all()), f"without {gone} the {modality} tokens are not finite")

    def _awake(self) -> Adapter:
        """An adapter that is no longer the identity: after three steps of SGD, in eval mode."""
        adapter = self.make_adapter(WIDTHS, last=True).train()
        _train(adapter, self.make_streams(WIDTHS), steps=3)
        adapter.zero_grad()
        return adapter.eval()


def with_answer(streams: Streams, places: int = 2) -> Streams:
    """The streams with the last tokens of the text as its answer."""
    text = streams[LANGUAGE]
    answer = torch.zeros_like(text.mask)
    answer[:, :, -places:] = True
    return {**streams, LANGUAGE: replace(text, mask=text.mask & ~answer, answer=answer)}


def _cut(stream: Stream, part: slice) -> Stream:
    """Some of a text's tokens; other streams as they are."""
    if stream.answer is None:
        return stream
    return replace(
        stream, tokens=stream.tokens[:, :, part], mask=stream.mask[:, :, part], answer=stream.answer[:, :, part]
    )


def _train(adapter: Adapter, streams: Streams, *, steps: int) -> None:
    """So many steps of SGD; the gradients of the last one stay."""
    optimizer = torch.optim.SGD(adapter.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        _loss(adapter(streams)).backward()
        optimizer.step()


def _loss(output: AdapterOutput) -> torch.Tensor:
    """A mean over what tasks read, weighted at random, the importances as a readout uses them, and what is carried."""
    random = torch.Generator().manual_seed(1)
    total = torch.zeros(())
    for stream in output.streams.values():
        weights = torch.randn(stream.tokens.shape, generator=random)
        total = total + (stream.tokens * weights * stream.mask[..., None]).mean()
    for carried in (stream.carried for stream in output.streams.values() if stream.carried is not None):
        total = total + (carried * torch.randn(carried.shape, generator=random)).mean()
    for importance in output.importances.values():
        total = total + (importance.log() * torch.randn(importance.shape, generator=random)).mean()
    return total


def _require_equal(output: AdapterOutput, streams: Streams, what: str) -> None:
    for modality, stream in streams.items():
        same = torch.equal(output.streams[modality].tokens, stream.tokens)
        require(same, f"{what}: the {modality} tokens differ from the input")


def _require_same_content(one: AdapterOutput, two: AdapterOutput, tolerance: float, what: str) -> None:
    for modality, stream in one.streams.items():
        other = two.streams[modality].tokens[stream.mask]
        require_close(stream.tokens[stream.mask], other, tolerance, f"{what}: {modality} tokens")
        if modality in one.importances:
            seen = stream.mask.any(-1)
            importances = one.importances[modality][seen], two.importances[modality][seen]
            require_close(*importances, tolerance, f"{what}: {modality} importances")


def _other_padding(streams: Streams) -> Streams:
    random = torch.Generator().manual_seed(2)
    return {
        m: stream.with_tokens(
            stream.tokens.where(stream.mask[..., None], 9 * torch.randn(stream.tokens.shape, generator=random))
        )
        for m, stream in streams.items()
    }


def _with_padding(stream: Stream, *, tokens: int) -> Stream:
    pad = torch.nn.functional.pad
    return Stream(pad(stream.tokens, (0, 0, 0, tokens), value=3.0), pad(stream.mask, (0, tokens)), stream.present)


def _clips(streams: Streams, order: list[int]) -> Streams:
    return {m: Stream(s.tokens[order], s.mask[order], s.present[order]) for m, s in streams.items()}


def _clips_of(output: AdapterOutput, order: list[int]) -> AdapterOutput:
    return AdapterOutput(_clips(output.streams, order), {m: g[order] for m, g in output.importances.items()})

"""Tokens between blocks: as encoders have them, as adapters see them, and where in time they belong.

An encoder works on rows of its own choice: a frame, a segment, a whole clip. Adapters work on segments. A layout knows
which token of which row belongs to which segment; −1 stands for tokens that belong to none (class and register
tokens, padding, what lies past the clip's end): those stay in the rows and are not adapted.

The letters of shapes are those of ``interfaces``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from lstta_core.modality import TIMED, Modality
from lstta_core.ragged import gathered, places, scattered


@dataclass(frozen=True)
class Stream:
    """The tokens of one modality as adapters see them.

    Attributes:
        tokens: (B, S, N, D), floating point. Values under a false mask are unspecified and must not matter.
        mask: (B, S, N), bool, true for tokens that adapters may read and change.
        present: (B,), bool, false for clips that do not have this modality. Where it is false the mask is false too.
        carried: (B, S, N, …), what the adapter at the adapted stage before has left for this one beside the tokens;
            None where it has left nothing, as most do.
        answer: (B, 1, N), bool, of a text that speaks: tokens of the answer, which are under a false ``mask``. An
            adapter may change them by what they are and by what it reads; nothing else may depend on them. None for
            streams without an answer, as most are.
    """

    tokens: Tensor
    mask: Tensor
    present: Tensor
    carried: Tensor | None = None
    answer: Tensor | None = None

    @property
    def changeable(self) -> Tensor:
        """(B, S, N), bool: what may be read and changed, and the answer, which may be changed alone."""
        return self.mask if self.answer is None else self.mask | self.answer

    def with_tokens(self, tokens: Tensor) -> Stream:
        """The same stream with other token values of the same shape (B, S, N, D)."""
        if tokens.shape != self.tokens.shape:
            raise ValueError(
                f"an adapter may not change the shape of a stream: it was {tuple(self.tokens.shape)}, "
                f"it would become {tuple(tokens.shape)}"
            )
        return replace(self, tokens=tokens)


Streams = dict[Modality, Stream]
"""One stream for each modality that the model has."""


@dataclass(frozen=True)
class Layout:
    """The segment of every token of an encoder's rows.

    Rows of one clip follow each other: clip b owns rows ``b * rows_per_clip`` to ``(b + 1) * rows_per_clip``.

    Attributes:
        segment: (R, M), int64, −1 for tokens that belong to no segment.
        segments: S, how many segments a clip has.
        rows_per_clip: R / B.
        index: (B, S, N), int64, or None where rows read in order *are* the segments read in order. Otherwise the place
            of each stream token among the ``rows_per_clip * M`` tokens of its clip; padding points at place 0.
        filled: (B, S, N), bool, or None with ``index``: which places of ``index`` are not padding.
    """

    segment: Tensor
    segments: int
    rows_per_clip: int
    index: Tensor | None = None
    filled: Tensor | None = None

    @classmethod
    def regular(cls, segment: Tensor, segments: int, rows_per_clip: int) -> Layout:
        """Tokens that lie in order: the j-th of S equal parts of a clip's tokens holds segment j, and −1, alone.

        This is the layout of every encoder whose rows are segments or frames, and of whole-clip encoders whose
        tokens divide evenly; streams are then views and cost nothing. The claim is not checked here, since looking
        at values would wait for the device; ``lstta_core.testing`` checks it for every encoder.
        """
        rows, tokens = segment.shape
        if rows % rows_per_clip or (rows_per_clip * tokens) % segments:
            raise ValueError(
                f"{rows} rows of {tokens} tokens, {rows_per_clip} rows a clip, do not divide into "
                f"{segments} segments: use Layout.ragged"
            )
        return cls(segment, segments, rows_per_clip)

    @classmethod
    def ragged(cls, segment: Tensor, segments: int, rows_per_clip: int, width: int | None = None) -> Layout:
        """Any assignment of tokens to segments; segments with fewer tokens than the longest are padded.

        ``width`` is N, where the caller knows it; otherwise that of the batch's longest segment (waits for the device).

        Raises:
            ValueError: rows do not divide into clips, or a segment has more than ``width`` tokens.
        """
        return cls(segment, segments, rows_per_clip, *places(segment, segments, rows_per_clip, width))

    def to_segments(self, values: Tensor) -> Tensor:
        """(R, M, …) to (B, S, N, …). Padding places hold values of no meaning; see :meth:`mask`."""
        if self.index is not None:
            return gathered(values, self.index)
        clips = self.segment.shape[0] // self.rows_per_clip
        return values.reshape(clips, self.segments, -1, *values.shape[2:])

    def to_rows(self, values: Tensor, original: Tensor) -> Tensor:
        """(B, S, N, D) back to (R, M, D), in the dtype of ``original``.

        In a ragged layout tokens that belong to no segment keep their value of ``original``. In a regular one they are
        part of the stream, under a false mask, and adapters return them as they were.
        """
        if self.index is None:
            return values.reshape(original.shape).to(original.dtype)
        assert self.filled is not None
        return scattered(values, original, self.index, self.filled)

    def mask(self, valid: Tensor) -> Tensor:
        """(B, S, N), bool: the stream's mask, given which tokens hold content (R, M)."""
        adaptable = self.to_segments(valid & (self.segment >= 0))
        return adaptable if self.filled is None else adaptable & self.filled


@dataclass(frozen=True)
class EncoderState:
    """What one block of an encoder hands to the next.

    Attributes:
        tokens: (R, M, D).
        mask: (R, M), bool, true for tokens that hold content (not padding).
        layout: the segment of every token, see :class:`Layout`. May change from block to block.
        extras: what later blocks need besides the tokens: an attention mask, rotary tables, a position bias.
        answer: (R, M), bool, which tokens of a text that speaks are the answer; None where none can be.
    """

    tokens: Tensor
    mask: Tensor
    layout: Layout
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    answer: Tensor | None = None

    def with_tokens(self, tokens: Tensor) -> EncoderState:
        """The same state with other token values of the same shape (R, M, D)."""
        return replace(self, tokens=tokens)


def joined(text: Stream, later: Stream) -> Stream:
    """A text that speaks with more of its answer at its end."""
    assert text.answer is not None
    assert later.answer is not None
    carried = None
    if text.carried is not None and later.carried is not None:
        carried = torch.cat([text.carried, later.carried], 2)
    return Stream(
        tokens=torch.cat([text.tokens, later.tokens], 2),
        mask=torch.cat([text.mask, later.mask], 2),
        present=text.present,
        carried=carried,
        answer=torch.cat([text.answer, later.answer], 2),
    )


def ending(text: Stream, later: Stream) -> Stream:
    """Of a text that was joined with more at its end, that end."""
    count = later.tokens.shape[2]
    carried = None if text.carried is None else text.carried[:, :, -count:]
    return replace(later, tokens=text.tokens[:, :, -count:], carried=carried)


def check_streams(streams: Streams) -> None:
    """Raise a ValueError that names the modality, the attribute and both shapes where streams do not fit together."""
    batches = {modality: stream.tokens.shape[0] for modality, stream in streams.items()}
    if len(set(batches.values())) > 1:
        raise ValueError(f"the streams differ in batch size: {batches}")
    for modality, stream in streams.items():
        batch, segments, tokens, _ = stream.tokens.shape
        if stream.mask.shape != (batch, segments, tokens):
            raise ValueError(
                f"{modality} mask must have shape {(batch, segments, tokens)}, got {tuple(stream.mask.shape)}"
            )
        if stream.present.shape != (batch,):
            raise ValueError(f"{modality} present must have shape {(batch,)}, got {tuple(stream.present.shape)}")
        if stream.mask.dtype != torch.bool or stream.present.dtype != torch.bool:
            raise ValueError(f"{modality} mask and present must be bool")
        if stream.answer is not None and (stream.answer.shape != (batch, 1, tokens) or modality in TIMED):
            raise ValueError(
                f"{modality} answer must have shape {(batch, 1, tokens)} and be of a text, "
                f"got {tuple(stream.answer.shape)}: a text that speaks belongs to the whole clip"
            )

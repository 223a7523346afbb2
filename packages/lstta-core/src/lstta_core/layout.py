"""Where in time an encoder's tokens belong, and the way from rows of tokens to segments and back.

An encoder works on rows of its own choice: a frame, a segment, a whole clip. Adapters work on segments. A layout knows
which token of which row belongs to which segment; −1 stands for tokens that belong to none (class and register
tokens, padding, what lies past the clip's end): those stay in the rows and are not adapted.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lstta_core.ragged import gathered, places, scattered


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

        Args:
            segment: (R, M), int64.
            segments: S.
            rows_per_clip: R / B.
            width: N, where the caller knows it; otherwise the longest segment of the batch (waits for the device).

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

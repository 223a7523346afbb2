"""Segments as clips of their own, for whoever says something of each segment and not of the clip. Our choice."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from lstta_core.interfaces import TIMED, Modality, Stream, TrimodalOutput


def by_segment(output: TrimodalOutput, of: Collection[Modality] = TIMED) -> TrimodalOutput:
    """What a :class:`~lstta_core.readout.Readout` reads segment by segment: it gives (B · T, E), clip after clip.

    Sight and sound become (B · T, 1, N, D). A text of the whole clip stands beside each of its segments, a text of
    segments beside its own. There are no importances: those weigh the segments of a clip against each other, and all
    tokens of one segment alike.

    Args:
        output: of the lockstep model, with sight or sound.
        of: which of the two may be read; of the other nothing is seen, as of a clip that lacks it.

    Raises:
        ValueError: it has neither sight nor sound, so that there are no segments.
    """
    segments = segments_of(output)
    streams = {}
    for modality, stream in output.streams.items():
        tokens, mask = stream.tokens, stream.mask
        if modality not in TIMED and tokens.shape[1] == 1:
            tokens, mask = tokens.expand(-1, segments, -1, -1), mask.expand(-1, segments, -1)
        if modality in TIMED and modality not in of:  # one token that nobody sees is as good as many
            tokens, mask = tokens[:, :, :1], torch.zeros_like(mask[:, :, :1])
        present = stream.present.repeat_interleave(segments)
        streams[modality] = Stream(tokens.flatten(0, 1)[:, None], mask.flatten(0, 1)[:, None], present)
    return TrimodalOutput(streams, [])


def segments_of(output: TrimodalOutput) -> int:
    """T of an output's clips. Raises as :func:`by_segment` does."""
    for modality in TIMED:
        if modality in output.streams:
            return output.streams[modality].tokens.shape[1]
    raise ValueError(f"segments are of sight or of sound, and the model reads {', '.join(output.streams)} alone")


def seen_segments(output: TrimodalOutput, of: Collection[Modality] = TIMED) -> Tensor:
    """(B, T), bool: the segments of which there is something to see or to hear, in the modalities ``of``."""
    seen = [output.streams[m].mask.any(-1) for m in TIMED if m in of and m in output.streams]
    if not seen:
        raise ValueError(f"one of {', '.join(of)} is wanted, the model reads {', '.join(output.streams)}")
    return seen[0] if len(seen) == 1 else seen[0] | seen[1]

"""An encoder that computes nothing: features from a file are its tokens, and adapters stand after them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal, final

import torch
from torch import Tensor

from lstta_core.counts import check_counts
from lstta_core.interfaces import Encoder, EncoderState, FeatureSpec, Modality
from lstta_core.streams import Layout
from lstta_tasks.features.files import FeatureFile


class Precomputed(Encoder):
    """Tokens from a file, as :class:`~lstta_tasks.features.files.FeatureFile` reads them. Rows are segments. Subclasses
    are final and say whose modality the features are of.

    It has no weights. Its blocks change nothing: they are the places between which adapters stand, one after the other
    behind the features. What adapters are bound to is ``of`` and ``width``; the file may be another.

    Args:
        path: of the file or folder; needed only where features are read.
        width: D, of a feature.
        depth: how many blocks there are: with as many stages, so many adapters stand behind the features.
        tokens: of a segment at most; where it has more, neighbours are averaged.
        named: whether ids are clips', samples' (as of questions), or those of the videos that clips are parts of: the
            name of the video's file without its ending.
        of: what made the features, such as an encoder; None where nobody says. A file that says another is refused.
        inside, ids, channels_first, seconds, not_finite: see :class:`~lstta_tasks.features.files.FeatureFile`.
    """

    def __init__(
        self,
        *,
        path: str,
        width: int,
        depth: int = 1,
        tokens: int = 1,
        named: Literal["clip", "sample", "video"] = "clip",
        of: str | None = None,
        inside: str = "",
        ids: str | None = None,
        channels_first: bool = False,
        seconds: float | None = None,
        not_finite: Literal["refuse", "zero"] = "refuse",
    ) -> None:
        super().__init__()
        check_counts(width=width, depth=depth, tokens=tokens)
        self.widths = (width,) * depth
        source = FeatureFile(
            path,
            width=width,
            inside=inside,
            ids=ids,
            channels_first=channels_first,
            seconds=seconds,
            not_finite=not_finite,
            of=of,
        )
        self.spec = FeatureSpec(source=source, width=width, tokens=tokens, named=named, of=of)
        self.name = of
        # Bytes as numbers, which every type of floats has: an encoder is known by its state, and this one has no other.
        said = hashlib.sha256(f"{self.modality} {width} {of or ''}".encode()).digest()
        self.identity: Tensor
        self.register_buffer("identity", torch.tensor(list(said), dtype=torch.float32))

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        clips, segments, _ = inputs["mask"].shape
        mask = inputs["mask"].flatten(0, 1)
        tokens = inputs["features"].flatten(0, 1).to(self.identity.dtype)
        own = torch.arange(segments, device=mask.device).repeat(clips)[:, None]
        layout = Layout.regular(torch.where(mask, own, -1), segments=segments, rows_per_clip=segments)
        return EncoderState(tokens, mask, layout)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state

    def finish(self, state: EncoderState) -> Tensor:
        return state.tokens


@final
class PrecomputedVisual(Precomputed):
    """Features of pictures."""

    modality = Modality.VISUAL


@final
class PrecomputedAudio(Precomputed):
    """Features of sound."""

    modality = Modality.AUDIO


@final
class PrecomputedLanguage(Precomputed):
    """Features of texts."""

    modality = Modality.LANGUAGE

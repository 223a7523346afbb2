"""An audio encoder of any family: segments by themselves, or clips as wholes, in windows of the native length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_backbone_transformers.advance import advance
from lstta_backbone_transformers.body import Body
from lstta_backbone_transformers.family import AudioFamily
from lstta_backbone_transformers.sound import rows_of
from lstta_core.interfaces import AudioSpec, Encoder, EncoderState, Modality
from lstta_core.streams import Layout


@final
class AudioEncoder(Encoder):
    """Sound in, tokens of the library's model out. A token belongs to the segment that sounds at its centre.

    Args:
        model: the library's audio model.
        family: its declaration.
        settings: of the checkpoint's feature extractor.
        span: ``"segment"`` to hear each segment by itself, ``"clip"`` to hear the clip as a whole.
        seconds: cut the position table to this length (Whisper), see ``WhisperFront``; or the length of a picture.
        longest: the longest sound of a row, in seconds, where it is known: without ``seconds`` the table is cut to it.
        name: hub id or folder.
        revision: of the hub.
        licence: of the weights, where their card says it.
    """

    modality = Modality.AUDIO
    spec: AudioSpec

    def __init__(
        self,
        *,
        model: nn.Module,
        family: AudioFamily,
        settings: Mapping[str, Any] | None = None,
        span: Literal["segment", "clip"] = "clip",
        seconds: float | None = None,
        longest: float | None = None,
        name: str = "",
        revision: str | None = None,
        licence: str | None = None,
    ) -> None:
        super().__init__()
        if span not in ("segment", "clip"):
            raise ValueError(f"span must be 'segment' or 'clip', got {span!r}")
        config: Any = model.config
        self.name, self.revision, self.licence = name, revision, licence
        self.model = model
        self.family = family
        self.body = Body(model=model, family=family)
        self.front = family.front(config, settings or {}, seconds)
        if seconds is None and longest is not None:
            self.front.cut(longest)
        if said := self.front.said():  # as bits, which no cast rounds
            self.register_buffer("said", torch.tensor(said, dtype=torch.float64).view(torch.int64))
        window, rate = self.front.window, self.front.sample_rate
        self.spec = AudioSpec(
            sample_rate=rate,
            span=span,
            seconds=None if window is None else window / rate,
            padding_invariant=self.front.padding_invariant,
        )
        self.widths = self.body.widths(family.width(config))

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        sound, prefix = inputs["sound"], self.front.prefix
        segments, samples = sound.shape[1:]
        rows = rows_of(sound, inputs["length"], span=self.spec.span, window=self.front.window)
        dtype = next(p.dtype for p in self.model.parameters() if p.is_floating_point())
        with torch.autocast(sound.device.type, enabled=False):
            features = self.front.features(rows.wave, rows.length)
        features = {name: value.to(dtype) if value.is_floating_point() else value for name, value in features.items()}
        tokens, extras = self.body.start(features)
        centres = self.front.centres(rows.wave.shape[1]).to(sound.device)
        heard = self.front.heard(centres, rows.length)
        segment = torch.where(heard, rows.segments_at(centres), -1)
        segment, mask = F.pad(segment, (prefix, 0), value=-1), F.pad(heard, (prefix, 0), value=True)
        # A fixed length that segments do not fill is left out of the streams; else rows of segments are regular.
        fills = self.front.window is None or 2 * samples >= self.front.window
        layout = Layout.regular if self.spec.span == "segment" and fills else Layout.ragged
        return EncoderState(tokens, mask, layout(segment, segments, rows.rows_per_clip), extras)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return advance(self.body, index, state)

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor] | None:
        return self.body.more_tokens(extras, count)

    def block(self, index: int) -> nn.Module:
        return self.body.steps[index].block

    def finish(self, state: EncoderState) -> Tensor:
        return self.body.finish(state.tokens)

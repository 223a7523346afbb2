"""A visual encoder of any family: pictures frame by frame, or video over all of a clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_backbone_transformers.advance import advance
from lstta_backbone_transformers.body import Body
from lstta_backbone_transformers.family import VisualFamily
from lstta_backbone_transformers.perception import with_class
from lstta_backbone_transformers.pixels import Pixels, check_size, frame_size
from lstta_core.interfaces import Encoder, EncoderState, Modality, VisualSpec
from lstta_core.streams import Layout


@final
class VisualEncoder(Encoder):
    """Frames in, tokens of the library's model out.

    A picture family makes one row of each frame, B·T·F in all. A video family (VideoMAE) makes one row of each window
    of frames that its position table allows; the last window of a clip is filled up with its last frame. PE-AV makes
    one row of a clip, and one token of a frame.

    Args:
        model: the library's vision model.
        family: its declaration.
        settings: of the checkpoint's image processor.
        size: (height, width) of frames where it is to differ from the checkpoint's; positions are interpolated.
        frames_per_segment: F. A video family needs whole tubelets and takes one where nothing is said.
        name: hub id or folder.
        revision: of the hub.
        licence: of the weights, where their card says it.

    Raises:
        ValueError: the size is not one that the architecture accepts, or F does not divide into tubelets.
    """

    modality = Modality.VISUAL
    spec: VisualSpec

    def __init__(
        self,
        *,
        model: nn.Module,
        family: VisualFamily,
        settings: Mapping[str, Any] | None = None,
        size: tuple[int, int] | None = None,
        frames_per_segment: int | None = None,
        name: str = "",
        revision: str | None = None,
        licence: str | None = None,
    ) -> None:
        super().__init__()
        config: Any = model.config
        settings = settings or {}
        self.name, self.revision, self.licence = name, revision, licence
        self.model = model
        self.family = family
        self.window, self.tubelet = family.window(config) if family.window else (1, 1)
        frames = self.tubelet if frames_per_segment is None else frames_per_segment
        size = frame_size(family, config, settings, size)
        _check(family, config, size, frames, self.tubelet)
        self.body = Body(model=model, family=family, size=size)
        self.pixels = Pixels(family=family, settings=settings)
        self.prefix = family.prefix(config)
        span: Literal["segment", "clip"] = "clip" if family.window or family.whole else "segment"
        self.spec = VisualSpec(size=size, frames_per_segment=frames, span=span)
        self.widths = self.body.widths(family.width(config))

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        frames, mask = inputs["frames"], inputs["mask"]
        if frames.shape[2:] != (self.spec.frames_per_segment, *self.spec.size, 3):
            raise ValueError(
                f"frames must be (B, T, {self.spec.frames_per_segment}, {self.spec.size[0]}, {self.spec.size[1]}, 3) "
                f"for {self.name or self.family.model_type}, got {tuple(frames.shape)}"
            )
        if self.family.whole:
            return self._embed_whole(frames, mask)
        return self._embed_video(frames, mask) if self.family.window else self._embed_pictures(frames, mask)

    def _embed_pictures(self, frames: Tensor, mask: Tensor) -> EncoderState:
        batch, segments, per_segment = mask.shape
        tokens, extras = self._start(frames.flatten(0, 2))
        segment = torch.arange(segments, device=tokens.device).repeat_interleave(per_segment).repeat(batch)
        segment = segment[:, None].repeat(1, tokens.shape[1])
        segment[:, : self.prefix] = -1
        layout = Layout.regular(segment, segments, segments * per_segment)
        return EncoderState(tokens, mask.flatten()[:, None].expand_as(segment), layout, extras)

    def _embed_whole(self, frames: Tensor, mask: Tensor) -> EncoderState:
        segments, per_segment = mask.shape[1:]
        mask = with_class(mask.flatten(1))
        tokens, extras = self._start(frames.flatten(1, 2), mask=mask)
        segment = torch.arange(segments, device=mask.device).repeat_interleave(per_segment).expand(len(mask), -1)
        segment = F.pad(segment, (1, 0), value=-1)
        return EncoderState(tokens, mask, Layout.ragged(segment, segments, 1, per_segment), extras)

    def _embed_video(self, frames: Tensor, mask: Tensor) -> EncoderState:
        batch, segments, per_segment = mask.shape
        windows = -(-segments * per_segment // self.window)
        missing = windows * self.window - segments * per_segment
        frames, mask = frames.flatten(1, 2), mask.flatten(1)
        frames = torch.cat([frames, frames[:, -1:].expand(-1, missing, -1, -1, -1)], dim=1)
        tokens, extras = self._start(frames.reshape(batch * windows, self.window, *frames.shape[2:]))
        patches = tokens.shape[1] // (self.window // self.tubelet)
        place = torch.arange(0, windows * self.window, self.tubelet, device=tokens.device) // per_segment
        place = torch.where(place < segments, place, -1).repeat_interleave(patches)
        segment = place.view(1, windows, -1).expand(batch, -1, -1).flatten(0, 1)
        valid = F.pad(mask, (0, missing)).unflatten(1, (-1, self.tubelet)).any(2)
        valid = valid.repeat_interleave(patches, 1).view_as(segment)
        if missing:
            layout = Layout.ragged(segment, segments, windows, patches * per_segment // self.tubelet)
        else:
            layout = Layout.regular(segment, segments, windows)
        return EncoderState(tokens, valid, layout, extras)

    def _start(self, frames: Tensor, **more: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        dtype = next(p.dtype for p in self.model.parameters() if p.is_floating_point())
        return self.body.start({"pixels": self.pixels(frames).to(dtype), **more})

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return advance(self.body, index, state)

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor] | None:
        return self.body.more_tokens(extras, count)

    def block(self, index: int) -> nn.Module:
        return self.body.steps[index].block

    def finish(self, state: EncoderState) -> Tensor:
        return self.body.finish(state.tokens)


def _check(family: VisualFamily, config: Any, size: tuple[int, int], frames: int, tubelet: int) -> None:
    check_size(family, config, size)
    if frames < 1 or frames % tubelet:
        raise ValueError(f"frames_per_segment={frames} must be a multiple of {tubelet}, the frames of one tubelet")

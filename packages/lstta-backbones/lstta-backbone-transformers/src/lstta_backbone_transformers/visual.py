"""A visual encoder of any family: pictures frame by frame, or video over all of a clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_backbone_transformers.advance import advance
from lstta_backbone_transformers.body import Body
from lstta_backbone_transformers.family import VisualFamily
from lstta_backbone_transformers.pixels import Pixels, frame_size
from lstta_core.interfaces import Encoder, EncoderState, Modality, VisualSpec
from lstta_core.streams import Layout


@final
class VisualEncoder(Encoder):
    """Frames in, tokens of the library's model out.

    A picture family makes one row of each frame, B·T·F in all. A video family (VideoMAE) makes one row of each window
    of frames that its position table allows; the last window of a clip is filled up with its last frame.

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
        # A configuration file may give a list.
        size = frame_size(family, config, settings) if size is None else (size[0], size[1])
        _check(family, config, size, frames, self.tubelet)
        self.body = Body(model=model, family=family, size=size)
        self.pixels = Pixels(family=family, settings=settings)
        self.prefix = family.prefix(config)
        self.spec = VisualSpec(size=size, frames_per_segment=frames, span="clip" if family.window else "segment")
        self.widths = self.body.widths(family.width(config))

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        frames, mask = inputs["frames"], inputs["mask"]
        if frames.shape[2:] != (self.spec.frames_per_segment, *self.spec.size, 3):
            raise ValueError(
                f"frames must be (B, T, {self.spec.frames_per_segment}, {self.spec.size[0]}, {self.spec.size[1]}, 3) "
                f"for {self.name or self.family.model_type}, got {tuple(frames.shape)}"
            )
        return self._embed_video(frames, mask) if self.family.window else self._embed_pictures(frames, mask)

    def _embed_pictures(self, frames: Tensor, mask: Tensor) -> EncoderState:
        batch, segments, per_segment = mask.shape
        tokens, extras = self._start(frames.flatten(0, 2))
        segment = torch.arange(segments, device=tokens.device).repeat_interleave(per_segment).repeat(batch)
        segment = segment[:, None].repeat(1, tokens.shape[1])
        segment[:, : self.prefix] = -1
        layout = Layout.regular(segment, segments, segments * per_segment)
        return EncoderState(tokens, mask.flatten()[:, None].expand_as(segment), layout, extras)

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

    def _start(self, frames: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        dtype = next(p.dtype for p in self.model.parameters() if p.is_floating_point())
        return self.body.start({"pixels": self.pixels(frames).to(dtype)})

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return advance(self.body, index, state)

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor] | None:
        return self.body.more_tokens(extras, count)

    def block(self, index: int) -> nn.Module:
        return self.body.steps[index].block

    def finish(self, state: EncoderState) -> Tensor:
        return self.body.finish(state.tokens)


def _check(family: VisualFamily, config: Any, size: tuple[int, int], frames: int, tubelet: int) -> None:
    native = family.native_size(config)
    if size != native and not family.resizable:
        raise ValueError(f"{family.model_type} reads frames of {native} only, got size={size}")
    patch = config.patch_size
    if isinstance(patch, int) and (size[0] % patch or size[1] % patch):
        raise ValueError(f"size={size} must be multiples of the patch size {patch} of {family.model_type}")
    if frames < 1 or frames % tubelet:
        raise ValueError(f"frames_per_segment={frames} must be a multiple of {tubelet}, the frames of one tubelet")

"""From uint8 frames to what a visual encoder reads, on the device of the frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from lstta_backbone_transformers.constants import Constant
from lstta_backbone_transformers.family import VisualFamily
from lstta_core.counts import check_counts


class Pixels:
    """Scales and normalises as the checkpoint's image processor would.

    Args:
        family: whose mean and deviation hold where the checkpoint says nothing.
        settings: ``preprocessor_config.json`` of the checkpoint, or nothing.
    """

    def __init__(self, *, family: VisualFamily, settings: Mapping[str, Any]) -> None:
        mean: Sequence[float] = settings.get("image_mean") or family.mean
        deviation: Sequence[float] = settings.get("image_std") or family.deviation
        if not settings.get("do_normalize", True):
            mean, deviation = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        scale = settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 1.0
        self.scale = float(scale)
        self.mean, self.deviation = Constant(mean), Constant(deviation)

    def __call__(self, frames: Tensor) -> Tensor:
        """(…, H, W, 3) uint8 to (…, 3, H, W) float32."""
        values = frames.float() * self.scale
        values = (values - self.mean.like(values)) / self.deviation.like(values)
        return values.movedim(-1, -3).contiguous()


def frame_size(
    family: VisualFamily, config: Any, settings: Mapping[str, Any], size: Sequence[int] | None = None
) -> tuple[int, int]:
    """(height, width) of frames: the ``size`` that is asked for, else as the checkpoint's processor would hand them
    over, else the native one.

    Raises:
        ValueError: what is asked for are no two whole numbers above 0.
    """
    if size is not None:
        if not isinstance(size, Sequence) or len(size) != 2:
            raise ValueError(f"size={size!r}: (height, width) is wanted")
        check_counts(**{"size[0]": size[0], "size[1]": size[1]})
        return size[0], size[1]  # a configuration file may give a list
    if not family.resizable:
        return family.native_size(config)
    for key in ("crop_size", "size"):
        size = settings.get(key)
        if isinstance(size, int):
            return (size, size)
        if isinstance(size, Mapping) and {"height", "width"} <= size.keys():
            return (size["height"], size["width"])
        if isinstance(size, Mapping) and "shortest_edge" in size:
            return (size["shortest_edge"], size["shortest_edge"])
    return family.native_size(config)


def check_size(family: VisualFamily, config: Any, size: tuple[int, int]) -> None:
    """Raise a ValueError where the architecture does not read pictures of this (height, width)."""
    native = family.native_size(config)
    if not family.resizable:
        if size != native:
            raise ValueError(f"{family.model_type} reads frames of {native} only, got size={size}")
        return
    patch = config.patch_size
    if isinstance(patch, int) and (size[0] % patch or size[1] % patch):
        raise ValueError(f"size={size} must be multiples of the patch size {patch} of {family.model_type}")

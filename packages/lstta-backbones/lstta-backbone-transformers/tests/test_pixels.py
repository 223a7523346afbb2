"""Frames on the device against the library's image processors."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import transformers as t

from lstta_backbone_transformers.families import FAMILIES
from lstta_backbone_transformers.family import VisualFamily
from lstta_backbone_transformers.pixels import Pixels, frame_size

LARGEST_DIFFERENCE = 7.2e-7
"""Measured, of values up to 2.7: a few units in the last place."""


def visual(model_type: str) -> VisualFamily:
    family = FAMILIES[model_type]
    assert isinstance(family, VisualFamily)
    return family


@pytest.mark.parametrize(
    ("model_type", "processor"),
    [
        ("vit", t.ViTImageProcessorPil()),
        ("clip_vision_model", t.CLIPImageProcessorPil()),
        ("siglip_vision_model", t.SiglipImageProcessorPil()),
        ("dinov2", t.BitImageProcessorPil(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])),
        ("videomae", t.VideoMAEImageProcessorPil()),
        ("vit", t.ViTImageProcessorPil(do_normalize=False)),
        ("vit", t.ViTImageProcessorPil(rescale_factor=1 / 127)),
    ],
)
def test_pixels_equal_the_librarys_processor(model_type: str, processor: Any) -> None:
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    theirs = processor(list(frames), do_resize=False, do_center_crop=False, return_tensors="np")["pixel_values"]
    ours = Pixels(family=visual(model_type), settings=processor.to_dict())(torch.from_numpy(frames))
    assert (ours - torch.from_numpy(np.asarray(theirs)).reshape(ours.shape)).abs().max() <= LARGEST_DIFFERENCE


@pytest.mark.parametrize(
    ("model_type", "processor"),
    [
        ("vit", t.ViTImageProcessorPil()),
        ("clip_vision_model", t.CLIPImageProcessorPil()),
        ("siglip_vision_model", t.SiglipImageProcessorPil()),
        ("siglip2_vision_model", t.Siglip2ImageProcessorPil()),
    ],
)
def test_a_family_without_settings_uses_the_librarys_defaults(model_type: str, processor: Any) -> None:
    family = visual(model_type)
    assert list(family.mean) == pytest.approx(list(processor.image_mean))
    assert list(family.deviation) == pytest.approx(list(processor.image_std))


def test_siglip2_patches_equal_the_librarys(small: ModuleType) -> None:
    case = next(case for case in small.CASES if case.name == "siglip2-vision")
    processor = t.Siglip2ImageProcessorPil(patch_size=5, max_num_patches=15, do_resize=False)
    picture = np.random.default_rng(0).integers(0, 256, (15, 25, 3), dtype=np.uint8)
    theirs = processor([picture], return_tensors="pt")
    encoder = case.encoder(case.library())
    ours = case.arguments(encoder.model, {"pixels": encoder.pixels(torch.from_numpy(picture)[None])})
    assert (ours["pixel_values"] - theirs["pixel_values"]).abs().max() <= LARGEST_DIFFERENCE
    assert ours["spatial_shapes"].tolist() == theirs["spatial_shapes"].tolist()


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({"crop_size": {"height": 7, "width": 11}, "size": {"shortest_edge": 13}}, (7, 11)),
        ({"size": {"shortest_edge": 13}}, (13, 13)),
        ({"size": 17}, (17, 17)),
        ({"max_num_patches": 256}, (15, 15)),
        ({}, (15, 15)),
    ],
)
def test_frame_size_is_what_the_processor_gives(settings: dict[str, Any], size: tuple[int, int]) -> None:
    config = t.ViTConfig(image_size=15, patch_size=5)
    assert frame_size(visual("vit"), config, settings) == size


def test_a_family_that_cannot_resize_ignores_the_processors_size() -> None:
    config = t.Swinv2Config(image_size=36)
    assert frame_size(visual("swinv2"), config, {"size": {"height": 7, "width": 7}}) == (36, 36)

"""Where a visual encoder's tokens belong, and what it refuses."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch

from lstta_backbone_transformers.visual import VisualEncoder


def made(small: ModuleType, name: str, **options: Any) -> VisualEncoder:
    case = next(case for case in small.CASES if case.name == name)
    part = case.part(case.library())
    return VisualEncoder(
        model=part, family=small.FAMILIES[part.config.model_type], **{**case.options, **options}
    ).eval()


def inputs(encoder: VisualEncoder, batch: int, segments: int) -> dict[str, torch.Tensor]:
    shape = (batch, segments, encoder.spec.frames_per_segment)
    frames = torch.randint(0, 256, (*shape, *encoder.spec.size, 3), dtype=torch.uint8)
    return {"frames": frames, "mask": torch.ones(shape, dtype=torch.bool)}


def test_class_and_register_tokens_belong_to_no_segment(small: ModuleType) -> None:
    encoder = made(small, "dinov3", frames_per_segment=2)  # 3 × 4 patches behind a class and two register tokens
    with torch.no_grad():
        state = encoder.embed(inputs(encoder, 2, 3))
    assert state.tokens.shape[:2] == (2 * 3 * 2, 3 + 12)
    assert state.layout.segment[:, :3].eq(-1).all()
    assert state.layout.segment[:, 3:].eq(torch.tensor([0, 0, 1, 1, 2, 2] * 2)[:, None]).all()


def test_frames_that_are_not_there_are_masked(small: ModuleType) -> None:
    encoder = made(small, "vit", frames_per_segment=2)
    batch = inputs(encoder, 1, 3)
    batch["mask"][0, 2, 1] = False
    with torch.no_grad():
        state = encoder.embed(batch)
    assert state.mask.any(1).tolist() == [True] * 5 + [False]
    assert state.layout.mask(state.mask).sum(-1).tolist() == [[18, 18, 9]]


def test_merging_keeps_each_token_in_its_segment(small: ModuleType) -> None:
    encoder = made(small, "swinv2")
    with torch.no_grad():
        state = encoder.embed(inputs(encoder, 1, 2))
        sides = [18]
        for index in range(encoder.depth):
            state = encoder.run_block(index, state)
            sides.append(int(state.tokens.shape[1] ** 0.5))
    assert sides == [18, 18, 9, 5, 5, 5]
    assert encoder.widths == (6, 12, 24, 24, 24)
    assert state.layout.index is None
    assert state.layout.segment.tolist() == [[0] * 25, [1] * 25]


def test_video_is_one_row_of_tubelets_over_time(small: ModuleType) -> None:
    encoder = made(small, "videomae")  # 10 frames of 3 × 3 patches, tubelets of 2
    with torch.no_grad():
        state = encoder.embed(inputs(encoder, 2, 5))
    assert state.tokens.shape[:2] == (2, 5 * 9)
    assert state.layout.segment[0].tolist() == [t for t in range(5) for _ in range(9)]
    assert state.layout.index is None


def test_a_last_window_is_filled_up_and_masked(small: ModuleType) -> None:
    encoder = made(small, "videomae-filled")  # 6 frames a window, 4 a segment
    batch = inputs(encoder, 1, 2)
    batch["mask"][0, 1, 2:] = False
    with torch.no_grad():
        state = encoder.embed(batch)
    assert state.tokens.shape[:2] == (2, 3 * 9)
    tubelets = [0, 0, 1, 1, -1, -1]
    assert state.layout.segment.flatten().tolist() == [t for t in tubelets for _ in range(9)]
    assert state.mask.view(6, 9).any(1).tolist() == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("swinv2", {"size": (30, 36)}, r"reads frames of \(36, 36\) only, got size=\(30, 36\)"),
        ("vit", {"size": (16, 15)}, r"size=\(16, 15\) must be multiples of the patch size 5"),
        ("videomae", {"frames_per_segment": 3}, "frames_per_segment=3 must be a multiple of 2"),
        ("vit", {"frames_per_segment": 0}, "frames_per_segment=0 must be a multiple of 1"),
    ],
)
def test_what_does_not_fit_is_refused(small: ModuleType, name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(small, name, **options)


def test_frames_of_another_size_are_refused_with_both_shapes(small: ModuleType) -> None:
    encoder = made(small, "vit")
    batch = inputs(encoder, 1, 2)
    with pytest.raises(ValueError, match=r"frames must be \(B, T, 1, 15, 15, 3\) for vit, got \(1, 2, 1, 15, 10, 3\)"):
        encoder.embed({**batch, "frames": batch["frames"][:, :, :, :, :10]})

"""Where an audio encoder's tokens belong in time."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch

from lstta_backbone_transformers.audio import AudioEncoder


def made(small: ModuleType, name: str, **options: Any) -> AudioEncoder:
    case = next(case for case in small.CASES if case.name == name)
    part = case.part(case.library())
    return AudioEncoder(model=part, family=small.FAMILIES[part.config.model_type], **{**case.options, **options}).eval()


def inputs(length: list[list[int]], samples: int) -> dict[str, torch.Tensor]:
    valid = torch.tensor(length)
    sound = torch.randint(-999, 999, (*valid.shape, samples), dtype=torch.int16)
    return {"sound": sound, "length": valid, "present": torch.ones(len(valid), dtype=torch.bool)}


def test_whole_clip_tokens_follow_the_clock(small: ModuleType) -> None:
    encoder = made(small, "whisper")  # 8 samples a token, 904 a window
    batch = inputs([[40, 40, 40], [40, 13, 0]], 40)
    with torch.no_grad():
        state = encoder.embed(batch)
    assert state.layout.rows_per_clip == 1
    first, second = (state.layout.segment[row].tolist() for row in range(2))
    assert first == [0] * 5 + [1] * 5 + [2] * 5 + [-1] * 98
    # The second clip is heard end to end: 40 samples, then 13, then nothing. Centres lie at 4, 12, 20, …, 52.
    assert second == [0] * 5 + [1] * 2 + [-1] * 106
    assert state.mask[1].tolist() == [True] * 7 + [False] * 106


def test_longer_clips_are_cut_into_native_windows(small: ModuleType) -> None:
    encoder = made(small, "whisper")
    with torch.no_grad():
        state = encoder.embed(inputs([[500] * 4, [500, 500, 500, 77]], 500))
    assert state.tokens.shape[:2] == (2 * 3, 113)
    assert state.layout.rows_per_clip == 3
    flat = state.layout.segment.view(2, -1)
    for clip, total in enumerate((2000, 1577)):
        for row in range(3):
            for token in range(113):
                centre = 904 * row + 8 * token + 4
                want = centre // 500 if centre < total else -1
                assert flat[clip, 113 * row + token] == want


def test_segments_that_do_not_fill_a_fixed_length_leave_its_padding_out(small: ModuleType) -> None:
    encoder = made(small, "whisper", span="segment")
    batch = inputs([[40, 40, 17]], 40)
    with torch.no_grad():
        state = encoder.embed(batch)
    assert state.tokens.shape[:2] == (3, 113)
    assert state.layout.to_segments(state.tokens).shape == (1, 3, 5, 14)
    assert state.layout.mask(state.mask).sum(-1).tolist() == [[5, 5, 2]]


def test_a_cut_position_table_is_read_from_its_start(small: ModuleType) -> None:
    """With a table that is as long as the sound, tokens before the padding see what they saw, but no padding."""
    encoder = made(small, "whisper", seconds=0.04, span="segment")
    assert encoder.spec.seconds == pytest.approx(0.04)
    with torch.no_grad():
        state = encoder.embed(inputs([[40, 40]], 40))
    assert state.tokens.shape[:2] == (2, 5)
    assert state.layout.index is None


def test_clap_tokens_follow_the_folds(small: ModuleType) -> None:
    encoder = made(small, "clap-audio-unfused", span="clip")
    batch = inputs([[500, 500]], 500)
    with torch.no_grad():
        state = encoder.embed(batch)
        grid = state.layout.segment.view(8, 8)
        # Two folds of 8 columns: the upper rows hold the first half of the second, the lower rows the other.
        assert (grid[:4] == 0).all()
        assert (grid[4:] == 1).all()
        for index in range(encoder.depth):
            state = encoder.run_block(index, state)
    assert state.layout.segment.tolist() == [[0, 0, 1, 1]]


def test_too_short_sound_says_what_to_do(small: ModuleType) -> None:
    encoder = made(small, "wav2vec2-layer", span="segment")
    with pytest.raises(ValueError, match=r"at least 25 samples .* got 11: use longer segments"):
        encoder.embed(inputs([[11]], 11))


def test_group_norm_declares_that_padding_matters(small: ModuleType) -> None:
    assert not made(small, "wav2vec2-group").spec.padding_invariant
    assert made(small, "wav2vec2-layer").spec.padding_invariant


def test_an_unknown_span_is_refused(small: ModuleType) -> None:
    with pytest.raises(ValueError, match="'segment' or 'clip', got 'clips'"):
        made(small, "whisper", span="clips")

"""Segments that are taken out, against loops, and against clips that never had them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from lstta_core.interfaces import EncoderState, Modality
from lstta_core.layout import Layout
from lstta_tasks.data.batch import audio_inputs, visual_inputs
from lstta_tasks.data.clip import Clip
from lstta_tasks.importances.removal import blanked, hidden, kept_segments, seen_segments

T, SAMPLES = 5, 11


def clip(number: int, *, video: bool = True, sound: bool = True) -> Clip:
    random = np.random.default_rng(number)
    length = random.integers(1, SAMPLES + 1, T) * sound
    waves = random.integers(-(2**15), 2**15, (T, SAMPLES)).astype(np.int16)
    return Clip(
        frames=random.integers(1, 256, (T, 2, 3, 7, 3)).astype(np.uint8) * np.uint8(video),
        frame_times=np.zeros((T, 2)),
        sound=waves * (np.arange(SAMPLES) < length[:, None]).astype(np.int16),
        sound_length=length.astype(np.int64),
        has_video=video,
        has_sound=sound,
        duration=5.0,
    )


def inputs(clips: Sequence[Clip]) -> dict[Modality, dict[str, torch.Tensor]]:
    return {Modality.VISUAL: visual_inputs(clips), Modality.AUDIO: audio_inputs(clips)}


@pytest.mark.parametrize("highest", [False, True])
@pytest.mark.parametrize("removed", range(T))
def test_kept_segments_against_a_loop(removed: int, highest: bool) -> None:
    random = torch.Generator().manual_seed(3)
    scores = torch.randint(7, (13, T), generator=random).float()  # with ties
    seen = torch.rand(13, T, generator=random) < 0.6
    seen[0], seen[1] = True, False
    kept = kept_segments(scores, seen, removed=removed, highest=highest)
    for b in range(13):
        left = [t for t in range(T) if seen[b, t]]
        for _ in range(removed):
            if len(left) > 1:
                pick = max if highest else min
                left.remove(pick(left, key=lambda t: float(scores[b, t])))
        assert kept[b].nonzero().flatten().tolist() == left


def test_what_is_seen() -> None:
    batch = inputs([clip(1), clip(2, video=False), clip(3, sound=False)])
    seen = seen_segments(batch)
    assert seen[Modality.VISUAL].tolist() == [[True] * T, [False] * T, [True] * T]
    assert seen[Modality.AUDIO].tolist() == [[True] * T, [True] * T, [False] * T]


def test_what_is_kept_is_as_it_was_and_the_rest_is_blank() -> None:
    before = inputs([clip(1), clip(2), clip(3, sound=False)])
    copies = {m: {name: value.clone() for name, value in given.items()} for m, given in before.items()}
    kept = {m: torch.rand(3, T, generator=torch.Generator().manual_seed(5)) < 0.5 for m in before}
    after = blanked(before, kept)
    for m, name in ((Modality.VISUAL, "frames"), (Modality.AUDIO, "sound")):
        for b in range(3):
            for t in range(T):
                values = before[m][name][b, t]
                assert torch.equal(after[m][name][b, t], values if kept[m][b, t] else torch.zeros_like(values))
    for m, given in before.items():
        assert all(torch.equal(value, copies[m][name]) for name, value in given.items()), "the batch was changed"
        assert all(after[m][name].dtype == value.dtype for name, value in given.items())


@pytest.mark.parametrize("ragged", [False, True])
def test_hidden_tokens_are_in_no_segment(ragged: bool) -> None:
    """Two rows a clip, a class token in each; the masks of streams lose the segments, and nothing else."""
    segment = torch.tensor([[-1, 0, 0, 1, 1], [-1, 2, 2, 2, 2], [-1, 0, 1, 1, 1], [-1, 1, 2, 2, 2]])
    if not ragged:
        segment = torch.tensor([[-1, 0, 0], [-1, 1, 1], [-1, 2, 2]]).repeat(2, 1)
    rows = 2 if ragged else 3
    layout = (Layout.ragged if ragged else Layout.regular)(segment, 3, rows)
    state = EncoderState(torch.randn(*segment.shape, 7), torch.ones_like(segment, dtype=torch.bool), layout)
    kept = torch.tensor([[True, False, True], [False, True, False]])
    after = hidden({Modality.AUDIO: state, Modality.VISUAL: state}, {Modality.AUDIO: kept})
    assert after[Modality.VISUAL] is state
    got = after[Modality.AUDIO]
    assert torch.equal(got.tokens, state.tokens)
    assert torch.equal(got.layout.mask(got.mask), layout.mask(state.mask) & kept[..., None])
    assert torch.equal(got.layout.to_segments(got.tokens), layout.to_segments(state.tokens))

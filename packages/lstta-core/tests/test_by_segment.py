"""Segments as clips of their own: what a readout reads of one is what it reads of a clip that is cut to it."""

from __future__ import annotations

import pytest
import torch

from lstta_core.by_segment import by_segment, seen_segments, segments_of
from lstta_core.interfaces import Modality, Stream, Streams, TrimodalOutput
from lstta_core.readout import Readout

VISUAL, AUDIO, LANGUAGE = Modality
WIDTHS = {VISUAL: 11, AUDIO: 5, LANGUAGE: 7}
CLIPS, SEGMENTS = 3, 5
Shape = tuple[int, int, int]


def make_streams(text_segments: int = 1) -> Streams:
    random = torch.Generator().manual_seed(2)
    streams = {}
    for modality, tokens, segments in ((VISUAL, 2, SEGMENTS), (AUDIO, 3, SEGMENTS), (LANGUAGE, 13, text_segments)):
        mask = torch.rand((CLIPS, segments, tokens), generator=random) < 0.7
        values = torch.randn((*mask.shape, WIDTHS[modality]), generator=random, dtype=torch.float64)
        streams[modality] = Stream(values, mask, torch.ones(CLIPS, dtype=torch.bool))
    streams[VISUAL].mask[1, 3], streams[AUDIO].mask[1, 3:] = False, False
    return streams


def make_readout(*, guided: bool) -> Readout:
    torch.manual_seed(0)
    readout = Readout(widths=WIDTHS, width=6, heads=3, guided=guided).double()
    for parameter in readout.parameters():
        parameter.data = torch.randn_like(parameter) / 2
    return readout.eval()


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("text_segments", [1, SEGMENTS])
@pytest.mark.parametrize("of", [(VISUAL, AUDIO), (VISUAL,), (AUDIO,)])
def test_each_segment_is_a_clip(guided: bool, text_segments: int, of: tuple[Modality, ...]) -> None:
    readout, streams = make_readout(guided=guided), make_streams(text_segments)
    importances = {m: torch.rand(CLIPS, SEGMENTS, dtype=torch.float64) for m in (VISUAL, AUDIO)}
    found = readout(by_segment(TrimodalOutput(streams, [importances]), of)).unflatten(0, (CLIPS, SEGMENTS))
    for clip in range(CLIPS):
        for segment in range(SEGMENTS):
            cut = {}
            for m, stream in streams.items():
                at = 0 if stream.tokens.shape[1] == 1 else segment
                mask = stream.mask[clip, at].clone() & (m is LANGUAGE or m in of)
                cut[m] = Stream(stream.tokens[clip, at][None, None], mask[None, None], stream.present[clip, None])
            torch.testing.assert_close(found[clip, segment], readout(TrimodalOutput(cut, []))[0])


@pytest.mark.parametrize("guided", [True, False])
def test_gradients_reach_the_segments_own_tokens_alone(guided: bool) -> None:
    streams = make_streams()
    for stream in streams.values():
        stream.tokens.requires_grad_()
    read = make_readout(guided=guided)(by_segment(TrimodalOutput(streams, []))).unflatten(0, (CLIPS, SEGMENTS))
    read[0, 2].sum().backward()
    for m in (VISUAL, AUDIO):
        gradient = streams[m].tokens.grad
        assert gradient is not None
        touched = gradient.abs().amax((2, 3)) > 0
        assert touched.nonzero().tolist() in ([[0, 2]], [])


def test_what_is_seen() -> None:
    output = TrimodalOutput(make_streams(), [])
    assert segments_of(output) == SEGMENTS
    streams = output.streams
    for of in ((VISUAL,), (AUDIO,), (VISUAL, AUDIO)):
        wanted = [[any(bool(streams[m].mask[b, t].any()) for m in of) for t in range(SEGMENTS)] for b in range(CLIPS)]
        assert seen_segments(output, of).tolist() == wanted
    assert seen_segments(output)[1].tolist()[3] is False


def test_without_sight_and_sound_there_are_none() -> None:
    words = TrimodalOutput({LANGUAGE: make_streams()[LANGUAGE]}, [])
    with pytest.raises(ValueError, match="segments are of sight or of sound, and the model reads language alone"):
        by_segment(words)
    with pytest.raises(ValueError, match="one of visual, audio is wanted, the model reads language"):
        seen_segments(words)

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from lstta_world.casting import sample_person, sample_talk
from lstta_world.speech import melody, render_speech
from lstta_world.speech_rate import syllables, word_times
from lstta_world.splits import Split, scene_rng
from lstta_world.synth import SAMPLE_RATE
from lstta_world.talk import CONTOURS, Contour, Talk, Tone


def rms(sound: NDArray[np.int16], start: float, end: float) -> float:
    part = sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)].astype(float) / 32767
    return float(np.sqrt(np.mean(part**2)))


def pitch(sound: NDArray[np.int16], time: float) -> float:
    """The pitch of 64 ms around a time, by autocorrelation, in Hz."""
    middle = round(time * SAMPLE_RATE)
    part = sound[middle - 512 : middle + 512].astype(float)
    part -= part.mean()
    spectrum = np.fft.rfft(part, 4096)
    correlation = np.fft.irfft(spectrum * spectrum.conj())[:400] / (1024 - np.arange(400))
    lags = np.arange(40, 250)  # 64 to 400 Hz
    return SAMPLE_RATE / float(lags[correlation[lags].argmax()])


@pytest.mark.parametrize(
    ("word", "expected"), [("story", [3, 2]), ("wonderful", [3, 1, 4]), ("I", [2]), ("hm", [0]), ("quiet", [4])]
)
def test_syllables_follow_the_spelling(word: str, expected: list[int]) -> None:
    assert syllables(word) == expected


def test_words_follow_each_other() -> None:
    times = word_times("So, the story!", 2.0)
    assert [word for word, _, _ in times] == ["So", "the", "story"]
    assert [onset for _, onset, _ in times] == pytest.approx([0, 0.34, 0.68])
    assert [duration for _, _, duration in times] == pytest.approx([0.3, 0.3, 0.6])


def test_the_voice_sounds_when_the_line_is_said(talk: Talk) -> None:
    sound = render_speech(talk)
    assert sound.shape == (4 * SAMPLE_RATE,)
    assert sound.dtype == np.int16
    assert rms(sound, 0, 0.99) == pytest.approx(talk.person.hiss, rel=0.1)
    assert rms(sound, 2.21, 4) == pytest.approx(talk.person.hiss, rel=0.1)
    assert all(rms(sound, t, t + 0.1) > 20 * talk.person.hiss for t in (1.1, 1.4, 1.7, 2.0))
    np.testing.assert_array_equal(sound, render_speech(talk))


@pytest.mark.parametrize("contour", CONTOURS)
def test_the_pitch_goes_where_the_tone_says(talk: Talk, contour: Contour) -> None:
    rise = {}
    for wide in (False, True):
        said = dataclasses.replace(talk, tone=Tone(contour, wide=wide, loud=True))
        sound = render_speech(said)
        first, last = pitch(sound, 1.15), pitch(sound, 2.05)
        rise[wide] = 12 * np.log2(last / first)
    if contour == "level":
        assert abs(rise[False]) < 2
        return
    sign = 1 if contour == "rising" else -1
    assert sign * rise[False] == pytest.approx(6, abs=1.5)
    assert sign * rise[True] == pytest.approx(11, abs=2)


def test_syllables_glide_with_the_tone(talk: Talk) -> None:
    for contour, sign in (("rising", 1), ("level", 0), ("falling", -1)):
        notes = melody(dataclasses.replace(talk, tone=Tone(contour, wide=False, loud=True)))  # type: ignore[arg-type]
        assert {int(np.sign(round(note.glide - 1, 6))) for note in notes} == {sign}
        assert [note.onset for note in notes] == pytest.approx([1.0, 1.3, 1.6, 1.9])


def test_loud_is_louder_than_soft(talk: Talk) -> None:
    loud, soft = (
        rms(render_speech(dataclasses.replace(talk, tone=Tone("level", wide=True, loud=value))), 1, 2.2)
        for value in (True, False)
    )
    assert loud / soft == pytest.approx(3, rel=0.35)


@pytest.mark.parametrize("split", ["train", "test"])
def test_nothing_clips(split: Split) -> None:
    for index in range(17):
        rng = scene_rng(2, split, index)
        person, tone = sample_person(rng, split), Tone("rising", wide=True, loud=True)
        talk = sample_talk(rng, person, line="You know, I adored the first half.", tone=tone, expression="blank")
        assert np.abs(render_speech(talk).astype(int)).max() < 32700

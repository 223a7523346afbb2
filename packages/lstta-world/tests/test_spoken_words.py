from __future__ import annotations

import time

import numpy as np
import pytest

from lstta_world import spoken_words as module
from lstta_world.spoken_words import MANNERS, VOICES, WORDS, resample, say, spoken_words
from lstta_world.synth import SAMPLE_RATE

speech = pytest.mark.skipif(
    module.find_spec("espeakng_loader") is None, reason="the speech synthesiser is not installed: lstta-world[speech]"
)


@speech
def test_every_word_in_every_voice_and_manner_fits_into_a_second() -> None:
    bank = spoken_words()
    assert len(bank) == len(WORDS) * len(VOICES) * len(MANNERS)
    for wave in bank.values():
        assert 0.3 < len(wave) / SAMPLE_RATE < 0.9
        assert np.mean(wave**2) == pytest.approx(1, rel=1e-3)


@speech
def test_voices_differ_and_words_are_spoken_alike_each_time() -> None:
    utterances = [("river", voice, 150, 50) for voice in VOICES]
    once = say(utterances)
    time.sleep(1.1)  # eSpeak NG seeds its noise with the clock's second if nobody does
    again = say(utterances)
    for first, second in zip(once, again, strict=True):
        assert np.array_equal(first, second)
    assert len({wave.tobytes() for wave in once}) == len(VOICES)


@speech
def test_a_voice_that_is_none() -> None:
    with pytest.raises(RuntimeError, match="eSpeak NG has no voice 'nobody'"):
        say([("river", "nobody", 150, 50)])


def test_without_the_synthesiser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install lstta-world\[speech\]"):
        say([])


def test_resampling_keeps_a_tone() -> None:
    times = np.arange(441 * 20) / 22050
    tone = resample(np.sin(2 * np.pi * 500 * times).astype(np.float32), 22050, 16000)
    assert tone.shape == (320 * 20,)
    assert np.abs(tone - np.sin(2 * np.pi * 500 * np.arange(6400) / 16000)).max() < 1e-3

"""Words to syllables and seconds, by their spelling."""

from __future__ import annotations

import re

SYLLABLE, BETWEEN = 0.15, 0.02  # seconds at pace 1
VOWELS = "aeiou"  # in the order of synth.VOWELS; y sounds as i


def syllables(word: str) -> list[int]:
    """The vowels of a word, one a group of vowel letters, at least one; indices into synth.VOWELS."""
    groups = re.findall(r"[aeiouy]+", word.lower().replace("y", "i"))
    return [VOWELS.index(group[0]) for group in groups] or [0]


def word_times(line: str, pace: float) -> list[tuple[str, float, float]]:
    """(word, onset, duration) of every word of a line that begins at 0; punctuation takes no time."""
    result = []
    time = 0.0
    for word in re.findall(r"[\w']+", line):
        duration = len(syllables(word)) * SYLLABLE * pace
        result.append((word, time, duration))
        time += duration + BETWEEN * pace
    return result

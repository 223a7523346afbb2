"""The answers of MUSIC-AVQA: 42 words."""

from __future__ import annotations

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "more than ten")

ANSWERS = (
    # Instruments; the built-in clips play ten of the 22.
    "accordion",
    "acoustic_guitar",
    "bagpipe",
    "banjo",
    "bassoon",
    "cello",
    "clarinet",
    "congas",
    "drum",
    "electric_bass",
    "erhu",
    "flute",
    "guzheng",
    "piano",
    "pipa",
    "saxophone",
    "suona",
    "trumpet",
    "tuba",
    "ukulele",
    "violin",
    "xylophone",
    *NUMBERS,
    "yes",
    "no",
    "left",
    "right",
    "middle",
    "indoor",
    "outdoor",
    "simultaneously",
)

"""The pictures and the sound of a clip of moments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lstta_world.backdrops import HEIGHT, WIDTH, backdrop
from lstta_world.moment_clips import Moments, Picture, PlayedThing, SpokenWord
from lstta_world.random_scenes import play
from lstta_world.render import tinted
from lstta_world.spoken_words import spoken_words
from lstta_world.sprites import sprite
from lstta_world.synth import FULL, SAMPLE_RATE, Wave, add, render_note

BLOTCH = 8  # pixels
MARGIN = 0.04  # seconds of silence at both ends of each second


def draw_picture(picture: Picture) -> NDArray[np.uint8]:
    """The frame of a second: (144, 240, 3) uint8, RGB. Nothing moves within it."""
    image = backdrop(picture.place, picture.backdrop, picture.seed)
    thing = sprite(picture.thing, picture.hue, picture.lightness, picture.size)
    if picture.mirrored:
        thing = thing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image.paste(thing, (picture.centre - thing.width // 2, picture.feet - thing.height), thing)
    rng = np.random.default_rng(picture.seed)
    blotches = rng.normal(128, picture.noise, (HEIGHT // BLOTCH, WIDTH // BLOTCH, 3)).clip(0, 255).astype(np.uint8)
    noise = np.asarray(Image.fromarray(blotches).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), np.int16) - 128
    return (np.asarray(tinted(image, picture.tint), np.int16) + noise).clip(0, 255).astype(np.uint8)


def render_heard(clip: Moments) -> NDArray[np.int16]:
    """The sound of a clip: (duration * SAMPLE_RATE,) int16, mono; each word or melody lies wholly within its second.

    Raises:
        ValueError: there are words, and the speech synthesiser is not installed.
    """
    rng = np.random.default_rng(clip.seed)
    mix = rng.standard_normal(len(clip.words) * SAMPLE_RATE, dtype=np.float32) * np.float32(clip.hiss)
    for second, heard in enumerate(clip.words):
        if isinstance(heard, SpokenWord):
            _say(mix, second, heard)
        else:
            _play(mix, second, heard)
    return (mix * (32767 * min(1.0, 0.98 / float(np.abs(mix).max())))).astype(np.int16)


def _say(mix: Wave, second: int, spoken: SpokenWord) -> None:
    wave = spoken_words()[spoken.word, spoken.voice, spoken.manner]
    slack = max(0.0, 1 - 2 * MARGIN - len(wave) / SAMPLE_RATE)
    add(mix, second + MARGIN + spoken.late * slack, wave * np.float32(FULL * spoken.loudness), SAMPLE_RATE)


def _play(mix: Wave, second: int, played: PlayedThing) -> None:
    rng = np.random.default_rng(played.seed)
    span = (second + MARGIN, second + 1 - MARGIN)
    how = {"beats": played.beats, "cents": played.cents, "level": played.level}
    for note in play(rng, 0, played.word, span, **how):
        add(mix, note.onset, render_note(note, played.word, played.timbre, rng), SAMPLE_RATE)

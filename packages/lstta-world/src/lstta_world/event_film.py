"""The pictures and the sound of a clip whose instruments come and go."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lstta_world.backdrops import backdrop
from lstta_world.event_clips import SECONDS, EventClip, Seconds
from lstta_world.moment_film import MARGIN
from lstta_world.random_scenes import play
from lstta_world.render import CENTRES, FEET, tinted
from lstta_world.scene import Performer, Syllable
from lstta_world.spans import Span
from lstta_world.sprites import sprite
from lstta_world.synth import SAMPLE_RATE, Wave, add, render_note, render_syllable


def draw_second(clip: EventClip, second: int) -> NDArray[np.uint8]:
    """The frame of a second: (144, 240, 3) uint8, RGB. Nothing moves within it."""
    image = backdrop(clip.place, clip.backdrop, clip.seed)
    for player in clip.players:
        if player.seen[second]:
            performer = player.performer
            thing = _picture(performer)
            centre, feet = CENTRES[performer.position or "middle"] + performer.shift[0], FEET + performer.shift[1]
            image.paste(thing, (centre - thing.width // 2, feet - thing.height), thing)
    return np.asarray(tinted(image, clip.tint))


def render_event_sound(clip: EventClip) -> NDArray[np.int16]:
    """The sound of a clip: (duration * SAMPLE_RATE,) int16, mono; every second's notes lie within it."""
    rng = np.random.default_rng(clip.seed)
    mix = rng.standard_normal(SECONDS * SAMPLE_RATE, dtype=np.float32) * np.float32(clip.hiss)
    for player in clip.players:
        melody = np.random.default_rng(player.seed)
        how = {"beats": player.beats, "cents": player.cents, "level": player.level}
        for span in spans(player.heard):
            for note in play(melody, 0, player.performer.instrument, span, **how):
                wave = render_note(note, player.performer.instrument, player.performer.timbre, melody)
                add(mix, note.onset, wave, SAMPLE_RATE)
    pitch = float(rng.uniform(95, 230))
    for start, end in spans(clip.speech):
        _speak(mix, rng, pitch, start, end)
    return (mix * (32767 * min(1.0, 0.98 / float(np.abs(mix).max())))).astype(np.int16)


def spans(seconds: Seconds) -> list[Span]:
    """The stretches of seconds in which something is so, a little shorter than they are."""
    found, start = [], 0
    for so, some in groupby(seconds):
        end = start + len(list(some))
        if so:
            found.append((start + MARGIN, end - MARGIN))
        start = end
    return found


def _picture(performer: Performer) -> Image.Image:
    picture = sprite(performer.instrument, performer.hue, performer.lightness, performer.size)
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if performer.mirrored else picture


def _speak(mix: Wave, rng: np.random.Generator, pitch: float, start: float, end: float) -> None:
    while (length := float(rng.uniform(0.13, 0.26))) < end - start:
        glide, vowel = float(rng.uniform(0.8, 1.1)), int(rng.integers(5))
        spoken = Syllable(start, length, pitch * float(rng.uniform(0.85, 1.2)), glide, vowel)
        add(mix, start, render_syllable(spoken, rng), SAMPLE_RATE)
        start += length + float(rng.uniform(0.0, 0.05))

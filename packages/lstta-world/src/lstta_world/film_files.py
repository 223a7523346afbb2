"""Frames and sound to an mp4 file: H.264 and AAC, by PyAV, one thread, so that equal input gives equal bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from lstta_world.event_clips import SECONDS, EventClip
from lstta_world.event_film import draw_second, render_event_sound
from lstta_world.moment_clips import Moments
from lstta_world.moment_film import draw_picture, render_heard
from lstta_world.render import SceneRenderer
from lstta_world.scene import Scene
from lstta_world.shown import Shown
from lstta_world.speech import render_speech
from lstta_world.synth import SAMPLE_RATE, render_sound
from lstta_world.talk_render import TalkRenderer
from lstta_world.whole_files import whole_file

FRAMES_PER_SECOND = 8


def write_film(path: Path, shown: Shown) -> None:
    """Render musicians, shots of talkers, moments or events to an mp4: 240 × 144, 8 frames a second, mono at 16 kHz.

    Frame k of a scene or a shot shows k / 8 s of it; a shot has whole frames.
    """
    frames: Iterable[NDArray[np.uint8]]
    if isinstance(shown, Moments):
        pictures = [draw_picture(picture) for picture in shown.pictures]
        frames = (picture for picture in pictures for _ in range(FRAMES_PER_SECOND))
        sound = render_heard(shown)
    elif isinstance(shown, EventClip):
        seconds = [draw_second(shown, second) for second in range(SECONDS)]
        frames = (picture for picture in seconds for _ in range(FRAMES_PER_SECOND))
        sound = render_event_sound(shown)
    elif isinstance(shown, Scene):
        frames = _frames(SceneRenderer(shown), shown.duration)
        sound = render_sound(shown)
    else:
        frames = (frame for shot in shown.shots for frame in _frames(TalkRenderer(shot), shot.duration))
        sound = np.concatenate([render_speech(shot) for shot in shown.shots])
    write_mp4(path, frames, sound, FRAMES_PER_SECOND, SAMPLE_RATE)


def _frames(renderer: SceneRenderer | TalkRenderer, duration: float) -> Iterator[NDArray[np.uint8]]:
    return (renderer.frame(k / FRAMES_PER_SECOND) for k in range(round(duration * FRAMES_PER_SECOND)))


def write_mp4(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    sound: NDArray[np.int16],
    frames_per_second: int,
    sample_rate: int,
) -> None:
    """Write frames (height, width, 3) uint8 RGB, even sizes, and sound (n,) int16 to ``path``, whole or not at all."""
    with whole_file(path) as part, av.open(str(part), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=frames_per_second)
        video.options = {"preset": "ultrafast", "crf": "23"}
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        audio = container.add_stream("aac", rate=sample_rate, layout="mono")
        audio.bit_rate = 64_000
        audio.options = {"aac_coder": "fast"}  # the default takes longer than all the rest of a clip
        to_yuv = VideoReformatter()  # one for all frames: setting it up costs as much as a frame
        for k, pixels in enumerate(frames):
            if k == 0:
                video.height, video.width = pixels.shape[:2]
            picture = to_yuv.reformat(av.VideoFrame.from_ndarray(pixels, format="rgb24"), format="yuv420p")
            picture.pts = k
            picture.time_base = Fraction(1, frames_per_second)
            container.mux(video.encode(picture))
        container.mux(video.encode())
        samples = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        samples.sample_rate = sample_rate
        samples.pts = 0
        container.mux(audio.encode(samples))
        container.mux(audio.encode())

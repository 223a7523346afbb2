"""Small media files, written with PyAV on the fly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from lstta_tasks.data.clip import ClipSource

_TICKS = 90_000
_CODECS = {
    ".mp4": ("libx264", "aac"),
    ".m4a": (None, "aac"),
    ".mkv": ("libx264", "aac"),
    ".mov": ("libx264", "pcm_s16le"),
    ".webm": ("libvpx-vp9", "libopus"),
    ".avi": ("mpeg4", "libmp3lame"),
    ".ts": ("libx264", "aac"),
    ".wav": (None, "pcm_s16le"),
    ".flac": (None, "flac"),
    ".mp3": (None, "libmp3lame"),
    ".ogg": (None, "libopus"),
}


@dataclass(kw_only=True)
class Media:
    """What to write. The grey of a picture tells its time, so that every picture can be recognised.

    Attributes:
        seconds: how long the pictures last.
        fps: pictures a second, where ``times`` does not say when each comes.
        times: when each picture comes, for a variable rate.
        size: (height, width).
        flashes: times of white pictures.
        clicks: times of clicks in the sound.
        sound_seconds: how long the sound lasts, None for as long as the pictures.
        rate: of the sound, in Hz.
        layout: of the sound's channels; the click is in the first alone where ``click_channel`` says so.
        video, sound: codecs, None for those usual in the container, "" for no such stream.
        offset: what is added to all timestamps, in seconds.
        video_offset: what is added to those of the pictures besides.
        gop: pictures from keyframe to keyframe.
        picture: (H, W, 3) uint8, shown all the time instead of the grey.
    """

    seconds: float = 3.0
    fps: int = 25
    times: Sequence[float] | None = None
    size: tuple[int, int] = (48, 64)
    flashes: Sequence[float] = ()
    clicks: Sequence[float] = ()
    sound_seconds: float | None = None
    rate: int = 48_000
    layout: str = "mono"
    click_channel: int | None = None
    video: str | None = None
    sound: str | None = None
    offset: float = 0.0
    video_offset: float = 0.0
    gop: int = 12
    aspect: Fraction | None = None
    rotation: int | None = None
    picture: NDArray[np.uint8] | None = None
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Write the file and return its path."""
        usual_video, usual_sound = _CODECS[path.suffix]
        video = usual_video if self.video is None else self.video
        sound = usual_sound if self.sound is None else self.sound
        packets: list[Any] = []
        with av.open(str(path), "w", options=self.options) as container:
            if video:
                stream = self._video_stream(container, video)
            if sound:
                audio: Any = container.add_stream(sound, rate=self.rate, layout=self.layout)
            container.start_encoding()
            if video:
                for frame in self._pictures():
                    packets += stream.encode(frame)
                packets += stream.encode(None)
            if sound:
                for chunk in self._sound(audio):
                    packets += audio.encode(chunk)
                packets += audio.encode(None)
            for packet in sorted(packets, key=lambda p: (p.dts if p.dts is not None else 0) * p.time_base):
                container.mux(packet)
        return path

    def grey(self, time: float) -> int:
        """The grey (as seen, 0 to 255) of the picture that came at ``time``."""
        return round(40 + 160 * time / self.seconds)

    def picture_times(self) -> list[float]:
        """When each picture comes, in seconds from the first."""
        if self.times is not None:
            return list(self.times)
        return [i / self.fps for i in range(round(self.seconds * self.fps))]

    def _video_stream(self, container: Any, codec: str) -> Any:
        stream = container.add_stream(codec, rate=self.fps)
        stream.height, stream.width = self.size
        stream.pix_fmt = self.pixel_format
        stream.time_base = Fraction(1, _TICKS) if codec != "mpeg4" else Fraction(1, self.fps)
        stream.codec_context.time_base = stream.time_base
        stream.gop_size = self.gop
        if self.aspect is not None:
            stream.codec_context.sample_aspect_ratio = self.aspect
        if self.rotation is not None:
            stream.set_display_rotation(self.rotation)
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "12"}
        elif codec == "libvpx-vp9":
            stream.options = {"cpu-used": "8", "deadline": "realtime", "crf": "20"}
        return stream

    def _pictures(self) -> Any:
        for time in self.picture_times():
            pixels = np.full((*self.size, 3), self.grey(time), np.uint8)
            if self.picture is not None:
                pixels = self.picture
            if any(flash <= time < flash + 1.5 / self.fps for flash in self.flashes):
                pixels = np.full((*self.size, 3), 255, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=self.pixel_format)
            frame.time_base = Fraction(1, _TICKS)
            frame.pts = round((time + self.offset + self.video_offset) * _TICKS)
            yield frame

    def _sound(self, stream: Any) -> Any:
        seconds = self.seconds if self.sound_seconds is None else self.sound_seconds
        channels = stream.codec_context.layout.nb_channels
        samples: NDArray[Any] = np.zeros((round(seconds * self.rate), channels), np.int16)
        for click in self.clicks:
            at = round(click * self.rate)
            which = slice(None) if self.click_channel is None else self.click_channel
            samples[at : at + max(1, self.rate // 1000), which] = 26_000
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=self.layout, rate=self.rate, frame_size=1024
        )
        for begin in range(0, len(samples), 1024):
            chunk = samples[begin : begin + 1024].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(chunk, format="s16", layout=self.layout)
            frame.sample_rate = self.rate
            frame.time_base = Fraction(1, self.rate)
            frame.pts = begin + round(self.offset * self.rate)
            yield from resampler.resample(frame)
        yield from resampler.resample(None)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("film") / "film.mp4"


@pytest.fixture
def sources(film: Path, media: type[Media]) -> Callable[[int], list[ClipSource]]:
    """So many clips, all parts of one film."""
    if not film.exists():
        media(seconds=6.0, fps=5, rate=8_000, clicks=np.arange(0.1, 6, 0.3)).write(film)
    return lambda count: [ClipSource(f"clip{i}", film, start=i / 20, end=i / 20 + 1) for i in range(count)]


@pytest.fixture
def media() -> type[Media]:
    """Call it with what a file should have, then ``.write(path)``."""
    return Media

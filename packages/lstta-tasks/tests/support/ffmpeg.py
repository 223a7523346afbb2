"""FFmpeg's own program: to write odd files, and to see what is right."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from imageio_ffmpeg import get_ffmpeg_exe

QUIET = ("-hide_banner", "-nostdin", "-v", "error", "-threads", "1")
_BYTES = {"rgb24": 3, "bgr24": 3, "rgba": 4, "bgra": 4, "argb": 4, "bgr0": 4, "0rgb": 4, "rgb555le": 2, "rgb565le": 2}


def ffmpeg(*arguments: str | Path) -> str:
    """Run it, and return what it complains of."""
    said = subprocess.run(
        [get_ffmpeg_exe(), *QUIET, *map(str, arguments)], capture_output=True, text=True, errors="replace", check=True
    )
    return said.stderr.strip()


@dataclass(frozen=True)
class Reference:
    """What FFmpeg shows of a file.

    Attributes:
        times: of its pictures, in seconds from the first.
        pictures: the bytes of all planes of each.
        complaints: what it says meanwhile.
    """

    times: Sequence[float]
    pictures: Sequence[bytes]
    complaints: str

    def at(self, time: float) -> bytes:
        """The last picture at or before a time, or the first one."""
        return self.pictures[max(0, int(np.searchsorted(self.times, time + 1e-6, side="right")) - 1)]


def reference(path: Path) -> Reference:
    """Decode the whole file from its beginning."""
    hashes, raw = path.with_name(f"{path.name}.txt"), path.with_name(f"{path.name}.raw")
    shown = ("-map", "0:v:0", "-fps_mode", "passthrough")
    complaints = ffmpeg("-y", "-i", path, *shown, "-f", "framecrc", hashes, *shown, "-f", "rawvideo", raw)
    data = raw.read_bytes()
    raw.unlink()
    times: list[float] = []
    pictures: list[bytes] = []
    at, tick = 0, 0.0
    for line in hashes.read_text().splitlines():
        if line.startswith("#tb"):
            above, _, below = line.split(":")[1].partition("/")
            tick = int(above) / int(below)
        elif not line.startswith("#"):
            _, _, pts, _, size, *_ = line.split(",")
            times.append(int(pts) * tick)
            pictures.append(data[at : at + int(size)])
            at += int(size)
    return Reference([time - times[0] for time in times], pictures, complaints)


def planes(picture: VideoFrame) -> bytes:
    """The bytes of all planes of a picture, without what pads their lines, as FFmpeg writes raw video."""
    parts = []
    name = picture.format.name
    for number, plane in enumerate(picture.planes):
        data = np.frombuffer(plane, np.uint8)
        if name == "pal8" and number:
            parts.append(data[:1024].tobytes())
            continue
        width = plane.width * _BYTES.get(name, 2 if name.endswith(("10le", "16le")) else 1)
        parts.append(data.reshape(-1, plane.line_size)[: plane.height, :width].tobytes())
    return b"".join(parts)

"""FFmpeg's own program: to write odd files, and to see what is right."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from imageio_ffmpeg import get_ffmpeg_exe

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.decode import find
from lstta_tasks.data.pictures import PictureReader

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
        return self.pictures[max((n for n, shown in enumerate(self.times) if shown <= time + 2e-5), default=0)]


def reference(path: Path) -> Reference:
    """Decode the whole file from its beginning."""
    raw = path.with_name(f"{path.name}.raw")
    shown = ("-map", "0:v:0", "-fps_mode", "passthrough")
    # Times as they are shown: an encoder would round them to whole pictures of a guessed rate.
    report = ("-map", "0:v:0", "-vf", "showinfo=checksum=0", "-fps_mode", "passthrough", "-f", "null", "-")
    times = [
        float(time) for time in re.findall(r"showinfo.* pts_time:(\S+)", ffmpeg("-v", "info", "-i", path, *report))
    ]
    complaints = ffmpeg("-y", "-i", path, *shown, "-f", "rawvideo", raw)
    data = raw.read_bytes()
    raw.unlink()
    size, rest = divmod(len(data), max(1, len(times)))
    assert not rest, f"{path.name}: pictures of several sizes"
    pictures = [data[at : at + size] for at in range(0, len(data), size)]
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


def assert_same(found: bytes, wanted: bytes, name: str, place: str) -> None:
    """Equal in every plane; MPEG-4 part 2 has no exact arithmetic."""
    if found != wanted:
        assert "mpeg4" in name or "xvid" in name, place
        assert len(found) == len(wanted), place
        difference = np.abs(np.frombuffer(found, np.uint8).astype(int) - np.frombuffer(wanted, np.uint8))
        assert difference.mean() <= 1, place


def compare(path: Path, shown: Reference, counts: Iterable[int]) -> int:
    """How many pictures were compared: those of so many equal segments, as a clip has them."""
    pictures, _, length = find(ClipSource("a", path))
    assert pictures is not None
    compared = 0
    with closing(PictureReader(pictures)) as reader:
        first = reader.at(-1e9)[0]
    for segments in counts:
        with closing(PictureReader(pictures)) as reader:
            for segment in range(segments):
                time = pictures.start + (segment + 0.5) / segments * length
                _, picture = reader.at(time)
                place = f"{path.name}: {segment} of {segments}, at {time:.3f} s"
                assert_same(planes(picture), shown.at(time - first), path.name, place)
                compared += 1
    return compared

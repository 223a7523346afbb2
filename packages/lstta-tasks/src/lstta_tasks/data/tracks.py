"""Opening media files: which streams there are, when they begin and end, and their packets in order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.frame import Frame
from av.packet import Packet
from av.stream import Disposition, Stream

from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.files import missing

Kind = Literal["video", "audio"]

# Formats whose header states how long the file is; others are estimates from a bit rate.
_STATES_DURATION = {"mov", "mp4", "matroska", "webm", "avi", "wav", "flac"}
_PLAYLISTS = {"hls", "dash", "concat", "imf", "sdp", "rtsp"}
_MAX_PIXELS = 1 << 26
# Pictures a second, where a file says nothing of how long its only picture is shown (our choice).
_USUAL_RATE = 25


@dataclass(frozen=True)
class Track:
    """One stream of a file, in seconds of the file's own clock.

    Attributes:
        path: the file.
        index: the stream's number in it.
        start: when it begins.
        end: when it ends; infinite where that is not known.
    """

    path: Path
    index: int
    start: float
    end: float


@contextmanager
def reasons(path: Path) -> Iterator[None]:
    """Turn what goes wrong inside the decoding library into a DecodeError that names the file."""
    try:
        yield
    except DecodeError:
        raise
    except FFmpegError as error:
        raise DecodeError(f"{path}: {error.strerror or error}") from error
    except (OSError, ValueError, LookupError, ArithmeticError, MemoryError) as error:
        raise DecodeError(f"{path}: damaged ({type(error).__name__}: {error})") from error


def seconds(ticks: int, of: Packet[Any] | Stream | Frame) -> float:
    """A time stamp or a duration of a packet, stream or frame in seconds."""
    if of.time_base is None:
        raise ValueError("a stream without a time base")
    return float(ticks * of.time_base)


def find_tracks(path: Path, *, measure: bool) -> dict[Kind, Track]:
    """The picture and the sound stream of a file; cover pictures do not count.

    Args:
        path: the file.
        measure: read the whole file, without decoding it, to learn when its streams end. Otherwise the header is
            believed, and the end is infinite where it says nothing.

    Raises:
        DecodeError: the file is no media file, or measuring shows that it was cut off.
    """
    with reasons(path), _open(path) as container:
        streams: dict[Kind, Stream] = {}
        if (pictures := _pick(container, "video")) is not None:
            streams["video"] = pictures
        if (sound := _pick(container, "audio")) is not None:
            streams["audio"] = sound
        ends = _measure(path, container) if measure else {}
        return {
            kind: Track(path, stream.index, *_extent(stream, container, ends.get(stream.index)))
            for kind, stream in streams.items()
        }


class Packets:
    """The packets of one track, in file order, with jumps ahead that cannot lose anything.

    A jump that fails, or that lands where it should not, is repaired by :meth:`restart`: slow and right.
    """

    def __init__(self, track: Track) -> None:
        self.track = track
        self._reopen()

    def __enter__(self) -> Packets:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def next(self) -> Packet[Any] | None:
        """The next packet, or None at the end of the file."""
        packet = next(self._iterator, None)
        if packet is None or (packet.size == 0 and packet.dts is None and packet.pts is None):
            return None
        if packet.dts is not None or packet.pts is not None:
            self.position = self.sent_at(packet)
        return packet

    def sent_at(self, packet: Packet[Any]) -> float:
        """The decoding time of a packet in seconds: nothing after it in the file is shown earlier."""
        ticks = packet.dts if packet.dts is not None else packet.pts
        return self.position if ticks is None else seconds(ticks, packet)

    def shown_at(self, packet: Packet[Any]) -> float:
        """The presentation time of a packet in seconds."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        return self.position if ticks is None else seconds(ticks, packet)

    def decode(self, packet: Packet[Any] | None) -> list[Any]:
        """The frames that a packet completes; those still held back for None, at the end."""
        frames: list[Any] = self.stream.codec_context.decode(packet)
        for frame in frames:
            if frame.time_base is None:  # as those that come at the end
                frame.time_base = self.stream.time_base
        return frames

    def jump(self, time: float, *, anywhere: bool = False) -> bool:
        """Go on at or before ``time`` seconds; false where the file cannot do that (then :meth:`restart`).

        Args:
            time: on the file's clock.
            anywhere: not only where decoding can begin.
        """
        try:
            self._container.seek(round(time / self.stream.time_base), stream=self.stream, any_frame=anywhere)
        except (FFmpegError, OverflowError):
            return False
        self.stream.codec_context.flush_buffers()
        self._iterator = self._container.demux(self.stream)
        self.position = time
        return True

    def restart(self) -> None:
        """Go back to the beginning of the file."""
        self._container.close()
        self._reopen()

    def _reopen(self) -> None:
        self._container = _open(self.track.path)
        # PyAV's types know streams by their base class alone.
        self.stream: Any = self._container.streams[self.track.index]
        if self.stream.type == "video":
            # Otherwise broken pictures are patched up with grey and with what was there before, and nobody is told.
            self.stream.codec_context.options = {"err_detect": "explode", "max_pixels": str(_MAX_PIXELS)}
        self.stream.codec_context.thread_count = 1
        self._iterator = self._container.demux(self.stream)
        self.position = self.track.start


def _open(path: Path) -> InputContainer:
    if (reason := missing(path)) is not None:
        raise DecodeError(reason)
    try:
        # An absolute path cannot be taken for a protocol, and a playlist cannot reach the network.
        container = av.open(str(path.absolute()), metadata_errors="replace", options={"protocol_whitelist": "file"})
    except OSError as error:
        raise DecodeError(f"{path}: it cannot be read ({error.strerror})") from error
    except FFmpegError as error:
        raise DecodeError(f"{path}: not a media file, or cut off or damaged ({error.strerror})") from error
    if _PLAYLISTS & set(container.format.name.split(",")):
        container.close()
        raise DecodeError(f"{path}: a {container.format.long_name} playlist, not a media file")
    return container


def _pick(container: InputContainer, kind: Kind) -> Stream | None:
    streams = [s for s in container.streams if s.type == kind and not s.disposition & Disposition.attached_pic]
    best = container.streams.best(kind)
    chosen = next((s for s in streams if best is not None and s.index == best.index), None) or next(iter(streams), None)
    if chosen is not None and chosen.codec_context is None:
        raise DecodeError(f"{container.name}: its {kind} codec cannot be decoded here")
    return chosen


def _extent(stream: Stream, container: InputContainer, measured: tuple[float, float] | None) -> tuple[float, float]:
    """Start and end of a stream on the file's clock."""
    if stream.start_time is not None:
        start = seconds(stream.start_time, stream)
    elif measured is not None:
        start = measured[0]
    else:
        stamped = (p for p in container.demux(stream) if p.pts is not None and not p.is_discard)
        start = next((seconds(p.pts or 0, p) for p in stamped), 0.0)
    if measured is not None:
        return start, max(measured[1], start)
    if stream.duration:
        return start, start + seconds(stream.duration, stream)
    if container.duration:
        return start, start + container.duration / av.time_base
    return start, math.inf


def _measure(path: Path, container: InputContainer) -> dict[int, tuple[float, float]]:
    """(start, end) in seconds of each stream that has packets, by reading all of them."""
    extents: dict[int, tuple[float, float]] = {}
    for packet in container.demux(list(container.streams)):  # not those that turn up on the way
        ticks = packet.pts if packet.pts is not None else packet.dts
        if ticks is None or packet.is_discard:
            continue
        start = seconds(ticks, packet)
        end = start + seconds(packet.duration or 0, packet)
        if not packet.duration and packet.stream.type == "video":
            end = start + float(1 / (packet.stream.average_rate or _USUAL_RATE))
        known = extents.get(packet.stream_index, (start, end))
        extents[packet.stream_index] = (min(known[0], start), max(known[1], end))
    if not extents:
        raise DecodeError(f"{path}: a header without any picture or sound after it")
    _check_whole(path, container, extents)
    return extents


def _check_whole(path: Path, container: InputContainer, extents: dict[int, tuple[float, float]]) -> None:
    if not _STATES_DURATION & set(container.format.name.split(",")):
        return
    stated = [
        (seconds(s.duration, s), extents.get(s.index, (0.0, 0.0)))
        for s in container.streams
        if s.type in ("video", "audio") and s.duration
    ]
    if not stated and container.duration:
        starts, ends = zip(*extents.values(), strict=True)
        stated = [(container.duration / av.time_base, (min(*starts, 0.0), max(ends)))]
    for said, (start, end) in stated:
        if said - (end - start) > max(0.5, 0.01 * said):
            raise DecodeError(
                f"{path}: the file is cut off: its header says {said:.2f} s, it holds {end - start:.2f} s"
            )

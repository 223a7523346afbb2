"""Opening media files: which streams there are, when they begin and end, and their packets in order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import av
from av.container import InputContainer
from av.error import ArgumentError, FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream

from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.entry_points import has_entry_points, is_entry_point, is_shown_at_once
from lstta_tasks.data.files import missing
from lstta_tasks.data.formats import OPTIONS
from lstta_tasks.data.measure import Measured, seconds
from lstta_tasks.data.measure import measure as _measure

__all__ = ["MOST_PIXELS", "Kind", "Packets", "Track", "find_tracks", "find_tracks_again", "reasons", "seconds"]

Kind = Literal["video", "audio"]

# Formats whose header has the time of every packet, so that the rest need not be read to trust them.
_INDEXED = {"mov", "mp4"}
# Titles that are not UTF-8: PyAV 19 reads them as they are, those before have to be told to.
_TITLES: dict[str, Any] = {} if int(av.__version__.partition(".")[0]) >= 19 else {"metadata_errors": "replace"}
# A picture has at most this many, which is 8K; a decoder that meets more stops before it takes memory for it.
MOST_PIXELS = 1 << 25


@dataclass(frozen=True)
class Track:
    """One stream of a file, in seconds of the file's own clock.

    Attributes:
        path: the file.
        index: the stream's number in it.
        start: when it begins.
        end: when it ends; infinite where that is not known.
        is_exact: whether these are its packets' own times: all were read, or the header has an index of them.
        is_measured: whether all packets were read.
        breaks: (n, ticks): from its n-th packet on, so many ticks are added, for clocks that begin anew.
        is_steady: whether, as far as was read, no packet changes the decoder's settings after the first.
    """

    path: Path
    index: int
    start: float
    end: float
    is_exact: bool = False
    is_measured: bool = False
    breaks: tuple[tuple[int, int], ...] = ()
    is_steady: bool = True


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
        leading = pictures or sound
        is_exact = measure or _has_index(container, list(streams.values()))
        found = _measure(path, container, list(streams.values()), leading) if measure else {}
        tracks: dict[Kind, Track] = {}
        for kind, stream in streams.items():
            own = found.get(stream.index)
            start, end = _extent(stream, container, own)
            if own is None:
                tracks[kind] = Track(path, stream.index, start, end, is_exact, measure)
            else:
                tracks[kind] = Track(path, stream.index, start, end, is_exact, measure, own.breaks, own.steady)
        return tracks


def find_tracks_again(path: Path) -> dict[Kind, Track]:
    """:func:`find_tracks`, measured; the file is read once, however many clips are parts of it."""
    with reasons(path):
        file = path.stat()
    return _found(path, file.st_size, file.st_mtime_ns, file.st_ino)


@lru_cache(maxsize=64)
def _found(path: Path, size: int, changed: int, inode: int) -> dict[Kind, Track]:
    return find_tracks(path, measure=True)


class Packets:
    """The packets of one track, in file order, with jumps ahead.

    A jump that fails, or that lands where it should not, is repaired by :meth:`restart`: slow and right.

    Args:
        track: whose.
        strict: refuse every picture with the least irregularity, rather than patch it up. Of pictures alone.
    """

    def __init__(self, track: Track, *, strict: bool = True) -> None:
        self.track = track
        self.strict = strict
        self._reopen()

    def __enter__(self) -> Packets:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def next(self) -> Packet[Any] | None:
        """The next packet, or None at the end of the file."""
        for packet in self._iterator:
            if packet.size == 0 and packet.dts is None and packet.pts is None:
                continue
            self._set_right(packet)
            if packet.dts is not None or packet.pts is not None:
                self.position = self.sent_at(packet)
            return packet
        return None

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
        if packet is not None and not packet.size:  # which a decoder would take for the end
            return []
        frames: list[Any] = self.stream.codec_context.decode(packet)
        for frame in frames:
            if not frame.time_base:  # as those that come at the end
                frame.time_base = self.stream.time_base
        return frames

    @property
    def counts_sent(self) -> bool:
        """Whether pictures are timed by when the decoder gets its packets: the format states no other times."""
        return self._is_avi

    @property
    def can_enter(self) -> bool:
        """Whether decoding may begin anywhere but at the track's beginning."""
        context = self.stream.codec_context
        codec = context.codec.canonical_name
        if self.track.breaks or not self.track.is_steady or (self._is_avi and context.has_b_frames):
            return False
        return has_entry_points(codec, context.pix_fmt)

    @property
    def can_jump(self) -> bool:
        """Whether packets have the same times wherever reading begins.

        In MPEG program streams only some pictures state theirs; FFmpeg makes up the others from what it read before.
        """
        return self._container.format.name != "mpeg"

    def is_entry(self, packet: Packet[Any]) -> bool:
        """Whether this packet's picture and all that are shown after it need nothing that comes before."""
        if not packet.is_keyframe or packet.pts is None or packet.is_discard:
            return False
        context, data = self.stream.codec_context, bytes(packet)
        if context.has_b_frames and packet.pts == packet.dts and not is_shown_at_once(data):
            return False  # others are shown before it: its time was made up
        return is_entry_point(context.codec.canonical_name, data, context.extradata or b"")

    def has_key(self, after: float, time: float) -> bool:
        """Whether the file's index has a keyframe between two times; false where there is no such index."""
        found = self.stream.index_entries.search_timestamp(round(time / self.stream.time_base) - 1)
        if found < 0:
            return False
        entry = self.stream.index_entries[found]
        return bool(entry.is_keyframe and entry.timestamp * self.stream.time_base > after + 1.0)

    def jump(self, time: float, *, anywhere: bool = False) -> bool:
        """Go on at or before ``time`` seconds; false where the file cannot do that (then :meth:`restart`).

        Args:
            time: on the file's clock.
            anywhere: not only where decoding can begin.
        """
        if self.track.breaks:
            return False
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
        self._is_avi = self._container.format.name == "avi"
        # PyAV's types know streams by their base class alone.
        self.stream: Any = self._container.streams[self.track.index]
        if self.stream.type == "video":
            # Otherwise broken pictures are patched up with grey and with what was there before, and nobody is told.
            strictness = {"err_detect": "explode"} if self.strict else {}
            self.stream.codec_context.options = {**strictness, "max_pixels": str(MOST_PIXELS)}
        self.stream.codec_context.thread_count = 1
        self._iterator = self._container.demux(self.stream)
        self._number = 0
        self.position = self.track.start

    def _set_right(self, packet: Packet[Any]) -> None:
        """Add to a packet's times what its clock lost when it began anew."""
        add = next((ticks for first, ticks in reversed(self.track.breaks) if first <= self._number), 0)
        self._number += 1
        if add:
            packet.pts = None if packet.pts is None else packet.pts + add
            packet.dts = None if packet.dts is None else packet.dts + add


def _open(path: Path) -> InputContainer:
    if (reason := missing(path)) is not None:
        raise DecodeError(reason)
    try:
        # An absolute path cannot be taken for a protocol. Opening a file decodes its first picture, so that how large
        # one may be has to be said here too.
        options = {**OPTIONS, "max_pixels": str(MOST_PIXELS)}
        container = av.open(str(path.absolute()), options=options, **_TITLES)
    except ArgumentError as error:  # which is what a format that is not allowed gives
        raise DecodeError(
            f"{path}: not a media file: a playlist, which names other files, or a format that is not read here"
        ) from error
    except OSError as error:
        raise DecodeError(f"{path}: it cannot be read ({error.strerror})") from error
    except FFmpegError as error:
        raise DecodeError(f"{path}: not a media file, or cut off or damaged ({error.strerror})") from error
    return container


def _pick(container: InputContainer, kind: Kind) -> Stream | None:
    streams = [s for s in container.streams if s.type == kind and not s.disposition & Disposition.attached_pic]
    best = container.streams.best(kind)
    chosen = next((s for s in streams if best is not None and s.index == best.index), None) or next(iter(streams), None)
    if chosen is not None and chosen.codec_context is None:
        raise DecodeError(f"{container.name}: its {kind} codec cannot be decoded here")
    return chosen


def _has_index(container: InputContainer, streams: list[Stream]) -> bool:
    """Whether the header lists every packet of these streams."""
    return bool(_INDEXED & set(container.format.name.split(","))) and all(s.frames and s.duration for s in streams)


def _extent(stream: Stream, container: InputContainer, measured: Measured | None) -> tuple[float, float]:
    """Start and end of a stream on the file's clock."""
    if stream.start_time is not None:
        start = seconds(stream.start_time, stream)
    elif measured is not None:
        start = measured.start
    else:
        stamped = (p for p in container.demux(stream) if p.pts is not None and not p.is_discard)
        start = next((seconds(p.pts or 0, p) for p in stamped), 0.0)
    if measured is not None:
        return start, max(measured.end, start)
    if stream.duration:
        return start, start + seconds(stream.duration, stream)
    if container.duration:
        return start, start + container.duration / av.time_base
    return start, math.inf

"""Reading a whole file without decoding it: when its streams begin and end, and whether their clocks hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.format import Flags
from av.frame import Frame
from av.packet import Packet, PktSideDataT
from av.stream import Stream

from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.entry_points import mpeg4_kinds
from lstta_tasks.data.sound_headers import has_headers, rate_and_samples

# Formats whose header states how long each stream is, or all of them together; others are estimates from a bit rate.
_STATES_EACH = {"mov", "mp4", "avi", "wav", "flac"}
_STATES_ALL = {"matroska", "webm"}
# Pictures a second, where a file says nothing of how long its only picture is shown (our choice).
USUAL_RATE = 25
# As FFmpeg has it, in seconds: a clock that goes back by more has begun anew, one that goes on by more has skipped.
_BACK, _AHEAD = 0.1, 10.0
# Where FFmpeg sets nothing right, and small steps back are those of B-frames without times of their own.
_BACK_AT_ALL = 1.0
_KEPT_STATE: tuple[PktSideDataT, ...] = ("palette", "new_extradata", "param_change")


@dataclass
class Measured:
    """One stream.

    Attributes:
        start, end: in seconds of the file's clock.
        breaks: (n, ticks): from its n-th packet on, so many ticks are added, for clocks that begin anew.
        steady: whether no packet changes the decoder's settings after the first.
    """

    start: float
    end: float
    breaks: tuple[tuple[int, int], ...] = ()
    steady: bool = True


def seconds(ticks: int, of: Packet[Any] | Stream | Frame) -> float:
    """A time stamp or a duration of a packet, stream or frame in seconds."""
    if not of.time_base:  # None, or from PyAV 19 on a fraction that is not one
        raise ValueError("a stream without a time base")
    return float(ticks * of.time_base)


def has_kept_state(packet: Packet[Any]) -> bool:
    """Whether a packet brings settings that its decoder keeps: a palette that comes once, a new header."""
    if next(packet.iter_sidedata(), None) is None:
        return False
    return any(packet.has_sidedata(kind) for kind in _KEPT_STATE)


@dataclass
class _Stretch:
    """Packets of a stream between two breaks of its clock."""

    first: int  # the number of its first packet
    start: float
    end: float
    jump: float = 0.0  # seconds from where the clock should be to where it is


@dataclass
class _Seen:
    tick: float  # in seconds
    usual: float  # how long a packet lasts that does not say so, in seconds
    stretches: list[_Stretch] = field(default_factory=list)
    count: int = 0
    due: float | None = None  # when the next packet should be sent
    last: float | None = None
    steady: bool = True
    rate: int | None = None  # of the last packet of sound by its own header, in Hz
    lasts: float = 0.0  # what all of them together last

    def count_sound(self, header: tuple[int, int] | None) -> None:
        """Take the header of a packet of sound into account."""
        if header is not None:
            rate, samples = header
            self.steady = self.steady and self.rate in (None, rate)
            self.rate = rate
            self.lasts += samples / rate


def measure(
    path: Path, container: InputContainer, streams: Collection[Stream], leading: Stream | None
) -> dict[int, Measured]:
    """What all packets of a file say, by the index of their stream.

    Args:
        path: of the file, for messages.
        container: opened anew.
        streams: those whose clocks must agree.
        leading: the one among them whose clock counts.

    Raises:
        DecodeError: nothing is in it, it is cut off, or its clock runs back where FFmpeg does not set it right.
    """
    watched = {stream.index for stream in streams}
    ahead = Flags.ts_discont in Flags(container.format.flags)
    headers = {
        s.index: s.codec_context.name for s in streams if has_headers(container.format.name, s.codec_context.name)
    }
    # In AVI the times of B-frames depend on what came before.
    unstated = {s.index for s in streams if container.format.name == "avi" and s.codec_context.name == "mpeg4"}
    seen: dict[int, _Seen] = {}
    for packet in container.demux(list(container.streams)):  # not those that turn up on the way
        if packet.stream_index not in seen:
            seen[packet.stream_index] = _new(packet.stream)
        _look(packet, seen[packet.stream_index], watched=packet.stream_index in watched, ahead=ahead)
        if packet.stream_index in unstated and packet.size and mpeg4_kinds(bytes(packet)) not in ([0], [1]):
            seen[packet.stream_index].steady = False
        if packet.stream_index in headers and packet.size:
            seen[packet.stream_index].count_sound(rate_and_samples(headers[packet.stream_index], bytes(packet)))
    seen = {index: stream for index, stream in seen.items() if stream.stretches}
    if not seen:
        raise DecodeError(f"{path}: a header without any picture or sound after it")
    offsets = _offsets(path, seen, watched, leading, mends=ahead)
    measured = {}
    for index, stream in seen.items():
        own = offsets if index in watched else [0.0] * len(stream.stretches)
        time_base = container.streams[index].time_base
        assert time_base
        measured[index] = Measured(
            min(s.start + o for s, o in zip(stream.stretches, own, strict=False)),
            max(s.end + o for s, o in zip(stream.stretches, own, strict=False)),
            tuple((s.first, round(o / time_base)) for s, o in zip(stream.stretches, own, strict=False) if o),
            stream.steady,
        )
        if stream.rate is not None and not stream.steady and container.format.name in ("mp3", "aac"):
            measured[index].end = measured[index].start + stream.lasts
    _check_whole(path, container, measured)
    return measured


def _new(stream: Stream) -> _Seen:
    if not stream.time_base:
        raise ValueError("a stream without a time base")
    rate = stream.average_rate if stream.type == "video" else None
    return _Seen(float(stream.time_base), float(1 / (rate or USUAL_RATE)) if stream.type == "video" else 0.0)


def _look(packet: Packet[Any], stream: _Seen, *, watched: bool, ahead: bool) -> None:
    number, stream.count = stream.count, stream.count + 1
    if watched and number and has_kept_state(packet):
        stream.steady = False
    ticks = packet.pts if packet.pts is not None else packet.dts
    if ticks is None and not packet.size:
        stream.count -= 1  # the mark at the end
        return
    if ticks is None:  # as in files that are nothing but pictures
        start = stream.stretches[-1].end if stream.stretches else 0.0
    else:
        start = ticks * stream.tick
    lasts = packet.duration * stream.tick if packet.duration else stream.usual
    jump = 0.0
    if watched and packet.dts is not None:
        sent = packet.dts * stream.tick
        if stream.due is not None and stream.last is not None:
            off = sent - stream.due
            if sent < stream.last - (_BACK if ahead else _BACK_AT_ALL) or (ahead and off > _AHEAD):
                jump = off
        stream.last, stream.due = sent, sent + lasts
    if packet.is_discard:
        return
    if jump or not stream.stretches:
        stream.stretches.append(_Stretch(number, start, start + lasts, jump))
    stretch = stream.stretches[-1]
    stretch.start, stretch.end = min(stretch.start, start), max(stretch.end, start + lasts)


def _offsets(
    path: Path, seen: dict[int, _Seen], watched: set[int], leading: Stream | None, *, mends: bool
) -> list[float]:
    """What is added to the times of each stretch so that the leading stream's clock runs on, as FFmpeg adds it."""
    if leading is None or leading.index not in seen:
        return [0.0]
    stretches = seen[leading.index].stretches
    others = [stream for index, stream in seen.items() if index in watched]
    agree = all(len(stream.stretches) == len(stretches) for stream in others)
    back = next((s for s in stretches[1:] if s.jump < 0), None)
    if back is not None and not (mends and agree):
        raise DecodeError(
            f"{path}: its clock goes back by {-back.jump:.2f} s, to {back.start:.2f} s: parts of it have the same "
            "times. Join the parts anew, for example with FFmpeg's concat demuxer"
        )
    if not agree:  # one stream alone pauses: its times are right
        for stream in others:
            stream.stretches = _joined(stream.stretches)
        return [0.0]
    offset, offsets = 0.0, []
    for stretch in stretches:
        offset -= stretch.jump
        offsets.append(offset)
    return offsets


def _joined(stretches: list[_Stretch]) -> list[_Stretch]:
    return [_Stretch(stretches[0].first, min(s.start for s in stretches), max(s.end for s in stretches))]


def _check_whole(path: Path, container: InputContainer, extents: dict[int, Measured]) -> None:
    formats = set(container.format.name.split(","))
    stated = []
    if formats & _STATES_EACH:
        stated = [
            (seconds(s.duration, s), extents.get(s.index, Measured(0.0, 0.0)))
            for s in container.streams
            if s.type in ("video", "audio") and s.duration
        ]
    if not stated and formats & (_STATES_EACH | _STATES_ALL) and container.duration:
        whole = Measured(min(0.0, *(m.start for m in extents.values())), max(m.end for m in extents.values()))
        stated = [(container.duration / av.time_base, whole)]
    for said, held in stated:
        start = min(0.0, held.start) if container.format.name == "avi" else held.start  # AVI counts pictures from 0
        if said - (held.end - start) > max(0.5, 0.01 * said):
            raise DecodeError(
                f"{path}: the file is cut off: its header says {said:.2f} s, it holds {held.end - start:.2f} s"
            )

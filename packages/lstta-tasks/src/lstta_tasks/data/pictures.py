"""Pictures of a video at wanted times, decoding no more than is needed to see them."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from fractions import Fraction
from typing import Any

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.complaints import listening
from lstta_tasks.data.measure import has_kept_state
from lstta_tasks.data.picture_clock import PictureClock
from lstta_tasks.data.scout import Scout
from lstta_tasks.data.tracks import MOST_PIXELS, Packets, Track, seconds

# Up to this many seconds ahead, packets are read and thrown away; beyond it the file is asked to jump.
_READ_AHEAD = 10.0
# Two times that are so close in seconds are one: a wanted time is rounded, and may fall on a picture's.
_ROUNDING = 1e-6
# Bytes of packets that are held at most while looking for one to begin with.
_MOST_HELD = 64 << 20
# How long a last picture may stay on the screen past its own duration, where a header alone says that there is more.
_LAST_PICTURE = 0.5


class _DoubtError(Exception):
    """A decoder that is strict refused something, which may or may not be damage."""


class PictureReader:
    """Reads the pictures that are on the screen at increasing times: those that decoding the whole file would show.

    Between two wanted times it decodes on, or starts anew where the codec's standard says that nothing before matters:
    whatever reads fewer packets. Presentation timestamps decide, so a variable frame rate needs no special care.

    At first the decoder is strict. What it refuses is decoded once more from the beginning as FFmpeg does by itself,
    and counts as damaged only where FFmpeg complains of more than side messages.
    """

    def __init__(self, track: Track) -> None:
        self._track = track
        self._packets = Packets(track)
        self._scout = Scout(track)
        self._may_enter = True
        if track.breaks:
            self._check_clock()
        self._from_start()

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Width of a stored pixel divided by its height; None where the file does not say."""
        aspect = self._packets.stream.sample_aspect_ratio
        return Fraction(aspect.numerator, aspect.denominator) if aspect else None

    def close(self) -> None:
        """Close the file."""
        self._scout.close()
        self._packets.__exit__(None, None, None)

    def at(self, time: float) -> tuple[float, VideoFrame]:
        """The picture on the screen at ``time`` seconds of the file's clock, and since when it is there.

        Before the first picture that is the first one; after the last one it stays, if all packets were read to learn
        when the track ends. Times must not go back from call to call.

        Raises:
            DecodeError: the picture, or one that it is built on, is damaged, or the file ends before it.
        """
        while True:
            try:
                self._show(time)
                if self._shown is None and self._entered is not None:  # it should not be: no more jumps
                    self._may_enter = False
                    self._begin_again()
                    continue
                return self._checked(time)
            except _DoubtError:
                self._packets.strict = False
                self._begin_again()

    def _check_clock(self) -> None:
        """Where parts were put one after the other, see that no two pictures of the whole file claim the same time.

        Raises:
            DecodeError: some do.
        """
        with Packets(self._track, strict=False) as packets:
            clock = PictureClock(packets)
            packet: Packet[Any] | None
            while True:
                packet = packets.next()
                with suppress(FFmpegError):
                    for picture in packets.decode(packet):
                        clock.time(picture)
                if packet is None:
                    return

    def _checked(self, time: float) -> tuple[float, VideoFrame]:
        path = self._track.path
        shown = self._shown or (self._later[0] if self._later else None)
        if shown is None:
            size = "" if self._packets.stream.width else f" (or one has more than {MOST_PIXELS:,} pixels)"
            raise DecodeError(f"{path}: no picture can be decoded{size}{self._because()}")
        since, picture = shown
        if self._shown is None and self._complaint is not None:
            raise DecodeError(f"{path}: damaged at its beginning, before {since:.2f} s{self._because()}")
        if picture.is_corrupt:
            if self._packets.strict:
                raise _DoubtError
            raise DecodeError(f"{path}: the picture at {since:.2f} s is damaged")
        lasts = seconds(picture.duration or 0, picture) + _LAST_PICTURE
        if self._ended and not self._later and not self._track.is_measured and time > since + lasts:
            raise DecodeError(f"{path}: the pictures end at {since:.2f} s, the one at {time:.2f} s is missing")
        return since, picture

    def _begin_again(self) -> None:
        self._packets.restart()
        self._from_start()

    def _from_start(self) -> None:
        self._clock = PictureClock(self._packets)
        self._waiting: deque[Packet[Any]] = deque()  # read, not yet decoded
        self._later: deque[tuple[float, VideoFrame]] = deque()  # decoded, not yet on the screen
        self._shown: tuple[float, VideoFrame] | None = None
        self._complaint: str | None = None
        self._is_spoilt = False  # whether it was of a picture that later ones are built on
        self._first_key: float | None = None  # when the first keyframe of all is shown
        self._entered: float | None = None  # when the picture is shown that decoding began anew with
        self._read_all = False
        self._ended = False

    def _show(self, time: float) -> None:
        """Decode until the two pictures after the wanted one are known."""
        self._turn(time)
        if not self._later and not self._ended and self._may_enter and self._packets.can_enter:
            self._approach(time)
        while len(self._later) < 2 and not self._ended:
            self._decode()
            self._turn(time)

    def _turn(self, time: float) -> None:
        """Go on to the last picture that has come on. None that comes after two that have not is earlier than both."""
        past = [since <= time + _ROUNDING for since, _ in self._later]
        for _ in range(len(past) - past[::-1].index(True) if any(past) else 0):
            self._shown = self._later.popleft()

    def _approach(self, time: float) -> None:
        """Drop packets that the wanted picture does not need: those before the last one that stands for itself."""
        packets = self._packets
        if time - packets.position > _READ_AHEAD and packets.can_jump and not self._jump(time):
            return
        keep = deque(self._waiting)
        self._waiting.clear()
        held = 0
        while keep or not self._read_all:
            packet = keep.popleft() if keep else self._read()
            if packet is None:
                break
            if self._waiting and packets.shown_at(packet) <= time and packets.is_entry(packet):
                if any(map(has_kept_state, self._waiting)):
                    self._may_enter = False
                    self._waiting.append(packet)
                    break
                self._waiting.clear()
                held = 0
                self._enter(packet)
                packets.stream.codec_context.flush_buffers()
            self._waiting.append(packet)
            held += packet.size
            if (not keep and packets.sent_at(packet) > time) or held > _MOST_HELD:
                break
        self._waiting += keep

    def _jump(self, time: float) -> bool:
        """Go on with a picture far ahead, where there is one; false where the reader had to begin again."""
        packets, after = self._packets, self._packets.position
        found: Packet[Any] | None = None
        is_fresh = not (self._shown or self._later or self._waiting)
        if is_fresh or packets.has_key(after, time):  # nothing is lost, or there is something to find
            landed = self._scout.go(packets, after, time)
            found = None if landed is None else landed[0]
            if found is None:
                self._may_enter = is_fresh
                self._begin_again()
                return is_fresh
        elif (entry := self._scout.entry(after, time)) is not None:
            found = self._scout.follow(packets, entry)
            if found is None:
                self._may_enter = False
                self._begin_again()
                return False
        if found is not None:
            self._waiting.clear()
            self._enter(found)
            self._waiting.append(found)
        return True

    def _enter(self, packet: Packet[Any]) -> None:
        """Begin anew with a packet."""
        self._later.clear()
        self._shown = None
        self._complaint, self._is_spoilt = None, False
        self._entered = self._packets.shown_at(packet)
        self._clock.jump()

    def _read(self) -> Packet[Any] | None:
        packet = self._packets.next()
        self._read_all = packet is None
        return packet

    def _decode(self) -> None:
        packet = self._waiting.popleft() if self._waiting else self._read()
        pictures: list[VideoFrame] = []
        heard: list[str] = []
        try:
            if self._packets.strict:
                pictures = self._packets.decode(packet)
            else:
                with listening() as heard:
                    pictures = self._packets.decode(packet)
        except FFmpegError as error:
            heard.append(error.strerror or str(error))
        if packet is not None and packet.is_keyframe and self._first_key is None:
            self._first_key = self._packets.shown_at(packet)
        for picture in pictures:
            time = self._clock.time(picture)
            if self._entered is None or time >= self._entered:  # others are built on what was left out
                self._later.append((time, picture))
        self._ended = packet is None
        if heard:
            self._doubt(packet, heard[0])
        if self._is_spoilt and self._later:
            raise DecodeError(f"{self._track.path}: damaged before {self._later[0][0]:.2f} s{self._because()}")

    def _doubt(self, packet: Packet[Any] | None, complaint: str) -> None:
        """What to make of a complaint: nothing, a reason for a second look, or damage."""
        shown = None if packet is None else self._packets.shown_at(packet)
        if self._entered is not None and shown is not None and shown < self._entered:
            return  # it is shown before the picture that decoding began with, and built on what was left out
        if self._packets.strict:
            raise _DoubtError
        # Streams cut out of a broadcast begin with pictures that cannot be decoded yet.
        is_early = self._first_key is None or (shown is not None and shown < self._first_key)
        if (is_early and self._entered is None) or (self._shown is None and not self._later):
            self._complaint = complaint
            self._is_spoilt = self._is_spoilt or not is_early
        else:
            at = "its end" if shown is None else f"{shown:.2f} s"
            raise DecodeError(f"{self._track.path}: damaged at {at}: {complaint}")

    def _because(self) -> str:
        return "" if self._complaint is None else f": {self._complaint}"

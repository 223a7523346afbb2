"""Pictures of a video at wanted times, decoding no more than is needed to see them."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import Any

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.tracks import Packets, Track, seconds

# Up to this many seconds ahead, packets are read and thrown away; beyond it the file is asked to jump.
_READ_AHEAD = 10.0
# How far before the wanted time a jump aims: at first a little, since indices may go by decoding time; then as far
# as keyframes usually lie apart, for formats whose jumps know no keyframes; then not at all.
_JUMPS_SHORT_BY = (0.5, 15.0, None)
# How long a last picture may stay on the screen past its own duration.
_LAST_PICTURE = 0.5


class PictureReader:
    """Reads the pictures that are on the screen at increasing times.

    Between two wanted times it decodes on, or starts anew from the last keyframe before the second: whatever reads
    fewer packets. Presentation timestamps decide, so a variable frame rate needs no special care.
    """

    def __init__(self, track: Track) -> None:
        self._packets = Packets(track)
        self._path = track.path
        self._care = 0  # how often a picture was missed so far, which says what to do without
        self._from_start()

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Width of a stored pixel divided by its height; None where the file does not say."""
        aspect: Fraction | None = self._packets.stream.sample_aspect_ratio
        return aspect or None

    def close(self) -> None:
        """Close the file."""
        self._packets.__exit__(None, None, None)

    def at(self, time: float) -> tuple[float, VideoFrame]:
        """The picture on the screen at ``time`` seconds of the file's clock, and since when it is there.

        Before the first picture that is the first one. Times must not go back from call to call.

        Raises:
            DecodeError: the picture, or one that it is built on, is damaged, or the file ends before it.
        """
        self._show(time)
        while self._shown is None and self._skipped:
            # A jump, or a picture that only called itself a keyframe, led past it: try again with more care.
            self._care += 1
            self._packets.restart()
            self._from_start()
            self._show(time)
        shown = self._shown or (self._later[0] if self._later else None)
        if shown is None:
            raise DecodeError(f"{self._path}: no picture can be decoded{self._because()}")
        since, picture = shown
        if self._shown is None and self._error is not None:
            raise DecodeError(f"{self._path}: damaged at its beginning, before {since:.2f} s{self._because()}")
        if picture.is_corrupt:
            raise DecodeError(f"{self._path}: the picture at {since:.2f} s is damaged")
        lasts = seconds(picture.duration or 0, picture) + _LAST_PICTURE
        if self._ended and not self._later and time > since + lasts:
            raise DecodeError(f"{self._path}: the pictures end at {since:.2f} s, the one at {time:.2f} s is missing")
        return since, picture

    def _from_start(self) -> None:
        self._waiting: deque[Packet[Any]] = deque()  # read, not yet decoded
        self._later: deque[tuple[float, VideoFrame]] = deque()  # decoded, not yet on the screen
        self._shown: tuple[float, VideoFrame] | None = None
        self._error: FFmpegError | None = None
        self._read_all = False
        self._ended = False
        self._skipped = False

    def _show(self, time: float) -> None:
        """Decode until the picture after the wanted one is known."""
        self._turn(time)
        if not self._later and not self._ended and self._care < len(_JUMPS_SHORT_BY):
            self._approach(time, _JUMPS_SHORT_BY[self._care])
        while not self._later and not self._ended:
            self._decode()
            self._turn(time)

    def _turn(self, time: float) -> None:
        while self._later and self._later[0][0] <= time:
            self._shown = self._later.popleft()

    def _approach(self, time: float, short_by: float | None) -> None:
        """Drop packets that the wanted picture does not need: those before its keyframe."""
        packets = self._packets
        if short_by is not None and time - packets.position > max(_READ_AHEAD, short_by):
            if packets.jump(time - short_by):
                self._waiting.clear()
                self._forget()
            else:
                packets.restart()
                self._from_start()
        keep = deque(self._waiting)
        self._waiting.clear()
        while keep or not self._read_all:
            packet = keep.popleft() if keep else self._read()
            if packet is None:
                break
            if packet.is_keyframe and packets.shown_at(packet) <= time and self._waiting:
                self._waiting.clear()
                self._forget()
                packets.stream.codec_context.flush_buffers()
            self._waiting.append(packet)
            if not keep and packets.sent_at(packet) > time:
                break

    def _forget(self) -> None:
        self._later.clear()
        self._shown = None
        self._skipped = True

    def _read(self) -> Packet[Any] | None:
        packet = self._packets.next()
        self._read_all = packet is None
        return packet

    def _decode(self) -> None:
        packet = self._waiting.popleft() if self._waiting else self._read()
        try:
            pictures = self._packets.decode(packet)
        except FFmpegError as error:
            if self._shown is not None:
                at = "its end" if packet is None else f"{self._packets.shown_at(packet):.2f} s"
                raise DecodeError(f"{self._path}: damaged at {at}: {error.strerror}") from error
            # Streams cut out of a broadcast begin with pictures that cannot be decoded yet.
            self._error = error
            pictures = []
        for picture in pictures:
            ticks = picture.pts if picture.pts is not None else picture.dts
            if ticks is not None:
                self._later.append((seconds(ticks, picture), picture))
        self._ended = packet is None

    def _because(self) -> str:
        return "" if self._error is None else f": {self._error.strerror}"

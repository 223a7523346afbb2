"""When a decoded picture is shown, as FFmpeg's own program reckons it."""

from __future__ import annotations

from av.video.frame import VideoFrame

from lstta_tasks.data.clip import DecodeError
from lstta_tasks.data.measure import USUAL_RATE, seconds
from lstta_tasks.data.tracks import Packets


class PictureClock:
    """The times of one track's pictures, in the order in which the decoder gives them.

    Most pictures carry the time that their container states. Where those times contradict each other more often than
    the times of decoding do, these count, as in FFmpeg; where a format states no others, as AVI, they always do. A
    picture without any is shown when the one before it ends.
    """

    def __init__(self, packets: Packets) -> None:
        self._packets = packets
        rate = packets.stream.average_rate
        self._usual = float(1 / (rate or USUAL_RATE))
        self._next = packets.track.start
        self._wrong = {"pts": 0, "dts": 0}
        self.jump()

    def jump(self) -> None:
        """What comes next does not follow what came before."""
        self._last: dict[str, int | None] = {"pts": None, "dts": None}
        self._two: tuple[float, ...] = ()  # when the two pictures before are shown

    def time(self, picture: VideoFrame) -> float:
        """In seconds of the file's clock.

        One picture may have a time that is a little late, as the last of a group in MPEG program streams.

        Raises:
            DecodeError: it goes back behind the two pictures before.
        """
        ticks = picture.dts if self._packets.counts_sent else self._likely(picture.pts, picture.dts)
        time = self._next if ticks is None else seconds(ticks, picture)
        if time < min(self._two, default=time):
            raise DecodeError(
                f"{self._packets.track.path}: its clock goes back at {min(self._two):.2f} s, to {time:.2f} s: parts of "
                "it have the same times. Write it anew with FFmpeg"
            )
        self._two = (*self._two[-1:], time)
        self._next = time + (seconds(picture.duration, picture) if picture.duration else self._usual)
        return time

    def _likely(self, pts: int | None, dts: int | None) -> int | None:
        self._count("dts", dts, pts)
        self._count("pts", pts, dts)
        if pts is not None and (dts is None or self._wrong["pts"] <= self._wrong["dts"]):
            return pts
        return dts

    def _count(self, kind: str, ticks: int | None, other: int | None) -> None:
        last = self._last[kind]
        self._wrong[kind] += ticks is not None and last is not None and ticks <= last
        self._last[kind] = ticks if ticks is not None else other if other is not None else last

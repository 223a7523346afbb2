"""Looking ahead in a file, through a second opening of it, for a picture that decoding can begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from av.packet import Packet

from lstta_tasks.data.tracks import Packets, Track

# How far before the wanted time a jump aims: at first a little, since indices may go by decoding time; then as far
# as keyframes may lie apart, for formats whose jumps know no keyframes.
_SHORT_BY = (0.5, 15.0, 60.0, 240.0)


@dataclass(frozen=True)
class Entry:
    """A picture that decoding can begin with.

    Attributes:
        aim: where a jump that finds it aims, in seconds of the file's clock.
        sent_at: its decoding time, in seconds.
        pts, dts: of its packet, in ticks.
    """

    aim: float
    sent_at: float
    pts: int | None
    dts: int | None


class Scout:
    """Finds places to begin with, without a loss of what is being decoded elsewhere."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self._packets: Packets | None = None

    def close(self) -> None:
        """Close the file."""
        if self._packets is not None:
            self._packets.__exit__(None, None, None)

    def entry(self, after: float, time: float) -> Entry | None:
        """One that is shown at or before ``time``, and sent later than ``after``; None where none is found."""
        if self._packets is None:
            self._packets = Packets(self._track)
        found = self.go(self._packets, after, time)
        return None if found is None else Entry(found[1], self._packets.sent_at(found[0]), found[0].pts, found[0].dts)

    def go(self, packets: Packets, after: float, time: float) -> tuple[Packet[Any], float] | None:
        """Lead any reader to one: its packet, and where the jump aimed; None where none is found."""
        for short_by in _SHORT_BY:
            aim = time - short_by
            if aim <= after or not packets.jump(aim):
                return None
            while (packet := packets.next()) is not None and packets.shown_at(packet) <= time:
                if packets.is_entry(packet):
                    return (packet, aim) if packets.sent_at(packet) > after else None
        return None

    def follow(self, packets: Packets, entry: Entry) -> Packet[Any] | None:
        """Lead the reader there: its packet, or None where it lands elsewhere."""
        if not packets.jump(entry.aim):
            return None
        while (packet := packets.next()) is not None and packets.sent_at(packet) <= entry.sent_at:
            if (packet.pts, packet.dts) == (entry.pts, entry.dts):
                return packet if packets.is_entry(packet) else None
        return None

"""What headers, the first picture and a few moments of sound say of a clip's files."""

from __future__ import annotations

import math
from contextlib import closing
from typing import TypedDict

import numpy as np

from lstta_tasks.data.clip import ClipSource, DecodeError
from lstta_tasks.data.decode import MOST_SOUND_AFTER
from lstta_tasks.data.pictures import PictureReader
from lstta_tasks.data.sound import first_sample_at
from lstta_tasks.data.sound_headers import is_tag
from lstta_tasks.data.tracks import Kind, Packets, Track, find_tracks, reasons

SILENCE = 1e-4  # of full scale: −80 dB
MOMENTS = 5  # of sound that are listened to
PACKETS = 8  # of each moment
TAIL = 1.0  # seconds before the stated end in which there must be something


class Look(TypedDict):
    """Fields of :class:`~lstta_tasks.doctor.probe.Probe`."""

    duration: float | None
    has_video: bool
    has_sound: bool
    silent: bool
    short_of: float
    goes_on: float


def look(source: ClipSource) -> Look:
    """What a clip's files are like.

    Raises:
        DecodeError: they cannot be used.
    """
    tracks = _tracks(source, measure=False)
    leading = tracks.get("video") or tracks.get("audio")
    if leading is None:
        raise DecodeError(f"{source.video}: neither pictures nor sound in it")
    _see_beginning(leading, is_sound="video" not in tracks)
    if _stops_early(leading):
        # Some headers count from elsewhere, or to the end of another stream: only reading all of it can tell.
        tracks = _tracks(source, measure=True)
        leading = tracks.get("video") or tracks["audio"]
    length = _length(source, tracks, leading)
    start, end = source.start or 0.0, math.inf if source.end is None else source.end
    if 0 < start >= length:
        raise DecodeError(f"{leading.path}: the clip starts at {start:.2f} s, the file ends at {length:.2f} s")
    duration = min(end, length) - start
    return Look(
        duration=duration if math.isfinite(duration) else None,
        has_video="video" in tracks,
        has_sound="audio" in tracks,
        silent="audio" in tracks and _is_silent(tracks["audio"], start, start + duration),
        short_of=max(0.0, end - length) if math.isfinite(end) else 0.0,
        goes_on=max(0.0, length - end) if math.isfinite(length) else 0.0,
    )


def _tracks(source: ClipSource, *, measure: bool) -> dict[Kind, Track]:
    tracks: dict[Kind, Track] = {} if source.video is None else find_tracks(source.video, measure=measure)
    if source.sound is not None:
        beside = find_tracks(source.sound, measure=measure)
        if "audio" not in beside:
            raise DecodeError(f"{source.sound}: there is no sound in it")
        tracks["audio"] = beside["audio"]
    return tracks


def _length(source: ClipSource, tracks: dict[Kind, Track], leading: Track) -> float:
    """In seconds, as the cache has it: where sound goes on well after the last picture, that picture stays."""
    length, sound = leading.end - leading.start, tracks.get("audio")
    if sound is None or sound is leading:
        return length
    heard = sound.end - (sound.start if source.sound is not None else leading.start)
    return heard if heard > length + MOST_SOUND_AFTER else length


def _see_beginning(track: Track, *, is_sound: bool) -> None:
    """Decode the first picture, or the first sound, as the cache does.

    Raises:
        DecodeError: nothing can be decoded at the beginning.
    """
    if is_sound:
        first_sample_at(track)
        return
    with reasons(track.path), closing(PictureReader(track)) as reader:
        reader.at(track.start)


def _stops_early(track: Track) -> bool:
    """Whether there is nothing where the header says that the track ends."""
    with reasons(track.path), Packets(track) as packets:
        near_the_end = max(track.start, track.end - TAIL)
        return math.isfinite(near_the_end) and packets.jump(near_the_end, anywhere=True) and packets.next() is None


def _is_silent(track: Track, start: float, end: float) -> bool:
    """Whether there is no sound in any of a few moments between two times since the track's beginning."""
    if not math.isfinite(end):
        end = start + TAIL
    with reasons(track.path), Packets(track) as packets:
        for moment in range(MOMENTS):
            time = track.start + start + (end - start) * moment / MOMENTS
            if moment and not packets.jump(time):
                break
            for _ in range(PACKETS):
                packet = packets.next()
                if packet is None:
                    break
                if is_tag(bytes(packet)):
                    continue
                for frame in packets.decode(packet):
                    samples = frame.to_ndarray()
                    full = np.iinfo(samples.dtype).max if samples.dtype.kind in "iu" else 1.0
                    middle = 128 if samples.dtype == np.uint8 else 0
                    if np.abs(samples.astype(np.float64) - middle).max(initial=0.0) > SILENCE * full:
                        return False
    return True

"""From media files to a clip: the frames and the sound of each of its segments."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from lstta_tasks.data.clip import Clip, ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.pictures import PictureReader
from lstta_tasks.data.preprocessing import sound_spans
from lstta_tasks.data.resize import resize
from lstta_tasks.data.sound import SoundReader, first_sample_at
from lstta_tasks.data.tracks import Kind, Track, find_tracks, find_tracks_again, reasons

__all__ = ["DecodeError", "decode_clip"]

# A header may count the longer of two streams: a clip that ends this close to it asks the packets themselves.
_HEADER_ERROR = 1.0
# Sound that goes on for longer after the last picture, in seconds, makes the picture stay and the clip longer.
MOST_SOUND_AFTER = 1.0


def decode_clip(source: ClipSource, preprocessing: Preprocessing) -> Clip:
    """Decode one clip.

    The clip's clock starts with the first picture, or with ``source.start`` seconds after it; both streams are placed
    on it by their presentation timestamps. It ends with the pictures: sound that goes on for up to a second is not
    kept. Sound that goes on for longer is the clip's: the last picture stays, and the clip lasts as long as the sound.
    Where the sound ends first, ``sound_length`` says so. Without pictures the sound's own start and end count.

    Raises:
        DecodeError: a file is missing, is no media file, is damaged where it is needed, or ends before the clip.
    """
    pictures, sound, length = find(source)
    leading = pictures or sound
    assert leading is not None
    start, end = source.start or 0.0, length
    if source.end is not None:
        end = min(source.end, end)
    if start >= end:
        raise DecodeError(f"{leading.path}: the clip starts at {start:.2f} s, the file ends at {end:.2f} s")

    clip = _empty(preprocessing, end - start, has_video=pictures is not None)
    if pictures is not None:
        _read_pictures(pictures, pictures.start + start, preprocessing, clip)
    if sound is not None:
        origin = sound.start if source.sound is not None or pictures is None else pictures.start
        _read_sound(sound, origin + start, preprocessing, clip)
    return replace(clip, has_sound=bool(clip.sound_length.any()))


def find(source: ClipSource) -> tuple[Track | None, Track | None, float]:
    """The tracks of the pictures and of the sound, at least one of them, and how long they last in seconds.

    Files are read as a whole, without decoding, to learn it, unless an index in their header says that they go on well
    past the clip.

    Raises:
        DecodeError: a file is missing, no media file, or cut off.
    """
    if source.end is not None:
        tracks = [{} if path is None else find_tracks(path, measure=False) for path in (source.video, source.sound)]
        pictures, sound, length = _put_together(source, *tracks)
        leading = pictures or sound
        if leading is not None and leading.is_exact and source.end < length - _HEADER_ERROR:
            return pictures, sound, length
    read = find_tracks_again if source.end is not None else _measured
    return _put_together(source, *({} if path is None else read(path) for path in (source.video, source.sound)))


def _measured(path: Path) -> dict[Kind, Track]:
    return find_tracks(path, measure=True)


def _put_together(
    source: ClipSource, film: dict[Kind, Track], beside: dict[Kind, Track]
) -> tuple[Track | None, Track | None, float]:
    pictures, sound = film.get("video"), film.get("audio")
    if source.sound is not None:
        sound = beside.get("audio")
        if sound is None:
            raise DecodeError(f"{source.sound}: there is no sound in it")
    if sound is not None and (source.sound is not None or pictures is None):
        # Alone, or beside a video, sound starts with its first sample, whatever its timestamps begin with.
        sound = replace(sound, start=first_sample_at(sound))
    if pictures is None and sound is None:
        raise DecodeError(f"{source.video}: neither pictures nor sound in it")
    if pictures is None:
        assert sound is not None
        return None, sound, sound.end - sound.start
    length = pictures.end - pictures.start
    if sound is not None:
        heard = sound.end - (sound.start if source.sound is not None else pictures.start)
        if heard > length + MOST_SOUND_AFTER:
            length = heard
    return pictures, sound, length


def _empty(preprocessing: Preprocessing, duration: float, *, has_video: bool) -> Clip:
    segments, frames = preprocessing.segments, preprocessing.frames_per_segment
    return Clip(
        frames=np.zeros((segments, frames, *preprocessing.frame_size, 3), np.uint8),
        frame_times=np.zeros((segments, frames)),
        sound=np.zeros((segments, preprocessing.sound_samples), np.int16),
        sound_length=np.zeros(segments, np.int64),
        has_video=has_video,
        has_sound=False,
        duration=duration,
    )


def _read_pictures(track: Track, start: float, preprocessing: Preprocessing, clip: Clip) -> None:
    """Fill the clip's frames. ``start`` is the clip's, in seconds of the file's clock."""
    parts = preprocessing.segments * preprocessing.frames_per_segment
    with reasons(track.path), closing(PictureReader(track)) as reader:
        for part in range(parts):
            place = divmod(part, preprocessing.frames_per_segment)
            time, picture = reader.at(start + (part + 0.5) / parts * clip.duration)
            clip.frame_times[place] = time - start
            clip.frames[place] = resize(picture, preprocessing.frame_size, preprocessing.fit, reader.pixel_aspect)


def _read_sound(track: Track, start: float, preprocessing: Preprocessing, clip: Clip) -> None:
    """Fill the clip's sound. ``start`` is the clip's, in seconds of the file's clock."""
    with reasons(track.path), closing(SoundReader(track, start, preprocessing.sample_rate)) as reader:
        for segment, (first, count) in enumerate(sound_spans(preprocessing, clip.duration)):
            samples, valid = reader.read(first, count)
            clip.sound[segment, :count] = samples
            clip.sound_length[segment] = valid

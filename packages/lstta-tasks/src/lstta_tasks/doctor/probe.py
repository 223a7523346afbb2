"""A first look at a clip's files: headers, the first picture and a few moments of sound. Milliseconds a file.

Damage in the middle of a file goes unnoticed here; building the cache, which decodes what is needed, finds it, and so
does :func:`decode_each`. What the first look doubts is decoded at once as the cache would: whatever counts as
unreadable here, the cache cannot decode, for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from tqdm import tqdm

from lstta_tasks.data.clip import ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.cores import usable_cores
from lstta_tasks.data.files import missing

# What is decoded of a clip that the first look doubts, where nobody says what the model needs.
USUAL = Preprocessing(segments=8, frame_size=(32, 32), sample_rate=16_000, sound_seconds=1.0)


@dataclass(frozen=True)
class Probe:
    """What a clip is like.

    Attributes:
        duration: in seconds, as far as the files' headers tell; None where they do not.
        has_video: whether it has pictures.
        has_sound: whether it has a sound stream.
        silent: whether that stream is digital silence wherever it was listened to.
        missing: the reason, where a file is not there or empty.
        unreadable: the reason, where it cannot be used for another one.
        short_of: seconds by which the file ends before the clip should.
        goes_on: seconds of the file behind the clip's end, as far as its header tells.
    """

    duration: float | None = None
    has_video: bool = False
    has_sound: bool = False
    silent: bool = False
    missing: str | None = None
    unreadable: str | None = None
    short_of: float = 0.0
    goes_on: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether it can be decoded, as far as one can tell."""
        return self.missing is None and self.unreadable is None


def probe_all(
    sources: Iterable[ClipSource], *, preprocessing: Preprocessing = USUAL, workers: int | None = None
) -> dict[str, Probe]:
    """Probe clips in parallel, by id, with a progress bar.

    Args:
        sources: the clips, each once.
        preprocessing: what the model needs of each.
        workers: threads (the media library works outside Python's lock); by default two a core, at most 32.
    """
    sources = list(sources)
    with ThreadPoolExecutor(workers or min(32, 2 * usable_cores())) as pool:
        results = pool.map(partial(probe, preprocessing=preprocessing), sources)
        bar = tqdm(results, total=len(sources), desc="clips", unit="clip", disable=None)
        return {source.id: result for source, result in zip(sources, bar, strict=True)}


def probe(source: ClipSource, preprocessing: Preprocessing = USUAL) -> Probe:
    """Look at one clip. What is wrong with its files is said in the result, never raised."""
    for path in (source.video, source.sound):
        if path is not None and (reason := missing(path)) is not None:
            return Probe(missing=reason)
    from lstta_tasks.data.decode import decode_clip
    from lstta_tasks.doctor.first_look import look

    try:
        return Probe(**look(source))
    except DecodeError:
        pass
    try:
        clip = decode_clip(source, preprocessing)
    except DecodeError as error:
        return Probe(unreadable=str(error))
    return Probe(
        duration=clip.duration,
        has_video=clip.has_video,
        has_sound=clip.has_sound,
        silent=clip.has_sound and not clip.sound.any(),
        short_of=0.0 if source.end is None else max(0.0, source.end - (source.start or 0.0) - clip.duration),
    )


def decode_each(
    sources: Iterable[ClipSource],
    probes: Mapping[str, Probe],
    *,
    preprocessing: Preprocessing,
    workers: int | None = None,
    time_limit: float = 120.0,
) -> dict[str, Probe]:
    """The probes again, after each clip that seemed usable was decoded as the cache builder does it.

    Args:
        sources: the clips.
        probes: by clip id.
        preprocessing: what the model needs of each.
        workers: processes that decode; by default one a core.
        time_limit: seconds for one clip, as in building a cache.
    """
    from lstta_tasks.data.decode_pool import decode_all

    todo = [source for source in sources if probes[source.id].usable]
    decoded = decode_all(
        todo,
        preprocessing,
        codec="raw",
        workers=workers or usable_cores(),
        time_limit=time_limit,
    )
    found = dict(probes)
    for source, result in tqdm(decoded, total=len(todo), desc="decode", unit="clip", disable=None):
        if isinstance(result, str):
            found[source.id] = replace(probes[source.id], unreadable=result)
    return found

"""A first look at a clip's files: headers, the first picture and a few moments of sound. Milliseconds a file.

Damage in the middle of a file goes unnoticed here; building the cache, which decodes what is needed, finds it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tqdm import tqdm

from lstta_tasks.data.clip import ClipSource, DecodeError
from lstta_tasks.data.files import missing


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
    """

    duration: float | None = None
    has_video: bool = False
    has_sound: bool = False
    silent: bool = False
    missing: str | None = None
    unreadable: str | None = None
    short_of: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether it can be decoded, as far as one can tell."""
        return self.missing is None and self.unreadable is None


def probe_all(sources: Iterable[ClipSource], *, workers: int | None = None) -> dict[str, Probe]:
    """Probe clips in parallel, by id, with a progress bar.

    Args:
        sources: the clips, each once.
        workers: threads (the media library works outside Python's lock); by default two a core, at most 32.
    """
    sources = list(sources)
    with ThreadPoolExecutor(workers or min(32, 2 * (os.cpu_count() or 1))) as pool:
        results = pool.map(probe, sources)
        bar = tqdm(results, total=len(sources), desc="clips", unit="clip", disable=None)
        return {source.id: result for source, result in zip(sources, bar, strict=True)}


def probe(source: ClipSource) -> Probe:
    """Look at one clip. What is wrong with its files is said in the result, never raised."""
    for path in (source.video, source.sound):
        if path is not None and (reason := missing(path)) is not None:
            return Probe(missing=reason)
    from lstta_tasks.doctor.first_look import look

    try:
        return Probe(**look(source))
    except DecodeError as error:
        return Probe(unreadable=str(error))

"""Clips that are missing, unreadable, silent, without pictures, or of a length unlike the others."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lstta_core.interfaces import Modality
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.doctor.finding import Finding, Level
from lstta_tasks.doctor.probe import Probe
from lstta_tasks.task import Split

LOST = 0.05  # the share of a split's clips from which losing them spoils training
ODD = 5.0  # times the median, or a fraction of it, from which a length is odd
SHORT_OF = 0.5  # seconds by which a file may end before its clip
GOES_ON = 1.0  # seconds by which a file may be longer than the task's clips


def median_length(probes: Iterable[Probe]) -> float | None:
    """The median of the lengths that are known, in seconds."""
    lengths = [probe.duration for probe in probes if probe.duration is not None]
    return statistics.median(lengths) if lengths else None


def check_media(
    split: Split,
    sources: Sequence[ClipSource],
    probes: Mapping[str, Probe],
    *,
    median: float | None,
    modalities: Iterable[Modality],
    clip_seconds: float | None = None,
) -> Iterator[Finding]:
    """What is wrong with the files of a split.

    Args:
        split: whose.
        sources: its clips, each once.
        probes: by clip id.
        median: length of all clips, in seconds; None where none is known.
        modalities: that the model has: a split without a single clip that has one of them is an error.
        clip_seconds: the task's, see :class:`~lstta_tasks.task.Task`.
    """
    lost = sum(not probes[source.id].usable for source in sources)
    level: Level = "error" if lost > LOST * len(sources) else "warning"
    for source in sources:
        probe = probes[source.id]
        if probe.missing is not None:
            yield Finding(level, "missing", split, source.id, probe.missing)
        elif probe.unreadable is not None:
            yield Finding(level, "unreadable", split, source.id, probe.unreadable)
        else:
            for check, detail in [*_oddities(probe, median), *_longer(probe, clip_seconds)]:
                yield Finding("warning", check, split, source.id, f"{source.video or source.sound}: {detail}")
    usable = [probes[source.id] for source in sources if probes[source.id].usable]
    if usable and Modality.VISUAL in modalities and not any(probe.has_video for probe in usable):
        yield Finding("error", "no pictures at all", split, "", "the model has a visual encoder, no clip has pictures")
    if usable and Modality.AUDIO in modalities and all(probe.silent or not probe.has_sound for probe in usable):
        yield Finding("error", "no sound at all", split, "", "the model has an audio encoder, no clip has sound")


def _longer(probe: Probe, clip_seconds: float | None) -> Iterator[tuple[str, str]]:
    """That a file holds more than the clip that it should be, which then may lie elsewhere in it."""
    if clip_seconds is not None and probe.goes_on > GOES_ON:
        lasts = clip_seconds + probe.goes_on
        yield "longer than its clip", f"it lasts {lasts:.1f} s, and its first {clip_seconds:g} s are taken as the clip"


def _oddities(probe: Probe, median: float | None) -> Iterator[tuple[str, str]]:
    if not probe.has_video:
        yield "no pictures", "sound without pictures"
    if not probe.has_sound:
        yield "no sound", "no sound stream"
    elif probe.silent:
        yield "silent", "its sound is digital silence wherever it was listened to"
    if probe.short_of > SHORT_OF:
        yield "beyond the end", f"the file ends {probe.short_of:.2f} s before the clip should"
    if probe.duration is None:
        yield "unknown length", "its header does not say how long it is"
    elif median is not None and probe.duration * ODD < median:
        yield "very short", f"{probe.duration:.2f} s; the median is {median:.2f} s"
    elif median is not None and probe.duration > ODD * median:
        yield "very long", f"{probe.duration:.2f} s; the median is {median:.2f} s"

"""Does a statement follow from a video, its sound and its subtitles? In the files of VIOLIN (Liu et al., CVPR 2020).

Layout on disk, under ``root``: ``violin_annotation.json``; the clips as ``<file>.mp4``, there or in ``videos/`` or
``violin_videos/``, ``file`` being that field of the annotations. Where a clip is not there but ``<source>.mp4`` is, the
clip is its span of that longer video.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from lstta_tasks.annotations.files import check_fields, check_inside, clip_file, data_folder, first_file, read_json
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.answers.yes_or_no import YesOrNo
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task, TimedText

ANNOTATIONS = "violin_annotation.json"
WHAT = "an object of clips by id"
FOLDERS = ("videos", "", "violin_videos")
NAMES: dict[Split, str] = {"train": "train", "val": "validate", "test": "test"}
"""What the data set calls its splits."""
FIELDS = {"file": str, "source": str, "split": str, "span": list, "statement": list, "sub": list}
FAKE, REAL = 0, 1


class Inference(Task):
    """Real or fake: each clip has three pairs of statements, one of each pair true of the clip.

    The words are a row a segment: the statement, then the subtitles that are on the screen in that segment.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        subtitle_clock: what the subtitles' milliseconds count from: the beginning of the ``"clip"``, or that of the
            ``"source"`` that the clip's span is cut from.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "inference"
    reading: Reading
    timed_text = True
    answer = YesOrNo("real", "fake")

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        subtitle_clock: Literal["clip", "source"] = "clip",
        skip_bad_rows: bool = False,
    ) -> None:
        self.reading = Reading(skip_bad_rows=skip_bad_rows)
        if subtitle_clock not in ("clip", "source"):
            raise ValueError(f"task.subtitle_clock must be 'clip' or 'source', got {subtitle_clock!r}")
        self.root = None if root is None else Path(root)
        self.subtitle_clock = subtitle_clock

    def options(self) -> dict[str, Any]:
        return {}

    def splits(self) -> list[Split]:
        named = {entry["split"] for entry in self._read.values()}
        return [split for split in SPLITS if NAMES[split] in named]

    def clips(self, split: Split) -> list[ClipSource]:
        return [self._source(clip, entry) for clip, entry in self._entries(split).items()]

    def samples(self, split: Split) -> list[Sample]:
        return [
            Sample(
                id=f"{clip}/{number}/{kind}",
                source=source,
                text=statement,
                target=target,
                labels=(kind,),
                timed=timed,
            )
            for clip, entry in self._entries(split).items()
            for source, timed in [(self._source(clip, entry), self._subtitles(entry))]
            for number, pair in enumerate(entry["statement"])
            for statement, target, kind in zip(pair, (REAL, FAKE), ("real", "fake"), strict=True)
        ]

    def _entries(self, split: Split) -> dict[str, dict[str, Any]]:
        """The clips of a split, by id."""
        entries = {clip: entry for clip, entry in self._read.items() if entry["split"] == NAMES[split]}
        if not entries:
            raise ValueError(f"{self._path()}: no clip has split {NAMES[split]!r}")
        return entries

    @cached_property
    def _read(self) -> dict[str, dict[str, Any]]:
        """The clips of the one file of all splits, checked, by id."""
        path = self._path()
        clips = ((f"clip {clip!r}", (clip, entry)) for clip, entry in read_json(path, dict, WHAT).items())
        return dict(self.reading.kept(path, clips, _checked))

    def _path(self) -> Path:
        return first_file([data_folder(self.root, self.name) / ANNOTATIONS])

    def _source(self, clip: str, entry: Mapping[str, Any]) -> ClipSource:
        cut, whole = (self._video(entry[field]) for field in ("file", "source"))
        if not cut.is_file() and whole.is_file():
            start, end = entry["span"]
            return ClipSource(clip, whole, start=float(start), end=float(end))
        return ClipSource(clip, cut)

    def _video(self, name: str) -> Path:
        assert self.root is not None
        return clip_file([self.root / folder / f"{name.strip().removesuffix('.mp4')}.mp4" for folder in FOLDERS])

    def _subtitles(self, entry: Mapping[str, Any]) -> tuple[TimedText, ...]:
        offset = float(entry["span"][0]) if self.subtitle_clock == "source" else 0.0
        return tuple(TimedText(start / 1000 - offset, end / 1000 - offset, text) for text, (start, end) in entry["sub"])


def _checked(clip: tuple[str, Any], place: str) -> tuple[str, dict[str, Any]]:
    """Raise a ValueError that names the place and the field where an entry is not VIOLIN's."""
    name, entry = clip[0], check_fields(clip[1], FIELDS, place)
    wanted = {
        "split": (lambda value: value in NAMES.values(), f"one of {', '.join(NAMES.values())}"),
        "span": (_is_span, "[start, end] in seconds"),
        "statement": (_are_pairs, "a list of [real, fake] pairs of texts"),
        "sub": (_are_subtitles, "a list of [text, [start, end]], in milliseconds"),
    }
    for field, (fits, what) in wanted.items():
        if not fits(entry[field]):
            raise ValueError(f"{place}: field {field!r} must be {what}, got {entry[field]!r:.80}")
    for number, (_, (start, end)) in enumerate(entry["sub"]):
        if end < start:
            raise ValueError(f"{place}: subtitle {number} ends at {end} ms, before its start at {start} ms")
    for field in ("file", "source"):
        check_inside(entry[field].strip(), field, place)
    ClipSource(name, Path(entry["file"]))
    return name, entry


def _is_span(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_time(time) for time in value)


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e12 and math.isfinite(value)


def _are_pairs(value: Any) -> bool:
    return all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in value
    )


def _are_subtitles(value: Any) -> bool:
    return all(
        isinstance(line, list) and len(line) == 2 and isinstance(line[0], str) and _is_span(line[1]) for line in value
    )

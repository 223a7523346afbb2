"""Does a statement follow from a video, its sound and its subtitles? In the files of VIOLIN (Liu et al., CVPR 2020).

Layout on disk, under ``root``: ``violin_annotation.json``; the clips as ``<file>.mp4``, there or in ``videos/`` or
``violin_videos/``, ``file`` being that field of the annotations. Where a clip is not there but ``<source>.mp4`` is, the
clip is its span of that longer video.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from lstta_tasks.annotations.fields import check_fields
from lstta_tasks.annotations.files import clip_file, data_folder, first_file
from lstta_tasks.answer import Answer, of_two
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.metrics.answered import answered
from lstta_tasks.task import SPLITS, Report, Sample, Score, Split, Task, TimedText

ANNOTATIONS = "violin_annotation.json"
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
    """

    name = "inference"
    timed_text = True

    def __init__(self, *, root: str | Path | None = None, subtitle_clock: Literal["clip", "source"] = "clip") -> None:
        if subtitle_clock not in ("clip", "source"):
            raise ValueError(f"task.subtitle_clock must be 'clip' or 'source', got {subtitle_clock!r}")
        self.root = None if root is None else Path(root)
        self.subtitle_clock = subtitle_clock

    def options(self) -> dict[str, Any]:
        return {}

    def splits(self) -> list[Split]:
        there = {entry["split"] for _, _, entry in self._entries()}
        return [split for split in SPLITS if NAMES[split] in there]

    def clips(self, split: Split) -> list[ClipSource]:
        return [self._source(clip, entry) for clip, _, entry in self._entries(split)]

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
            for clip, place, entry in self._entries(split)
            for source, timed in [(self._source(clip, entry), self._subtitles(entry, place))]
            for number, pair in enumerate(entry["statement"])
            for statement, target, kind in zip(pair, (REAL, FAKE), ("real", "fake"), strict=True)
        ]

    def head(self, width: int) -> nn.Module:
        """To one logit, of 'real'."""
        return nn.Linear(width, 1)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(output.squeeze(-1), target.to(output.dtype))

    def predict(self, output: Tensor) -> list[dict[str, Any]]:
        """``real`` where its probability is at least one half."""
        return [{"real": p >= 0.5, "probability": p} for p in output.float().squeeze(-1).sigmoid().tolist()]

    def describe(self, output: Tensor) -> list[Answer]:
        return of_two(output, "real", "fake")

    def report(self, predictions: Mapping[str, Mapping[str, Any]], samples: Sequence[Sample]) -> Report:
        """Accuracy over real and fake statements together, and over each.

        The baseline of both together is the share of the more frequent of the two in these very samples.
        """
        there, found = answered(predictions, samples, "probability")
        right: dict[str, list[bool]] = {"real": [], "fake": []}
        for sample, prediction in zip(there, found, strict=True):
            right[sample.labels[0]].append(prediction["real"] == (sample.target == REAL))
        everything = [*right["real"], *right["fake"]]
        scores = [Score(kind, sum(hits) / len(hits), len(hits)) for kind, hits in right.items() if hits]
        most = max(right, key=lambda kind: len(right[kind]))
        share = len(right[most]) / len(everything)
        overall = Score("accuracy", sum(everything) / len(everything), len(everything), share, f"always {most}")
        return Report("accuracy", (*scores, overall))

    def _entries(self, split: Split | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """The clips of a split, or of all: id, place for messages, and the entry, checked."""
        path = self._path()
        found = False
        for clip, entry in self._read.items():
            place = f"{path}, clip {clip!r}"
            _check(entry, place)
            if split is None or entry["split"] == NAMES[split]:
                found = True
                yield clip, place, entry
        if not found:
            raise ValueError(f"{path}: no clip has split {NAMES[split]!r}" if split else f"{path}: no clips")

    @cached_property
    def _read(self) -> dict[str, Any]:
        """The one file of all splits."""
        path = self._path()
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: not JSON ({error})") from error
        if not isinstance(entries, dict) or not entries:
            got = "an empty one" if entries == {} else type(entries).__name__
            raise ValueError(f"{path}: an object of clips by id is wanted, got {got}")
        return entries

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

    def _subtitles(self, entry: Mapping[str, Any], place: str) -> tuple[TimedText, ...]:
        offset = float(entry["span"][0]) if self.subtitle_clock == "source" else 0.0
        timed = []
        for number, (text, (start, end)) in enumerate(entry["sub"]):
            if end < start:
                raise ValueError(f"{place}: subtitle {number} ends at {end} ms, before its start at {start} ms")
            timed.append(TimedText(start / 1000 - offset, end / 1000 - offset, text))
        return tuple(timed)


def _check(entry: Any, place: str) -> None:
    """Raise a ValueError that names the place and the field where an entry is not VIOLIN's."""
    check_fields(entry, FIELDS, place)
    wanted = {
        "split": (lambda value: value in NAMES.values(), f"one of {', '.join(NAMES.values())}"),
        "span": (_is_span, "[start, end] in seconds"),
        "statement": (_are_pairs, "a list of [real, fake] pairs of texts"),
        "sub": (_are_subtitles, "a list of [text, [start, end]], in milliseconds"),
    }
    for field, (fits, what) in wanted.items():
        if not fits(entry[field]):
            raise ValueError(f"{place}: field {field!r} must be {what}, got {entry[field]!r:.80}")


def _is_span(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(time) in (int, float) for time in value)


def _are_pairs(value: Any) -> bool:
    return all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in value
    )


def _are_subtitles(value: Any) -> bool:
    return all(
        isinstance(line, list) and len(line) == 2 and isinstance(line[0], str) and _is_span(line[1]) for line in value
    )

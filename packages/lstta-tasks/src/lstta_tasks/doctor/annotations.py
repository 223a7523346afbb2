"""Clips in two splits, and samples that come twice."""

from __future__ import annotations

import itertools
import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from lstta_tasks.data.cache_files import digest_of
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.data.files import missing
from lstta_tasks.doctor.finding import Finding
from lstta_tasks.task import Sample, Split

Key = tuple[object, ...]


def check_overlaps(clips: Mapping[Split, Sequence[ClipSource]]) -> Iterator[Finding]:
    """Clips of a split that an earlier split has too: under the same id, or as an overlapping span of the same file."""
    for (one, first), (other, second) in itertools.combinations(clips.items(), 2):
        ids = {source.id for source in first}
        spans: dict[str, list[ClipSource]] = defaultdict(list)
        for source in first:
            spans[_file(source)].append(source)
        for source in second:
            if source.id in ids:
                yield Finding("error", "shared clip", other, source.id, f"it is in {one} and in {other}")
                continue
            twin = next((twin for twin in spans[_file(source)] if _overlap(source, twin)), None)
            if twin is not None:
                detail = f"the same part of {_file(source)} is clip {twin.id!r} of {one}"
                yield Finding("error", "shared clip", other, source.id, detail)


def check_copies(clips: Mapping[Split, Sequence[ClipSource]]) -> Iterator[Finding]:
    """Clips whose file has the very content of another file, from which an earlier split has an overlapping span.

    Sizes are compared first, one look a file; only files whose size two splits have are read, each once. A copy that
    was encoded anew is another file.
    """
    files: dict[int, dict[str, list[tuple[Split, ClipSource]]]] = defaultdict(dict)
    for split, sources in clips.items():
        for source in sources:
            path = Path(_file(source))
            if missing(path) is None:
                files[path.stat().st_size].setdefault(str(path), []).append((split, source))
    suspects = [alike for alike in files.values() if len({split for some in alike.values() for split, _ in some}) > 1]
    for alike in tqdm(suspects, desc="files of one size", delay=2, disable=None, leave=False):
        seen: dict[str, list[tuple[Split, ClipSource, str]]] = defaultdict(list)
        for path, some in alike.items() if len(alike) > 1 else ():
            try:
                copies = seen[digest_of(Path(path))]
            except OSError:  # which the look at each clip tells
                continue
            for split, source in some:
                others = (one for one in copies if one[0] != split and one[2] != path and _overlap(source, one[1]))
                if (twin := next(others, None)) is not None:
                    detail = f"{path} has the very content of {twin[2]}, which is in {twin[0]}"
                    yield Finding("error", "shared file", split, source.id, detail)
                copies.append((split, source, path))


def check_repeats(split: Split, samples: Sequence[Sample]) -> Iterator[Finding]:
    """Samples of one id, and samples that ask the same of the same clip, with one answer or with two.

    Of a clip many words may be right, so other answers in words contradict nothing.
    """
    for name, count in Counter(sample.id for sample in samples).items():
        if count > 1:
            detail = f"{count} samples have this id; predictions are keyed by it"
            yield Finding("error", "same sample id", split, name, detail)
    asked: dict[Key, Sample] = {}
    for sample in samples:
        earlier = asked.setdefault((sample.source.id, sample.text, sample.timed, sample.answers), sample)
        if earlier is sample:
            continue
        check = "repeated" if earlier.target == sample.target else "contradiction"
        answer = "the same target" if check == "repeated" else "another target"
        detail = f"clip {sample.source.id!r} is asked the same in sample {earlier.id!r}, with {answer}"
        yield Finding("warning", check, split, sample.id, detail)


def _overlap(one: ClipSource, other: ClipSource) -> bool:
    starts = max(one.start or 0.0, other.start or 0.0)
    ends = min(math.inf if end is None else end for end in (one.end, other.end))
    return starts < ends


def _file(source: ClipSource) -> str:
    """The file that a clip is first of all cut from, however its path is written."""
    path = source.video or source.sound
    assert path is not None
    return os.path.realpath(path)

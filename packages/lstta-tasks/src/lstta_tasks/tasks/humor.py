"""Is a punchline funny? In the files of UR-FUNNY V2 (Hasan et al., EMNLP 2019).

Layout on disk, under ``root``: ``data_folds.pkl``, ``language_sdk.pkl`` and ``humor_label_sdk.pkl``, there or in
``sdk_features/``; the clips as ``urfunny2_videos/<id>.mp4``, in ``videos/`` or beside the pickles. The pickles of
precomputed features are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lstta_tasks.annotations.files import check_fields, check_inside, clip_file, data_folder, first_file
from lstta_tasks.annotations.pickles import read_pickle
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.answers.yes_or_no import YesOrNo
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task

FOLDS, LANGUAGE, LABELS = "data_folds.pkl", "language_sdk.pkl", "humor_label_sdk.pkl"
NAMES: dict[Split, str] = {"train": "train", "val": "dev", "test": "test"}
"""What the data set calls its splits."""
FIELDS = {"punchline_sentence": str, "context_sentences": list}
FOLDERS = ("urfunny2_videos", "videos", "")


class Humor(Task):
    """Funny or not: the last sentence of a piece of a talk, after those before it.

    The words are the punchline and then its context: encoders cut long texts at their end.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        context: how many sentences before the punchline are read, at most, the nearest ones; None for all.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.
    """

    name = "humor"
    reading: Reading
    answer = YesOrNo("funny", "not funny", per_class="f1")

    def __init__(
        self, *, root: str | Path | None = None, context: int | None = None, skip_bad_rows: bool = False
    ) -> None:
        self.reading = Reading(skip_bad_rows=skip_bad_rows)
        if context is not None and context < 0:
            raise ValueError(f"task.context must be 0 or more sentences, or None for all, got {context}")
        self.root = None if root is None else Path(root)
        self.context = context

    def options(self) -> dict[str, Any]:
        return {"context": self.context}

    def splits(self) -> list[Split]:
        return [split for split in SPLITS if self._folds.get(NAMES[split])]

    def clips(self, split: Split) -> list[ClipSource]:
        return [sample.source for sample in self.samples(split)]

    def samples(self, split: Split) -> list[Sample]:
        path, names = self._path(FOLDS), self._folds.get(NAMES[split])
        if not names:
            raise FileNotFoundError(f"{path}: no clip is in {NAMES[split]!r}")
        return self.reading.kept(path, ((f"{NAMES[split]}, id {name!r}", name) for name in names), self._sample)

    def _sample(self, name: int | str, place: str) -> Sample:
        return Sample(id=str(name), source=self._source(name), text=self._text(name), target=self._label(name))

    def _text(self, name: int | str) -> str | None:
        place = f"{self._path(LANGUAGE)}, id {name!r}"
        entry = check_fields(self._language.get(name), FIELDS, place)
        sentences = entry["context_sentences"]
        if not all(isinstance(sentence, str) for sentence in sentences):
            raise ValueError(f"{place}: field 'context_sentences' must be a list of texts, got {sentences!r:.80}")
        nearest = sentences if self.context is None else sentences[len(sentences) - min(self.context, len(sentences)) :]
        return " ".join(part for text in (entry["punchline_sentence"], *nearest) if (part := text.strip())) or None

    def _label(self, name: int | str) -> int:
        label = _plain(self._labels.get(name))
        if not isinstance(label, int | float) or label not in (0, 1):
            raise ValueError(f"{self._path(LABELS)}, id {name!r}: 0 or 1 is wanted, got {label!r:.80}")
        return int(label)

    @cached_property
    def _folds(self) -> dict[str, list[int | str]]:
        path = self._path(FOLDS)
        content = self._pickle(path)
        folds: dict[str, list[int | str]] = {fold: [] for fold in NAMES.values() if fold in content}
        seen: dict[int | str, str] = {}

        def once(row: tuple[str, Any], place: str) -> None:
            fold, name = row[0], _plain(row[1])
            if not isinstance(name, int | str):
                raise ValueError(f"{place}: ids must be numbers or texts, got {name!r:.80}")
            check_inside(str(name), "id", place)
            if name in seen:
                raise ValueError(f"{place}: id {name!r} is there already, in {seen[name]}; a clip may be there once")
            seen[name] = place
            folds[fold].append(name)

        self.reading.kept(path, _ids(content, folds, path), once)
        return folds

    @cached_property
    def _language(self) -> dict[int | str, Any]:
        return self._pickle(self._path(LANGUAGE))

    @cached_property
    def _labels(self) -> dict[int | str, Any]:
        return self._pickle(self._path(LABELS))

    def _pickle(self, path: Path) -> dict[Any, Any]:
        content = read_pickle(path)
        if not isinstance(content, dict):
            raise ValueError(f"{path}: an object is wanted, got {type(content).__name__}")
        return content

    def _path(self, name: str) -> Path:
        root = data_folder(self.root, self.name)
        return first_file([root / name, root / "sdk_features" / name])

    def _source(self, name: int | str) -> ClipSource:
        assert self.root is not None
        places = [self.root / folder / f"{name}.mp4" for folder in FOLDERS]
        return ClipSource(str(name), clip_file(places))


def _ids(content: Mapping[str, Any], folds: Iterable[str], path: Path) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Where each id is, its fold, and the id."""
    for fold in folds:
        if not isinstance(content[fold], list | np.ndarray):
            raise ValueError(f"{path}, {fold}: a list of ids is wanted, got {type(content[fold]).__name__}")
        yield from ((f"{fold}, entry {number}", (fold, name)) for number, name in enumerate(content[fold]))


def _plain(value: Any) -> Any:
    """One of numpy's numbers or texts as Python's; all else as it is."""
    return value.item() if isinstance(value, np.generic | np.ndarray) and value.size == 1 else value

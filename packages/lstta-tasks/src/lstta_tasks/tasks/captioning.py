"""Sentences about videos with sound, in the files of MSR-VTT (Xu et al., CVPR 2016) or VATEX (Wang et al., ICCV 2019).

Layout on disk, under ``root``. MSR-VTT: ``MSRVTT_data.json``, or the two files that the challenge gave out,
``train_val_videodatainfo.json`` and ``test_videodatainfo.json``; ``<video_id>.mp4`` beside them, in ``videos/`` or in
``videos/all/``. VATEX: ``vatex_training_v1.0.json``, ``vatex_validation_v1.0.json`` and
``vatex_public_test_english_v1.1.json``; ``<videoID>.mp4`` beside them or in ``videos/``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from lstta_core.generation import Decoding
from lstta_tasks.annotations.files import check_fields, check_inside, clip_file, data_folder, first_file, read_json
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.answers.caption_slots import slot_scores
from lstta_tasks.answers.text_metrics import check_installed
from lstta_tasks.answers.words import Words
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import SPLITS, Sample, Split, Task

WHOLE, PARTS = "MSRVTT_data.json", ("train_val_videodatainfo.json", "test_videodatainfo.json")
NAMED: dict[str, Split] = {"train": "train", "validate": "val", "test": "test"}
VATEX: dict[Split, str] = {
    "train": "vatex_training_v1.0.json",
    "val": "vatex_validation_v1.0.json",
    "test": "vatex_public_test_english_v1.1.json",
}
SENTENCE, VIDEO = {"video_id": str, "caption": str}, {"video_id": str, "split": str}
ENGLISH = {"videoID": str, "enCap": list}
GENERATED = "generated.json"
"""The file that the folder of built-in clips has and no other."""
PROMPT = "What is seen and heard?"
Captions = dict[str, list[str]]


class Captioning(Task):
    """A sentence about a clip.

    In training each caption is a sample; of the other splits each clip is one, with all of its captions to compare
    with. Selection goes by CIDEr-D. Of the built-in clips it is told too how often each slot of a caption is exactly
    right, see :mod:`~lstta_tasks.answers.caption_slots`.

    Args:
        root: the folder of the data set; None where there are no annotations to read, as for inference.
        prompt: what the model is asked, the same of all clips.
        length: the most tokens of a caption.
        beams: how many captions are followed at once when one is made; 1 is greedy.
        skip_bad_rows: leave rows out that are malformed, and count them; otherwise they are all named, and refused.

    Raises:
        ValueError: an option is out of range.
    """

    name = "captioning"
    reading: Reading

    def __init__(
        self,
        *,
        root: str | Path | None = None,
        prompt: str = PROMPT,
        length: int = 48,
        beams: int = 1,
        skip_bad_rows: bool = False,
    ) -> None:
        self.reading = Reading(skip_bad_rows=skip_bad_rows)
        self.root = None if root is None else Path(root)
        if not prompt.strip():
            raise ValueError("task.prompt is empty: a caption has to begin after something")
        self.unasked = prompt
        decoding = Decoding(length=length, beams=beams)
        self._answer = Words(metrics="captions", decoding=decoding, beside=self._slots)

    @property
    def answer(self) -> Words:
        return self._answer

    def options(self) -> dict[str, Any]:
        return {"prompt": self.unasked, "length": self.answer.decoding.length, "beams": self.answer.decoding.beams}

    def splits(self) -> list[Split]:
        return [split for split in SPLITS if self._captions.get(split)]

    def clips(self, split: Split) -> list[ClipSource]:
        return [self._source(video) for video in self._of(split)]

    def samples(self, split: Split) -> list[Sample]:
        check_installed()
        made = []
        for video, captions in self._of(split).items():
            source = self._source(video)
            if split == "train":
                made += [
                    Sample(f"{video}#{number}", source, self.unasked, 0, answers=(caption,))
                    for number, caption in enumerate(captions)
                ]
            else:
                made.append(Sample(video, source, self.unasked, 0, answers=tuple(captions)))
        return made

    def _slots(self, texts: Sequence[str], answers: Sequence[Sequence[str]]) -> Mapping[str, float]:
        """What captions of the built-in clips say exactly; of other clips nothing can be read off."""
        built_in = self.root is not None and (self.root / GENERATED).is_file()
        return slot_scores(texts, answers) if built_in else {}

    def _of(self, split: Split) -> Captions:
        captions = self._captions.get(split)
        if not captions:
            raise FileNotFoundError(f"{self._folder}: no captions of the split {split}; there are {self.splits()}")
        return captions

    @cached_property
    def _captions(self) -> dict[Split, Captions]:
        """By split and clip, in the order of the files."""
        if any((self._folder / name).is_file() for name in VATEX.values()):
            found = {split: self._folder / name for split, name in VATEX.items() if (self._folder / name).is_file()}
            return {split: self._vatex(path) for split, path in found.items()}
        whole = self._folder / WHOLE
        parts = [self._folder / name for name in PARTS if (self._folder / name).is_file()]
        made: dict[Split, Captions] = {split: {} for split in SPLITS}
        for path in [whole] if whole.is_file() or not parts else parts:
            for split, captions in self._msrvtt(path).items():
                made[split].update(captions)
        return made

    def _msrvtt(self, path: Path) -> dict[Split, Captions]:
        content = read_json(first_file([path]), dict, "an object with lists 'videos' and 'sentences'")
        lists = {name: content.get(name) for name in ("videos", "sentences")}
        for name, rows in lists.items():
            if not isinstance(rows, list) or not rows:
                raise ValueError(f"{path}: a list {name!r} that is not empty is wanted, got {rows!r:.40}")
        splits = dict(self._kept(path, "video", lists["videos"], _video))
        by_clip: Captions = defaultdict(list)
        for video, caption in self._kept(path, "sentence", lists["sentences"], _sentence):
            by_clip[video].append(caption)
        if lost := [video for video in splits if video not in by_clip][:3]:
            raise ValueError(f"{path}: no sentence has video_id {', '.join(map(repr, lost))}, which 'videos' has")
        made: dict[Split, Captions] = {split: {} for split in SPLITS}
        for video, split in splits.items():
            made[split][video] = by_clip[video]
        return made

    def _vatex(self, path: Path) -> Captions:
        rows = read_json(path, list, "a list of videos with captions")
        return dict(self._kept(path, "row", rows, _vatex_row))

    def _kept(self, path: Path, what: str, rows: Any, checked: Any) -> list[Any]:
        return list(self.reading.kept(path, ((f"{what} {n}", row) for n, row in enumerate(rows)), checked))

    @property
    def _folder(self) -> Path:
        return data_folder(self.root, self.name)

    def _source(self, video: str) -> ClipSource:
        return ClipSource(video, clip_file([self._folder / f / f"{video}.mp4" for f in ("videos/all", "videos", "")]))


def _video(row: Any, place: str) -> tuple[str, Split]:
    row = check_fields(row, VIDEO, place)
    if row["split"] not in NAMED:
        raise ValueError(f"{place}: field 'split' must be one of {', '.join(NAMED)}, got {row['split']!r:.40}")
    return check_inside(row["video_id"], "video_id", place), NAMED[row["split"]]


def _sentence(row: Any, place: str) -> tuple[str, str]:
    row = check_fields(row, SENTENCE, place)
    return row["video_id"], _text(row["caption"], "caption", place)


def _vatex_row(row: Any, place: str) -> tuple[str, list[str]]:
    row = check_fields(row, ENGLISH, place)
    if not row["enCap"]:
        raise ValueError(f"{place}: field 'enCap' has no caption")
    captions = [_text(caption, "enCap", place) for caption in row["enCap"]]
    return check_inside(row["videoID"], "videoID", place), captions


def _text(value: Any, field: str, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place}: field {field!r} must be a text, got {value!r:.40}")
    return value.strip()

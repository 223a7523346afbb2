"""Dialogues about videos with sound, in the files of AVSD (Alamri et al., CVPR 2019), as its challenge gave them out.

Layout on disk, under ``root``: ``train_set4DSTC7-AVSD.json``, ``valid_set4DSTC7-AVSD.json`` and
``lbl_test_set4DSTC7-AVSD.json``; ``<image_id>.mp4``, the videos of Charades, there or in ``videos/``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstta_tasks.annotations.files import check_fields, check_inside, clip_file, first_file, read_json
from lstta_tasks.annotations.reading import Reading
from lstta_tasks.annotations.splits import splits_with_files
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample, Split

FILES: dict[Split, str] = {
    "train": "train_set4DSTC7-AVSD.json",
    "val": "valid_set4DSTC7-AVSD.json",
    "test": "lbl_test_set4DSTC7-AVSD.json",
}
DIALOGUE, TURN = {"image_id": str, "dialog": list}, {"question": str, "answer": str}
UNTOLD = "__UNDISCLOSED__"
"""In place of an answer that the challenge kept back."""
Turns = Sequence[Mapping[str, str]]


class Dialogues:
    """The questions of a folder of AVSD, each with the turns before it.

    In train and val every turn is a sample, of test the last one of each dialogue, which is what the challenge scores.

    Args:
        root: the folder.
        history: how many turns before a question stand in front of it.
        reading: of the task.
    """

    def __init__(self, root: Path, *, history: int, reading: Reading) -> None:
        self.root, self.history, self.reading = root, history, reading

    @staticmethod
    def are_in(folder: Path) -> bool:
        """Whether a folder has a file of AVSD."""
        return any((folder / name).is_file() for name in FILES.values())

    def splits(self) -> list[Split]:
        return splits_with_files(self._places)

    def clips(self, split: Split) -> list[ClipSource]:
        return [self._source(video) for video in dict.fromkeys(video for video, _ in self._dialogues(split))]

    def samples(self, split: Split) -> list[Sample]:
        samples, times = [], Counter[str]()
        for video, turns in self._dialogues(split):
            times[video] += 1
            name = video if times[video] == 1 else f"{video}.{times[video]}"
            for number in range(len(turns) - 1 if split == "test" else 0, len(turns)):
                if turns[number]["answer"] == UNTOLD:
                    continue
                before = turns[max(0, number - self.history) : number]
                said = [text for turn in before for text in (turn["question"], turn["answer"])]
                text = " ".join([*said, turns[number]["question"]])
                answers = (turns[number]["answer"],)
                samples.append(Sample(f"{name}#{number + 1}", self._source(video), text, 0, answers=answers))
        if not samples:
            raise ValueError(f"{self._path(split)}: no question has an answer that is told")
        return samples

    def _dialogues(self, split: Split) -> list[tuple[str, Turns]]:
        path = self._path(split)
        rows = read_json(path, dict, "an object with a list 'dialogs'").get("dialogs")
        if not isinstance(rows, list) or not rows:
            raise ValueError(f"{path}: a list 'dialogs' that is not empty is wanted, got {rows!r:.40}")
        return self.reading.kept(path, ((f"dialogue {number}", row) for number, row in enumerate(rows)), _checked)

    def _path(self, split: Split) -> Path:
        return first_file(self._places(split))

    def _places(self, split: Split) -> list[Path]:
        return [self.root / FILES[split]]

    def _source(self, video: str) -> ClipSource:
        file = f"{video}.mp4"
        return ClipSource(id=video, video=clip_file([self.root / "videos" / file, self.root / file]))


def _checked(row: Any, place: str) -> tuple[str, Turns]:
    """A dialogue's video and turns, without blanks around their texts."""
    row = check_fields(row, DIALOGUE, place)
    if not row["dialog"]:
        raise ValueError(f"{place}: field 'dialog' has no turn")
    turns = [check_fields(turn, TURN, f"{place}, turn {number + 1}") for number, turn in enumerate(row["dialog"])]
    video = check_inside(row["image_id"], "image_id", place)
    return video, [{field: " ".join(turn[field].split()) for field in TURN} for turn in turns]

"""AVE's files: with and without a header, a bad row among 4,143, seconds as they are, and splits that are not there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from lstta_tasks.answers.shaped_loss import OUTSIDE
from lstta_tasks.task import SPLITS, Split
from lstta_tasks.tasks.ave import AVE, BACKGROUND, COLUMNS, EVENTS, SECONDS

HEADER = "&".join(COLUMNS)
ROWS = 4_143
BAD = "Church bell&VWi2ENBuTbw&good&0&0"
"""The row of the public file that has no length, in its line 27."""


def lines(count: int = ROWS) -> list[str]:
    rows = [f"{EVENTS[i % len(EVENTS)]}&v{i:010d}&good&{i % 7}&{i % 7 + 1 + i % 4}" for i in range(count)]
    rows[26 % count] = BAD
    return rows


def write(folder: Path, file: str, rows: list[str], *, header: bool = False) -> Path:
    (folder / file).write_text("".join(f"{row}\n" for row in [HEADER, *rows][not header :]), encoding="utf-8")
    return folder / file


@pytest.mark.parametrize("header", [False, True])
def test_4143_rows_with_one_that_is_bad(header: bool, tmp_path: Path) -> None:
    path = write(tmp_path, "Annotations.txt", lines(), header=header)
    line = 28 if header else 27
    said = "an event of 'VWi2ENBuTbw' from StartTime 0 to EndTime 0 is no part of a video's 10 seconds"
    whole = f"{path}, line {line}: {said}; mend it, or leave it out: task.skip_bad_rows=True"
    with pytest.raises(ValueError, match=f"^{re.escape(whole)}$"):
        AVE(root=tmp_path).samples("train")
    task = AVE(root=tmp_path, skip_bad_rows=True)
    assert sum(len(task.samples(split)) for split in SPLITS) == ROWS - 1
    assert task.reading.left_out == {path: 1}
    with pytest.raises(ValueError, match=f"line {line}: an event of 'VWi2ENBuTbw'"):
        AVE(root=tmp_path).sources()


@pytest.mark.parametrize("header", [False, True])
def test_a_file_without_rows_is_refused(header: bool, tmp_path: Path) -> None:
    path = write(tmp_path, "testSet.txt", [], header=header)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: there are no rows in it; Category&VideoID"):
        AVE(root=tmp_path).samples("test")


def test_the_splits_files_come_first(tmp_path: Path) -> None:
    write(tmp_path, "Annotations.txt", lines(41))
    sizes: dict[Split, int] = {"train": 11, "val": 3, "test": 5}
    for place, (split, size) in enumerate(sizes.items()):
        rows = [row for row in lines(100) if row != BAD][20 * place :][:size]
        write(tmp_path, f"{split}Set.txt", rows, header=split == "val")
    task = AVE(root=tmp_path)
    assert task.splits() == list(SPLITS)
    assert {split: len(task.samples(split)) for split in SPLITS} == sizes
    assert not task.reading.notes
    (tmp_path / "valSet.txt").unlink()
    assert AVE(root=tmp_path).splits() == ["train", "test"]


def test_without_them_videos_are_divided_and_it_is_said(tmp_path: Path) -> None:
    rows = [row for row in lines(400) if row != BAD]
    write(tmp_path, "Annotations.txt", [*rows, rows[3].replace("Fixed-wing aircraft, airplane", "Bark")])
    task = AVE(root=tmp_path)
    clips = {split: {clip.id for clip in task.clips(split)} for split in SPLITS}
    assert sum(map(len, clips.values())) == len(set.union(*clips.values())) == 399
    assert 250 < len(clips["train"]) < 350
    assert "divided 8 : 1 : 1 by their names" in task.reading.notes[0]


def test_a_target_has_the_event_in_its_seconds_and_background_elsewhere(tmp_path: Path) -> None:
    rows = ["Bark&a_b-c&good&2&9", "Accordion&second&good&0&10", "Truck&a_b-c&good&9&10"]
    write(tmp_path, "trainSet.txt", rows)
    first, second, third = AVE(root=tmp_path).samples("train")
    nothing = len(EVENTS)
    assert first.target == (nothing,) * 2 + (EVENTS.index("Bark"),) * 7 + (nothing,)
    assert second.target == (EVENTS.index("Accordion"),) * SECONDS
    assert [sample.id for sample in (first, second, third)] == ["a_b-c", "second", "a_b-c#2"]
    assert first.source == third.source
    assert first.source.end == SECONDS
    kind = AVE.answer
    assert (kind.classes[-1], kind.segments, len(kind.classes)) == (BACKGROUND, SECONDS, 29)
    assert Counter(kind.names(first.target)) == {"Bark": 7, BACKGROUND: 3}
    assert OUTSIDE not in first.target


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Bark&v&good&3&3", "an event of 'v' from StartTime 3 to EndTime 3 is no part of a video's 10 seconds"),
        ("Bark&v&good&7&3", "an event of 'v' from StartTime 7 to EndTime 3 is no part"),
        ("Bark&v&good&0&11", "an event of 'v' from StartTime 0 to EndTime 11 is no part"),
        ("Bark&v&good&0", "Category&VideoID&Quality&StartTime&EndTime is wanted, got 4 cells, 'Bark&v&good&0'"),
        ("Dog&v&good&0&1", "field 'Category' must be one of AVE's 28 events, got 'Dog'"),
        ("Bark&&good&0&1", "field 'VideoID' is empty"),
        ("Bark&../v&good&0&1", "field 'VideoID' leads out of the data set's folder, got '../v'"),
        ("Bark&v&good&x&1", "field 'StartTime' must be a whole number, got 'x'"),
        ("Bark&v&good&0&1.5", "field 'EndTime' must be a whole number, got '1.5'"),
    ],
)
def test_bad_rows_are_named(row: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, "trainSet.txt", ["Bark&w&good&0&1", "", row])
    with pytest.raises(ValueError, match=r"trainSet.txt, line 3: ") as error:
        AVE(root=tmp_path).samples("train")
    assert said in str(error.value)


def test_clips_are_found_where_they_may_be(tmp_path: Path) -> None:
    write(tmp_path, "trainSet.txt", ["Bark&v&good&0&1", "Bark&w&good&0&1"])
    (tmp_path / "AVE").mkdir()
    (tmp_path / "w.mp4").touch()
    assert [clip.video for clip in AVE(root=tmp_path).clips("train")] == [tmp_path / "AVE/v.mp4", tmp_path / "w.mp4"]


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"trainSet\.txt is not there; set task\.root"):
        AVE(root=tmp_path).splits()
    with pytest.raises(ValueError, match="ave has no root"):
        AVE().splits()

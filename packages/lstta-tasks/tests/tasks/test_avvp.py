"""LLP's files: labels of clips in train, of seconds elsewhere, heard and seen, in either copy of the public files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstta_tasks.tasks.avvp import AVVP, LABELS, SECONDS

WEAK = "filename\tevent_labels\n"
STRONG = "filename\tonset\toffset\tevent_labels\n"
TRAIN = WEAK + "BjCEufrlXm4_20_30\tSpeech,Dog\n-9IAavxdpAU_30_40\tFrying_(food)\nquiet_0_10\t\n"
AUDIO = STRONG + "a_0_10\t0\t4\tSpeech\na_0_10\t3\t6\tSpeech\na_0_10\t9\t9\tDog\nb_0_10\t8\t10\tBlender\n"
VISUAL = STRONG + "a_0_10\t1\t3\tSpeech\na_0_10\t5\t10\tDog\n"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"AVVP_{name}.csv").write_text(text, encoding="utf-8")


def on(task: AVVP, clip: str, side: int) -> dict[str, list[int]]:
    """The seconds of each label that is heard (0) or seen (1) in a clip of test."""
    (sample,) = [sample for sample in task.samples("test") if sample.id == clip]
    assert isinstance(sample.target, tuple)
    assert len(sample.target) == SECONDS
    found: dict[str, list[int]] = {}
    for second, row in enumerate(sample.target):
        assert isinstance(row, tuple)
        for place, label in enumerate(LABELS):
            if row[side * len(LABELS) + place]:
                found.setdefault(label, []).append(second)
    return found


def test_train_has_the_labels_of_clips(tmp_path: Path) -> None:
    write(tmp_path, train=TRAIN)
    task = AVVP(root=tmp_path)
    samples = task.samples("train")
    assert [task.answer.names(sample.target) for sample in samples] == [
        ["Speech", "Dog"],
        ["Frying_(food)"],
        ["(none)"],
    ]
    assert {len(sample.target) for sample in samples if isinstance(sample.target, tuple)} == {25}
    assert task.splits() == ["train"]
    assert task.reading.notes == [
        f"{tmp_path / 'AVVP_train.csv'}: 1 of its 3 clips have no event_labels, so they teach that nothing is heard or "
        "seen in them: 'quiet_0_10'"
    ]


@pytest.mark.parametrize("copy", ["own", "own, listed", "together"])
def test_others_have_what_is_heard_and_what_is_seen(copy: str, tmp_path: Path) -> None:
    """A clip of the list without rows is silent and empty; rows of other clips are another split's."""
    listed = WEAK + "b_0_10\tBlender\na_0_10\tSpeech,Dog\nc_0_10\tCar\n"
    if copy == "together":
        (tmp_path / "data").mkdir()
        write(tmp_path / "data", eval_audio=AUDIO + "z_0_10\t0\t1\tCar\n", eval_visual=VISUAL, test_pd=listed)
    else:
        write(tmp_path, test_audio=AUDIO, test_visual=VISUAL, **({"test_pd": listed} if "listed" in copy else {}))
    task = AVVP(root=tmp_path)
    assert task.splits() == ["test"]
    names = [sample.id for sample in task.samples("test")]
    assert names == (["a_0_10", "b_0_10"] if copy == "own" else ["b_0_10", "a_0_10", "c_0_10"])
    assert on(task, "a_0_10", 0) == {"Speech": [0, 1, 2, 3, 4, 5]}  # a row of no length has no seconds
    assert on(task, "a_0_10", 1) == {"Speech": [1, 2], "Dog": [5, 6, 7, 8, 9]}
    assert on(task, "b_0_10", 0) == {"Blender": [8, 9]}
    assert on(task, "b_0_10", 1) == {}
    notes = [note.partition(": ")[2] for note in task.reading.notes]
    if copy == "own":
        assert notes == ["1 of the split's 2 clips have no row in it, so nothing is seen in them: 'b_0_10'"]
        return
    assert notes[-2:] == [
        "1 of the split's 3 clips have no row in it, so nothing is heard in them: 'c_0_10'",
        "2 of the split's 3 clips have no row in it, so nothing is seen in them: 'b_0_10', 'c_0_10'",
    ]
    assert notes[:-2] == (["1 of its clips are on no list and left out: 'z_0_10'"] if copy == "together" else [])


def test_rows_of_both_splits_are_those_of_either_list(tmp_path: Path) -> None:
    more = "z_0_10\t0\t1\tCar\n"
    write(tmp_path, eval_audio=AUDIO + more, eval_visual=VISUAL + more + "b_0_10\t0\t1\tCar\n")
    write(tmp_path, test_pd=WEAK + "a_0_10\tDog\n", val_pd=WEAK + "z_0_10\tCar\nb_0_10\tBlender\n")
    task = AVVP(root=tmp_path)
    assert [len(task.samples(split)) for split in ("val", "test")] == [2, 1]
    assert not task.reading.notes


def test_a_list_of_other_names_is_refused(tmp_path: Path) -> None:
    write(tmp_path, test_audio=AUDIO, test_visual=VISUAL, test_pd=WEAK + "xa_0_10\tDog\nxb_0_10\tDog\n")
    said = r"AVVP_test_audio\.csv: it has 'a_0_10', and no clip of the split, such as 'xa_0_10'$"
    with pytest.raises(ValueError, match=said):
        AVVP(root=tmp_path).samples("test")


@pytest.mark.parametrize("listed", [False, True])
def test_one_side_of_other_names_is_refused(listed: bool, tmp_path: Path) -> None:
    """As in copies whose visual rows lack the times in the names, or are those of another split."""
    more = {"val_pd": WEAK + "a_0_10\tDog\nb_0_10\tBlender\n"} if listed else {}
    write(tmp_path, val_audio=AUDIO, val_visual=VISUAL.replace("a_0_10", "a"), **more)
    said = (
        r"AVVP_val_visual\.csv: it has 'a', and no clip of the split, such as 'a_0_10'$"
        if listed
        else r"AVVP_val_audio\.csv and .*AVVP_val_visual\.csv: no clip is in both, 'a_0_10' is in one and 'a' in"
    )
    with pytest.raises(ValueError, match=said):
        AVVP(root=tmp_path).samples("val")


def test_files_of_both_splits_need_the_lists(tmp_path: Path) -> None:
    write(tmp_path, eval_audio=AUDIO, eval_visual=VISUAL)
    with pytest.raises(FileNotFoundError, match=r"AVVP_train\.csv"):
        AVVP(root=tmp_path).splits()
    said = (
        r"AVVP_eval_audio\.csv: it has the clips of val and of test, and AVVP_val_pd\.csv, which says .* is not there$"
    )
    with pytest.raises(FileNotFoundError, match=said):
        AVVP(root=tmp_path).samples("val")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a_0_10\t3\t11\tDog", "Dog of 'a_0_10' from onset 3 to offset 11 is no part of a clip's 10 seconds"),
        ("a_0_10\t5\t2\tDog", "Dog of 'a_0_10' from onset 5 to offset 2 is no part of a clip's 10 seconds"),
        ("a_0_10\t0\t1\tBark", "field 'event_labels' must be of LLP's 25 labels, got 'Bark'"),
        ("\t0\t1\tDog", "field 'filename' is empty"),
        ("../a\t0\t1\tDog", "field 'filename' leads out of the data set's folder"),
        ("a_0_10\t-1\t1\tDog", "field 'onset' must be a whole number, got '-1'"),
    ],
)
def test_bad_rows_are_named(row: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, val_audio=AUDIO, val_visual=f"{VISUAL}{row}\n")
    with pytest.raises(ValueError, match=r"AVVP_val_visual\.csv, line 4: ") as error:
        AVVP(root=tmp_path).samples("val")
    assert said in str(error.value)


def test_bad_labels_of_clips_are_named(tmp_path: Path) -> None:
    write(tmp_path, train=TRAIN + "x_0_10\tDog,Wolf\n")
    with pytest.raises(ValueError, match="line 5: field 'event_labels' must be of LLP's 25 labels, got 'Wolf'"):
        AVVP(root=tmp_path).samples("train")


def test_clips_are_found_by_the_name_of_their_video_too(tmp_path: Path) -> None:
    write(tmp_path, train=WEAK + "BjCEufrlXm4_20_30\tDog\nBjCEufrlXm4_20_30\tCar\na_b_0_10\tDog\nodd\tDog\n")
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "a_b.mp4").touch()
    task = AVVP(root=tmp_path)
    found = [clip.video.relative_to(tmp_path).as_posix() for clip in task.clips("train") if clip.video]
    assert found == ["video/BjCEufrlXm4_20_30.mp4", "video/a_b.mp4", "video/odd.mp4"]
    assert [sample.id for sample in task.samples("train")][:2] == ["BjCEufrlXm4_20_30", "BjCEufrlXm4_20_30#2"]

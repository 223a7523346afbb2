"""The inputs in ``cases`` of LSTTA_SHARED: each is the small copy of a public report, with what is right for it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import untrained
from ffmpeg import compare, reference

from lstta_tasks.annotations.subtitles import read_subtitles
from lstta_tasks.data.clip import ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.task import TimedText
from lstta_tasks.tasks.classification import Classification
from lstta_tasks.tasks.emotion import Emotion
from lstta_tasks.tasks.humor import Humor

CASES = Path(os.environ.get("LSTTA_SHARED", Path(__file__).parents[2] / "shared")) / "cases"
SETTINGS = Preprocessing(segments=7, frames_per_segment=1, frame_size=(30, 40), sample_rate=1_000, sound_seconds=0.5)
WHOLE = ["clock_restarts.ts", "open_gop_cut.mp4", "packed_b_frames.avi", "palette.avi", "truncated_sei.mp4"]
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is not there: set LSTTA_SHARED"),
]


def test_melds_times_have_one_to_three_digits() -> None:
    task = Emotion(root=CASES / "text" / "meld")
    assert [task.samples(split)[0].text for split in ("train", "val", "test")] == ["Ana: We are ready."] * 3
    assert [utterance.end for utterance in task.utterances("train")] == [401.5, 407.28]


def test_subtitles_of_windows() -> None:
    path = CASES / "text" / "cp1252.srt"
    with pytest.raises(DecodeError, match=r"byte 0xE9 at offset 35 \(line 3, byte 4 of it\) is not UTF-8.*cp1252"):
        read_subtitles(path)
    assert read_subtitles(path, "cp1252") == (TimedText(1.0, 2.5, "Café ’tis"), TimedText(3.0, 4.0, "Hello there"))


def test_captions_that_roll_come_once() -> None:
    lines = read_subtitles(CASES / "text" / "rolling.vtt")
    assert [line.text for line in lines] == ["one board one", "minute home"]


def test_rows_of_no_length_are_named_together_or_left_out() -> None:
    path = CASES / "text" / "zero_spans.csv"
    with pytest.raises(ValueError, match=r"2 of 4 rows are bad.*skip_bad_rows=True\n  line 3: .*\n  line 4: "):
        Classification(path=path).sources()
    task = Classification(path=path, skip_bad_rows=True)
    assert {source.id for source in task.sources()} == {"a.mp4@0-10", "d.mp4@2-8"}
    assert task.reading is not None
    assert task.reading.left_out == {path: 2}


@pytest.mark.parametrize("name", WHOLE)
def test_pictures_are_those_that_ffmpeg_shows(name: str, tmp_path: Path) -> None:
    path = Path(shutil.copy(CASES / "media" / name, tmp_path))
    assert compare(path, reference(path), (1, 5, 16)) == 22


def test_one_picture_under_long_sound() -> None:
    clip = decode_clip(ClipSource("still", CASES / "media" / "still_picture.mkv"), SETTINGS)
    assert clip.duration == pytest.approx(10.0, abs=0.2)
    assert clip.has_sound
    assert len({frame.tobytes() for frame in clip.frames.reshape(7, -1)}) == 1


def test_the_sound_of_a_part_is_there_from_its_beginning() -> None:
    """A cut that begins with a second of sound to throw away: FFmpeg 9 throws away as much wherever decoding begins."""
    path = CASES / "media" / "open_gop_cut.mp4"
    whole, part = (
        decode_clip(source, replace(SETTINGS, segments=1, sound_seconds=6.0))
        for source in (ClipSource("whole", path), ClipSource("part", path, start=0.3, end=3.3))
    )
    assert part.sound_length.tolist() == [3_000]
    apart = part.sound[0, :3_000].astype(int) - whole.sound[0, 300:3_300]
    assert np.abs(apart).max() <= 2 < np.abs(whole.sound.astype(int)).max()


def test_palettes_are_kept() -> None:
    clip = decode_clip(ClipSource("palette", CASES / "media" / "palette.avi"), SETTINGS)
    assert np.mean(clip.frames) == pytest.approx(58, abs=2)


def test_a_folder_of_all_of_them(tool: Callable[..., Any], tmp_path: Path) -> None:
    """No clip costs another its answer, and what is skipped is listed."""
    adapter = untrained.save_tiny(tmp_path / "best", Humor())
    shutil.copytree(CASES / "media", tmp_path / "media")
    (tmp_path / "media" / "bomb.mkv").write_bytes((CASES / "media" / "bomb.png").read_bytes())
    result = tool("infer", adapter, tmp_path / "media", "a joke", "--json", "--out", tmp_path / "out")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    answered = {answer["clip"] for answer in found["answers"]}
    assert answered >= {*WHOLE, "still_picture.mkv"}
    assert "bomb.mkv" in found["failed"]
    assert list(found["skipped"]) == ["bomb.png"]
    assert len(answered) + len(found["failed"]) == 9 - 1

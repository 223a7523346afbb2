"""Reading MSR-VTT's files: what belongs to which split, and messages about files that are not as they should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_msrvtt import videos, write_csv
from small_world import World

from lstta_tasks.tasks.retrieval import Retrieval


@pytest.fixture
def root(msrvtt: World, tmp_path: Path) -> Path:
    """The annotations alone, to be changed."""
    for path in msrvtt.root.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    return tmp_path


def task(root: Path, **options: Any) -> Retrieval:
    return Retrieval(root=root, **{"val_share": 0.4, **options})


class TestSplits:
    def test_every_caption_of_a_training_clip_is_a_sample(self, root: Path) -> None:
        samples = task(root).samples("train")
        held_out = {clip.id for clip in task(root).clips("val")}
        kept = [video for video in videos("train") if video not in held_out]
        assert [sample.id for sample in samples] == [f"{video}#{n}" for video in kept for n in range(2)]
        said = json.loads((root / "MSRVTT_data.json").read_text())["sentences"]
        texts = [row["caption"].strip() for row in said if row["video_id"] in kept]
        assert [sample.text for sample in samples] == texts
        assert [sample.target for sample in samples] == [place for place in range(len(kept)) for _ in range(2)]

    def test_val_is_a_share_of_train_that_new_clips_do_not_move(self, root: Path) -> None:
        before = {clip.id for clip in task(root).clips("val")}
        rest = {clip.id for clip in task(root).clips("train")}
        assert before | rest == set(videos("train"))
        assert not before & rest
        assert 0 < len(before) < len(rest)
        more = [*videos("train"), *(f"video{i}" for i in range(100, 400))]
        write_csv(root / "MSRVTT_train.9k.csv", ["video_id"], [[video] for video in more])
        after = {clip.id for clip in task(root).clips("val")}
        assert before == after & set(videos("train"))
        assert len(after) == pytest.approx(0.4 * len(more), rel=0.2)
        assert {clip.id for clip in task(root, val_share=0.2).clips("val")} < after

    def test_a_file_of_val_decides_and_takes_its_clips_from_train(self, root: Path) -> None:
        listed = [videos("train")[4], videos("test")[0], videos("train")[1]]
        write_csv(root / "MSRVTT_val.csv", ["video_id"], [[video] for video in listed])
        assert [clip.id for clip in task(root).clips("val")] == listed
        kept = [video for video in videos("train") if video not in listed]
        assert [clip.id for clip in task(root).clips("train")] == kept

    @pytest.mark.parametrize(("most", "count"), [(1, 1), (2, 2), (None, 2), (9, 2)])
    def test_how_many_captions_of_val(self, root: Path, most: int | None, count: int) -> None:
        samples = task(root, val_captions=most).samples("val")
        assert len(samples) == count * len(task(root).clips("val"))
        assert len(task(root, val_captions=most).samples("train")) == 2 * len(task(root).clips("train"))

    def test_of_test_the_sentence_in_its_own_file(self, root: Path) -> None:
        (root / "MSRVTT_data.json").unlink()
        (root / "MSRVTT_train.9k.csv").unlink()
        assert task(root).splits() == ["test"]
        assert [sample.id for sample in task(root).samples("test")] == [f"ret{i}" for i in range(5)]
        assert [sample.source.id for sample in task(root).samples("test")] == videos("test")

    @pytest.mark.parametrize("folder", ["videos/all", "videos", "."])
    def test_where_films_may_be(self, root: Path, folder: str) -> None:
        (root / folder).mkdir(parents=True, exist_ok=True)
        film = root / folder / f"{videos('test')[0]}.mp4"
        film.touch()
        first, second, *_ = task(root).clips("test")
        assert first.video == film
        assert second.video == root / "videos" / "all" / f"{videos('test')[1]}.mp4"

    def test_quoted_commas_a_byte_order_mark_emoji_and_arabic(self, root: Path) -> None:
        rows = ["key,vid_key,video_id,sentence", 'r0,m1,video1," a dog, a cat 🐈 "', "r1,m2,video1,كمان على اليسار", ""]
        (root / "MSRVTT_JSFUSION_test.csv").write_text("\n".join(rows), encoding="utf-8-sig")
        samples = task(root).samples("test")
        assert [sample.text for sample in samples] == ["a dog, a cat 🐈", "كمان على اليسار"]
        assert [sample.target for sample in samples] == [0, 0]


class TestErrors:
    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"none: no such folder; set task.root"):
            task(tmp_path / "none").splits()

    def test_no_root(self) -> None:
        with pytest.raises(ValueError, match=r"retrieval has no root: set task.root"):
            Retrieval().samples("test")

    @pytest.mark.parametrize("name", ["MSRVTT_data.json", "MSRVTT_train.9k.csv"])
    def test_a_file_less(self, root: Path, name: str) -> None:
        (root / name).unlink()
        with pytest.raises(FileNotFoundError, match=rf"{name} is not there; set task.root"):
            task(root).samples("train")
        assert task(root).splits() == ["test"]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("[", "not JSON"),
            ("[]", "an object with a list 'sentences' is wanted, got list"),
            ('{"sentences": []}', "an object with a list 'sentences' that is not empty"),
            ('{"sentences": [3]}', "sentence 0: an object is wanted, got int"),
            (
                '{"sentences": [{"video_id": "a", "caption": " "}]}',
                "sentence 0: field 'caption' must be a text",
            ),
            ('{"sentences": [{"video_id": "a", "caption": "b"}]}', "no sentence has video_id 'video"),
        ],
    )
    def test_sentences(self, root: Path, content: str, said: str) -> None:
        (root / "MSRVTT_data.json").write_text(content)
        with pytest.raises(ValueError, match=rf"MSRVTT_data.json.*{said}"):
            task(root).samples("train")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("key,video_id\nret0,video1\n", "the header must name key and video_id and sentence, got key, video_id"),
            ("key,video_id,sentence\n", "a header and no rows"),
            ("", "the header must name key and video_id and sentence, got nothing"),
            ("key,video_id,sentence\nret0,video1\n", "line 2: it has another number of cells"),
            ("key,video_id,sentence\nret0,,a dog\n", "line 2: column 'video_id' is empty"),
            ('key,video_id,sentence\nret0,"video1,a dog\n', "not CSV"),
        ],
    )
    def test_rows(self, root: Path, content: str, said: str) -> None:
        (root / "MSRVTT_JSFUSION_test.csv").write_text(content)
        with pytest.raises(ValueError, match=f"MSRVTT_JSFUSION_test.csv.*{said}"):
            task(root).samples("test")

    def test_another_encoding(self, root: Path) -> None:
        (root / "MSRVTT_JSFUSION_test.csv").write_bytes("key,video_id,sentence\nret0,video1,café\n".encode("latin1"))
        with pytest.raises(
            ValueError, match=r"MSRVTT_JSFUSION_test.csv: byte 0xE9 at offset 37 .* is not UTF-8.*cp1252"
        ):
            task(root).samples("test")

    def test_no_clip_is_left(self, root: Path) -> None:
        with pytest.raises(ValueError, match=r"of its 9 clips, 0 are held out for val and none is left for val"):
            task(root, val_share=1e-9).samples("val")
        write_csv(root / "MSRVTT_val.csv", ["video_id"], [[video] for video in videos("train")])
        with pytest.raises(ValueError, match=r"9 are held out for val and none is left for train"):
            task(root).samples("train")

    @pytest.mark.parametrize("options", [{"embedding": 0}, {"rerank": 0}, {"val_captions": 0}, {"val_share": 1.0}])
    def test_options_out_of_range(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=f"task.{next(iter(options))} must"):
            Retrieval(**options)


def test_a_record_makes_the_same_task_again(root: Path) -> None:
    made = task(root, joint=True, embedding=7, rerank=3, val_captions=None)
    again = Retrieval(**json.loads(json.dumps(made.options())))
    assert again.options() == made.options()

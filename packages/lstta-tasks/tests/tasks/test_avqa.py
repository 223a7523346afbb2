"""MUSIC-AVQA's files are read as they are, and every mistake in them is named by file, row and field."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lstta_tasks.answers.one_of_many import OUTSIDE
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample
from lstta_tasks.tasks.avqa import AVQA, fill

SHARED = Path(os.environ.get("LSTTA_SHARED", Path(__file__).parents[5] / "shared"))
Write = Callable[..., Path]


def row(**changes: Any) -> dict[str, Any]:
    """A correct row, but for the changes."""
    whole = {
        "video_id": "00000007",
        "question_id": 13,
        "type": '["Audio", "Counting"]',
        "question_content": "Is the <Object> playing?",
        "templ_values": '["flute"]',
        "question_deleted": 0,
        "anser": "yes",
    }
    return {**whole, **changes}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the annotations of a split and return the file."""

    def to(content: object, split: str = "val", folder: str = "") -> Path:
        path = tmp_path / folder / f"avqa-{split}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return to


def task(root: Path, **options: Any) -> AVQA:
    return AVQA(root=root, **{"answers": ["no", "yes"], **options})


class TestLayout:
    @pytest.mark.parametrize("folder", ["", "json"])
    def test_annotations_lie_in_the_root_or_in_json(self, write: Write, tmp_path: Path, folder: str) -> None:
        write([row()], folder=folder)
        assert [sample.id for sample in task(tmp_path).samples("val")] == ["13"]
        assert task(tmp_path).splits() == ["val"]

    def test_those_in_the_root_win(self, write: Write, tmp_path: Path) -> None:
        write([row(question_id=1)])
        write([row(question_id=2)], folder="json")
        assert [sample.id for sample in task(tmp_path).samples("val")] == ["1"]

    def test_splits_come_in_their_usual_order(self, write: Write, tmp_path: Path) -> None:
        write([row()], "test")
        write([row()], "train", "json")
        assert task(tmp_path).splits() == ["train", "test"]

    def test_videos_lie_in_the_root_or_in_videos(self, write: Write, tmp_path: Path) -> None:
        write([row(video_id="a"), row(video_id="b", question_id=14)])
        (tmp_path / "a.mp4").touch()
        assert task(tmp_path).clips("val") == [
            ClipSource("a", tmp_path / "a.mp4"),
            ClipSource("b", tmp_path / "videos" / "b.mp4"),
        ]

    def test_a_clip_is_listed_once_and_needs_no_other_split(self, write: Write, tmp_path: Path) -> None:
        write([row(question_id=i, video_id=f"{i % 3}") for i in range(7)])
        assert [clip.id for clip in AVQA(root=tmp_path).clips("val")] == ["0", "1", "2"]

    @pytest.mark.parametrize("call", ["samples", "clips"])
    def test_missing_annotations_are_named(self, write: Write, tmp_path: Path, call: str) -> None:
        write([row()])
        with pytest.raises(FileNotFoundError, match=r"neither .*avqa-test.json nor .*json.avqa-test.json is there"):
            getattr(task(tmp_path), call)("test")

    def test_no_annotations_at_all(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"neither .*avqa-train.json nor"):
            AVQA(root=tmp_path).splits()
        with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder; set task.root"):
            AVQA(root=tmp_path / "nowhere").splits()
        with pytest.raises(ValueError, match=r"avqa has no root: set task.root"):
            AVQA().splits()


class TestQuestions:
    @pytest.mark.parametrize(
        ("question", "values", "text"),
        [
            ("Is it on?", [], "Is it on?"),
            ("Is the <Object> playing?", ["flute"], "Is the flute playing?"),
            ("Is the <Object> playing ?", ["acoustic_guitar"], "Is the acoustic guitar playing?"),
            ("Where is the <FL> sounding instrument？", ["first"], "Where is the first sounding instrument?"),
            ("Is it <LL>? ", ["indoor"], "Is it indoor?"),
            ("  Is it <LL>？ ", ["indoor"], "Is it indoor?"),
            ("Is the <LR>er one on the <LR>?", ["left", "right"], "Is the left one on the right?"),
            ("Is the <Object> on the <LR> louder?", ["a_b_c", "left"], "Is the a b c on the left louder?"),
        ],
    )
    def test_placeholders_are_filled_from_left_to_right(self, question: str, values: list[str], text: str) -> None:
        assert fill(question, values, "") == text

    @pytest.mark.parametrize("values", [[], ["a", "b"]])
    def test_values_must_be_as_many_as_placeholders(self, values: list[str]) -> None:
        with pytest.raises(
            ValueError, match=rf"file, row 3: question_content has 1 placeholders, .* {len(values)} val"
        ):
            fill("Is it <LL>?", values, "file, row 3")

    def test_a_sample_has_all_of_its_row(self, write: Write, tmp_path: Path) -> None:
        write([row()])
        (sample,) = task(tmp_path).samples("val")
        assert sample == Sample(
            id="13",
            source=ClipSource("00000007", tmp_path / "videos" / "00000007.mp4"),
            text="Is the flute playing?",
            target=1,
            labels=("Audio", "Counting", "yes"),
        )

    def test_deleted_questions_are_left_out(self, write: Write, tmp_path: Path) -> None:
        write([row(question_deleted=1), row(question_id=14)])
        assert [sample.id for sample in task(tmp_path).samples("val")] == ["14"]

    def test_a_question_with_two_answers_is_two_samples(self, write: Write, tmp_path: Path) -> None:
        """As in 27 cases of the published val split."""
        write([row(), row(anser="no"), row(question_id=14), row()])
        samples = task(tmp_path).samples("val")
        assert [(sample.id, sample.target) for sample in samples] == [("13", 1), ("13#2", 0), ("14", 1), ("13#3", 1)]
        report = task(tmp_path).answer.report(
            {sample.id: {"answer": "yes", "probability": 0.5} for sample in samples}, samples
        )
        assert report.value("overall") == 3 / 4
        assert report.notes == ("2 rows repeat the question_id of another row, and count as rows of their own",)


class TestVocabulary:
    def test_it_comes_from_train_sorted(self, write: Write, tmp_path: Path) -> None:
        write([row(anser="yes"), row(anser="left"), row(anser="yes"), row(anser="gone", question_deleted=1)], "train")
        write([row(anser="never")])
        avqa = AVQA(root=tmp_path)
        assert avqa.answer.classes == ("left", "yes")
        assert avqa.options() == {"answers": ["left", "yes"]}
        assert AVQA(**avqa.options()).answer.classes == ("left", "yes")
        assert avqa.answer.head(7).weight.shape == (2, 7)

    def test_an_answer_outside_it_is_wrong_and_noted(self, write: Write, tmp_path: Path) -> None:
        write([row(anser="never"), row(question_id=14)])
        samples = task(tmp_path).samples("val")
        assert [sample.target for sample in samples] == [OUTSIDE, 1]
        report = task(tmp_path).answer.report({s.id: {"answer": "yes", "probability": 0.5} for s in samples}, samples)
        assert report.value("overall") == 1 / 2
        assert report.notes == ("1 samples have an answer outside the vocabulary of train and count as wrong",)

    def test_it_has_no_loss(self) -> None:
        avqa = AVQA(answers=["a", "b", "c"])
        output = torch.randn(5, 3)
        target = torch.tensor([2, OUTSIDE, 0, OUTSIDE, 1])
        known = target != OUTSIDE
        torch.testing.assert_close(avqa.answer.loss(output, target), F.cross_entropy(output[known], target[known]))
        assert avqa.answer.loss(output, torch.full((5,), OUTSIDE)).item() == 0

    def test_predictions_are_answers_with_their_probability(self) -> None:
        output = torch.tensor([[1.0, 3.0, 2.0], [5.0, 0.0, 0.0]])
        found = AVQA(answers=["a", "b", "c"]).answer.predict(output)
        assert [one["answer"] for one in found] == ["b", "a"]
        expected = [np.exp(3) / np.exp([1, 3, 2]).sum(), np.exp(5) / np.exp([5, 0, 0]).sum()]
        np.testing.assert_allclose([one["probability"] for one in found], expected, rtol=1e-6)


class TestMalformed:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", r"not JSON"),
            ('[{"video_id": ', r"not JSON"),
            ("[]", r"a list of questions is wanted, got an empty list"),
            ('{"a": 1}', r"a list of questions is wanted, got dict"),
            ("[3]", r"row 0: an object is wanted, got int"),
            ([row(question_deleted=1)] * 3, r"all questions have question_deleted set"),
        ],
    )
    def test_the_file_is_named(self, write: Write, tmp_path: Path, content: object, said: str) -> None:
        write(content)
        with pytest.raises(ValueError, match=rf"avqa-val.json.*{said}"):
            task(tmp_path).samples("val")
        with pytest.raises(ValueError, match=rf"avqa-val.json.*{said}"):
            task(tmp_path).clips("val")

    def test_so_is_one_in_another_encoding(self, write: Write, tmp_path: Path) -> None:
        write([row()]).write_bytes('[{"anser": "ÿ"}]'.encode("latin1"))
        with pytest.raises(ValueError, match=r"avqa-val.json: not JSON"):
            task(tmp_path).samples("val")

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"video_id": 7}, r"field 'video_id' must be of type str, got 7"),
            ({"video_id": ""}, r"field 'video_id' is empty"),
            ({"question_id": "13"}, r"field 'question_id' must be of type int, got '13'"),
            ({"question_id": None}, r"field 'question_id' must be of type int, got None"),
            ({"type": ["Audio", "Counting"]}, r"field 'type' must be of type str"),
            ({"type": "Audio"}, r"field 'type' must be a list of strings as JSON, got 'Audio'"),
            ({"type": '["Audio"]'}, r"field 'type' must name a modality and a kind"),
            ({"question_content": None}, r"field 'question_content' must be of type str"),
            ({"question_content": ""}, r"field 'question_content' is empty"),
            ({"templ_values": ["flute"]}, r"field 'templ_values' must be of type str"),
            ({"templ_values": "['flute']"}, r"field 'templ_values' must be a list of strings as JSON"),
            ({"templ_values": "[3]"}, r"field 'templ_values' must be a list of strings as JSON"),
            ({"templ_values": "[]"}, r"question_content has 1 placeholders, templ_values 0 values"),
            ({"question_deleted": "0"}, r"field 'question_deleted' must be 0 or 1, got '0'"),
            ({"anser": 3}, r"field 'anser' must be of type str, got 3"),
            ({"anser": ""}, r"field 'anser' is empty"),
        ],
    )
    def test_file_row_and_field_are_named(
        self, write: Write, tmp_path: Path, changes: dict[str, Any], said: str
    ) -> None:
        path = write([row(question_id=1), row(question_id=2), row(**changes)])
        with pytest.raises(ValueError, match=rf"{path}, row 2: {said}"):
            task(tmp_path).samples("val")

    def test_so_is_a_field_that_is_not_there(self, write: Write, tmp_path: Path) -> None:
        broken = {key: value for key, value in row().items() if key != "anser"}
        path = write([row(), broken], "train")
        with pytest.raises(ValueError, match=rf"{path}, row 1: field 'anser' must be of type str, got None"):
            _ = AVQA(root=tmp_path).answer.classes


@pytest.mark.real_data
@pytest.mark.skipif(not (SHARED / "data/music-avqa/avqa-val.json").is_file(), reason="LSTTA_SHARED has no MUSIC-AVQA")
class TestMusicAVQA:
    @pytest.fixture
    def samples(self) -> list[Sample]:
        return AVQA(root=SHARED / "data/music-avqa", answers=["yes"]).samples("val")

    def test_every_question_parses_and_every_placeholder_is_filled(self, samples: list[Sample]) -> None:
        assert len(samples) == len({sample.id for sample in samples}) == 4595
        texts = [sample.text or "" for sample in samples]
        assert not [text for text in texts if any(mark in text for mark in "<>_？")]
        assert all(text.endswith("?") and text == text.strip() and text.count("?") == 1 for text in texts)

    def test_the_types_are_those_of_the_file(self, samples: list[Sample]) -> None:
        assert Counter(sample.labels[:2] for sample in samples) == {
            ("Audio", "Comparative"): 299,
            ("Audio", "Counting"): 515,
            ("Audio-Visual", "Comparative"): 557,
            ("Audio-Visual", "Counting"): 635,
            ("Audio-Visual", "Existential"): 499,
            ("Audio-Visual", "Location"): 462,
            ("Audio-Visual", "Temporal"): 414,
            ("Visual", "Counting"): 600,
            ("Visual", "Location"): 614,
        }

    def test_answers_and_clips(self, samples: list[Sample]) -> None:
        assert len({sample.labels[2] for sample in samples}) == 41
        assert len(AVQA(root=SHARED / "data/music-avqa").clips("val")) == 3815
        assert sum("#" in sample.id for sample in samples) == 27

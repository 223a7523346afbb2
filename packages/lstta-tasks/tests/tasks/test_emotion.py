"""MELD's files: splits, encodings, times, context; the loss and the metrics."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample
from lstta_tasks.tasks.emotion import EMOTIONS, Emotion, Utterance

SHARED = Path(os.environ.get("LSTTA_SHARED", Path(__file__).parents[5] / "shared"))
HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
TIMES = '"00:16:16,059","00:16:21,731"'
Write = Callable[..., Emotion]


def row(**changes: str) -> str:
    cells = {
        "number": "1",
        "text": '"Well, no."',
        "speaker": "Ana",
        "emotion": "joy",
        "sentiment": "positive",
        "dialogue": "0",
        "utterance": "0",
        "season": "4",
        "episode": "7",
        "times": TIMES,
        **changes,
    }
    return ",".join(cells.values()) + "\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(rows: str | bytes, split: str = "dev", folder: str = ".", **options: Any) -> Emotion:
        (tmp_path / folder).mkdir(exist_ok=True)
        content = rows if isinstance(rows, bytes) else rows.encode()
        (tmp_path / folder / f"{split}_sent_emo.csv").write_bytes(HEADER.encode() + content)
        return Emotion(root=tmp_path, **options)

    return make


class TestLayout:
    def test_files_lie_in_the_root_or_in_their_splits_folder(self, write: Write) -> None:
        write(row(), "train", "train")
        task = write(row())
        assert task.splits() == ["train", "val"]
        assert len(task.samples("train")) == len(task.samples("val")) == 1

    def test_clips_of_two_splits_have_different_ids(self, write: Write) -> None:
        write(row(), "train")
        task = write(row())
        assert [task.clips(split)[0].id for split in ("train", "val")] == ["train/dia0_utt0", "dev/dia0_utt0"]
        assert [task.samples(split)[0].id for split in ("train", "val")] == ["dia0_utt0", "dia0_utt0"]

    @pytest.mark.parametrize(
        ("split", "folders"),
        [
            ("train", ["train_splits", "train/train_splits", "train"]),
            ("dev", ["dev_splits_complete", "dev/dev_splits_complete", "dev"]),
            ("test", ["output_repeated_splits_test", "test/output_repeated_splits_test", "test"]),
        ],
    )
    def test_where_a_clip_may_be(self, write: Write, tmp_path: Path, split: str, folders: list[str]) -> None:
        task = write(row(dialogue="3", utterance="12"), split)
        name = "val" if split == "dev" else split
        assert task.clips(name)[0].video == tmp_path / folders[0] / "dia3_utt12.mp4"  # there is none
        for folder in reversed(folders):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / "dia3_utt12.mp4").touch()
            assert task.clips(name) == [ClipSource(f"{split}/dia3_utt12", tmp_path / folder / "dia3_utt12.mp4")]

    def test_no_files(self, tmp_path: Path) -> None:
        with pytest.raises(
            FileNotFoundError, match=r"neither .*train_sent_emo.csv nor .*train.*is there; set task.root"
        ):
            Emotion(root=tmp_path).splits()
        with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder"):
            Emotion(root=tmp_path / "nowhere").splits()
        with pytest.raises(ValueError, match="emotion has no root"):
            Emotion().splits()

    def test_a_split_that_is_not_there(self, write: Write) -> None:
        with pytest.raises(FileNotFoundError, match=r"neither .*test_sent_emo.csv nor"):
            write(row()).samples("test")


class TestUtterances:
    def test_all_fields(self, write: Write) -> None:
        (found,) = write(row()).utterances("val")
        assert found == Utterance(0, 0, "Ana", "Well, no.", "joy", 976.059, 981.731)

    @pytest.mark.parametrize(
        ("time", "seconds"),
        [
            ("00:16:16,059", 976.059),
            ("0:12:43,012", 763.012),
            ("01:00:00.500", 3600.5),
            (" 00:00:00,000 ", 0),
            ("00:06:47,28", 407.28),
            ("00:06:47,5", 407.5),
        ],
    )
    def test_times(self, write: Write, time: str, seconds: float) -> None:
        assert write(row(times=f'"{time}","{time}"')).utterances("val")[0].end == pytest.approx(seconds)

    @pytest.mark.parametrize("times", ["1,2", '"00:16:61,059",', '"00:16:16,0591","-"'])
    def test_nothing_reads_times_so_nothing_checks_them(self, write: Write, times: str) -> None:
        (found,) = write(row(times=times)).utterances("val")
        assert (found.text, found.start, found.end) == ("Well, no.", None, None)

    @pytest.mark.parametrize(
        "content",
        [row(text="I’m — “fine”…").encode(), row(text="I’m — “fine”…").encode("cp1252")],
        ids=["UTF-8", "cp1252"],
    )
    def test_encodings(self, write: Write, content: bytes) -> None:
        assert write(content).utterances("val")[0].text == "I’m — “fine”…"

    def test_a_copy_that_mixes_both_and_the_log_says_so(self, write: Write, caplog: pytest.LogCaptureFixture) -> None:
        both = row(text="Café ’tis").encode() + row(utterance="1", text="Café ’tis").encode("cp1252")
        task = write(both)
        with caplog.at_level("WARNING"):
            assert [u.text for u in task.utterances("val")] == ["Café ’tis"] * 2
        assert "1 lines are not UTF-8 and were read as cp1252; the first is byte 0xE9 at offset" in caplog.text
        assert task.reading.notes == [record.getMessage() for record in caplog.records]

    def test_an_encoding_that_is_named(self, write: Write) -> None:
        task = write(row(text="шутка").encode("cp1251"), encoding="cp1251")
        assert task.utterances("val")[0].text == "шутка"
        assert not task.reading.notes

    def test_punctuation_that_was_read_as_latin_1_is_mended(self, write: Write) -> None:
        broken = "I’m — “fine”… é".encode("cp1252").decode("latin1")
        assert write(row(text=broken).encode()).utterances("val")[0].text == "I’m — “fine”… é"

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"emotion": "happy"}, r"field 'Emotion' must be one of neutral, .*, anger, got 'happy'"),
            ({"dialogue": "x"}, r"field 'Dialogue_ID' must be a whole number, got 'x'"),
            ({"utterance": "-1"}, r"field 'Utterance_ID' must be a whole number, got '-1'"),
            ({"times": "00:16:16,059,00:16:21,731"}, r"it has another number of cells"),
            ({}, r"dialogue 0 has utterance 0 already, in .*dev_sent_emo.csv, line 2"),
        ],
    )
    def test_mistakes_are_named_by_line_and_field(self, write: Write, changes: dict[str, str], said: str) -> None:
        with pytest.raises(ValueError, match=rf"dev_sent_emo.csv, line 3: {said}"):
            write(row() + row(**changes)).samples("val")


class TestContext:
    ROWS = "".join(
        row(text=text, speaker=speaker, dialogue=dialogue, utterance=number)
        for text, speaker, dialogue, number in [
            ("One.", "Ana", "7", "0"),
            ("שתיים 🙂", "Bo", "7", "1"),
            ("Other.", "Cy", "8", "0"),
            ("Five.", "Ana", "7", "5"),
            ("Two.", "Ana", "7", "2"),
        ]
    )

    @pytest.mark.parametrize(
        ("context", "texts"),
        [
            (0, ["Ana: One.", "Bo: שתיים 🙂", "Ana: Two.", "Ana: Five.", "Cy: Other."]),
            (
                1,
                ["Ana: One.", "Bo: שתיים 🙂 Ana: One.", "Ana: Two. Bo: שתיים 🙂", "Ana: Five. Ana: Two.", "Cy: Other."],
            ),
        ],
    )
    def test_the_nearest_utterances_before_it_follow_it(self, write: Write, context: int, texts: list[str]) -> None:
        samples = write(self.ROWS, context=context).samples("val")
        assert [sample.text for sample in samples] == texts

    def test_no_more_than_there_are(self, write: Write) -> None:
        samples = write(self.ROWS, context=9).samples("val")
        assert samples[3].text == "Ana: Five. Ana: Two. Bo: שתיים 🙂 Ana: One."
        assert samples[4].text == "Cy: Other."

    def test_it_goes_with_the_adapter(self) -> None:
        assert Emotion(**Emotion(context=5).options()).context == 5
        with pytest.raises(ValueError, match=r"task.context must be 0 or more utterances, got -1"):
            Emotion(context=-1)


class TestLoss:
    OUTPUT = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    TARGET = torch.tensor([0, 6, 2, 2, 5])

    @pytest.mark.parametrize("weights", [None, [1.0, 2.0, 3.0, 0.5, 7.0, 0.0, 0.25]])
    def test_it_is_the_naive_one_with_gradients(self, weights: list[float] | None) -> None:
        task = Emotion(class_weights=weights)
        given = [1.0] * 7 if weights is None else weights
        terms = [-given[t] * self.OUTPUT[i].log_softmax(0)[t] for i, t in enumerate(self.TARGET.tolist())]
        naive = sum(terms) / sum(given[t] for t in self.TARGET.tolist())
        torch.testing.assert_close(task.answer.loss(self.OUTPUT, self.TARGET), naive)
        ours, theirs = (
            torch.autograd.grad(loss, self.OUTPUT)[0] for loss in (task.answer.loss(self.OUTPUT, self.TARGET), naive)
        )
        torch.testing.assert_close(ours, theirs)

    def test_balanced_weights_come_from_train_and_go_with_the_adapter(self, write: Write) -> None:
        kinds = ["neutral"] * 4 + ["joy"] * 2 + ["fear"]
        rows = "".join(row(emotion=kind, utterance=str(i)) for i, kind in enumerate(kinds))
        options = write(rows, "train", class_weights="balanced").options()
        weights = dict(zip(EMOTIONS, options["class_weights"], strict=True))
        assert weights == {
            **dict.fromkeys(EMOTIONS, 1.0),
            "neutral": pytest.approx(7 / (7 * 4)),
            "joy": pytest.approx(7 / (7 * 2)),
        }
        assert Emotion(**options).answer.class_weights == options["class_weights"]

    @pytest.mark.parametrize("weights", ["even", [1.0] * 6, [-1.0] * 7, [float("nan")] * 7])
    def test_wrong_weights(self, weights: Any) -> None:
        with pytest.raises(ValueError, match=r"task.class_weights must be 'balanced' or 7 numbers"):
            Emotion(class_weights=weights)


def utterances(truth: list[str]) -> list[Sample]:
    source = ClipSource("a", Path("a.mp4"))
    return [Sample(str(i), source, "x", EMOTIONS.index(name), (name,)) for i, name in enumerate(truth)]


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    "truth",
    [[EMOTIONS[i] for i in RANDOM.integers(0, 7, 97)], ["fear"], ["joy"] * 5, ["joy", "anger"]],
    ids=["random", "one sample", "one class", "a tie"],
)
@pytest.mark.parametrize("constant", [False, True])
def test_the_metrics_are_scikit_learns(truth: list[str], constant: bool) -> None:
    task, samples = Emotion(), utterances(truth)
    output = torch.from_numpy(RANDOM.normal(size=(len(truth), 7)))
    if constant:
        output = output[:1].expand(len(truth), 7)
    predictions = dict(zip((s.id for s in samples), task.answer.predict(output), strict=True))
    found = [EMOTIONS[i] for i in output.argmax(1).tolist()]
    report = task.answer.report(predictions, samples)
    assert report.primary == "weighted_f1"
    assert report.value("weighted_f1") == pytest.approx(f1_score(truth, found, average="weighted", zero_division=0))
    assert report.value("accuracy") == pytest.approx(accuracy_score(truth, found))
    for name in {*truth, *found}:
        expected = f1_score(truth, found, labels=[name], average="macro", zero_division=0)
        assert report.value(f"f1/{name}") == pytest.approx(expected)
    assert report.value("macro_f1") == pytest.approx(f1_score(truth, found, average="macro", zero_division=0))
    assert len(report.scores) == len({*truth, *found}) + 3
    by_name = {score.name: score for score in report.scores}
    always = [max(dict.fromkeys(truth), key=truth.count)] * len(truth)
    assert by_name["accuracy"].baseline == pytest.approx(accuracy_score(truth, always))
    assert by_name["weighted_f1"].baseline == pytest.approx(
        f1_score(truth, always, average="weighted", zero_division=0)
    )


def test_nan_is_refused() -> None:
    samples = utterances(["joy"])
    predictions = {"0": Emotion().answer.predict(torch.full((1, 7), float("nan")))[0]}
    with pytest.raises(ValueError, match=r"sample 0: the predicted probability is nan"):
        Emotion().answer.report(predictions, samples)


@pytest.mark.real_data
@pytest.mark.skipif(not (SHARED / "data/meld/dev_sent_emo.csv").is_file(), reason="LSTTA_SHARED has no MELD")
class TestMELD:
    @pytest.fixture
    def task(self) -> Emotion:
        return Emotion(root=SHARED / "data/meld", context=3)

    def test_every_utterance_parses_with_its_times(self, task: Emotion) -> None:
        found = task.utterances("val")
        assert len(found) == 1109
        assert all(0 < utterance.start < utterance.end < 3600 for utterance in found)
        assert len({utterance.dialogue for utterance in found}) == 114
        assert not [u for u in found if not u.text or not u.speaker or any(ord(c) in range(0x80, 0xA0) for c in u.text)]

    def test_emotions_are_those_of_the_file(self, task: Emotion) -> None:
        samples = task.samples("val")
        assert len({sample.id for sample in samples}) == 1109
        assert Counter(sample.labels[0] for sample in samples) == {
            "neutral": 470,
            "joy": 163,
            "anger": 153,
            "surprise": 150,
            "sadness": 111,
            "fear": 40,
            "disgust": 22,
        }

    def test_the_first_utterances_of_dialogues_have_no_context(self, task: Emotion) -> None:
        spoken = {(u.dialogue, u.number): f"{u.speaker}: {u.text}" for u in task.utterances("val")}
        texts = {sample.id: sample.text for sample in task.samples("val")}
        alone = [
            name for (dialogue, number), said in spoken.items() if texts[name := f"dia{dialogue}_utt{number}"] == said
        ]
        assert len(alone) == 114
        assert all(name.endswith("_utt0") for name in alone)

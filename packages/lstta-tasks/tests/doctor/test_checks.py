"""Each check by itself, on samples and probes that are written down here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lstta_core.interfaces import LanguageSpec, Modality
from lstta_tasks.answers.kind import OUTSIDE_NAME, AnswerKind
from lstta_tasks.answers.one_of_many import OneOfMany
from lstta_tasks.answers.ranking import Ranking
from lstta_tasks.answers.scale import Scale
from lstta_tasks.answers.segment_class import SegmentClass
from lstta_tasks.answers.several_labels import SeveralLabels
from lstta_tasks.answers.yes_or_no import YesOrNo
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.doctor import annotations
from lstta_tasks.doctor.annotations import check_copies, check_overlaps, check_repeats
from lstta_tasks.doctor.clips import check_media
from lstta_tasks.doctor.finding import Finding
from lstta_tasks.doctor.labels import check_balance, check_targets
from lstta_tasks.doctor.probe import Probe
from lstta_tasks.doctor.texts import Measure, check_answers, check_texts, rows_of
from lstta_tasks.task import Sample, TimedText

GOOD = Probe(duration=4.0, has_video=True, has_sound=True)


def clip(name: str, file: str | None = None, start: float | None = None, end: float | None = None) -> ClipSource:
    return ClipSource(name, Path(file or f"{name}.mp4"), start=start, end=end)


def sample(name: str, *, target: float = 0, text: str | None = "who plays?", label: str = "", at: str = "a") -> Sample:
    return Sample(name, clip(at), text, target, (label,) if label else ())


def told(findings: Iterable[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.level, finding.check, finding.id) for finding in findings]


class TestMedia:
    def check(
        self, probes: dict[str, Probe], *modalities: Modality, median: float = 4.0, clip_seconds: float | None = None
    ) -> list[Finding]:
        sources = [clip(name, end=clip_seconds) for name in probes]
        found = check_media("train", sources, probes, median=median, modalities=modalities, clip_seconds=clip_seconds)
        return list(found)

    def test_nothing(self) -> None:
        assert self.check({"a": GOOD, "b": GOOD}, *Modality) == []

    def test_a_clip_that_is_lost_is_an_error_where_it_is_a_large_share(self) -> None:
        lost = {"x": Probe(missing="x.mp4: there is no such file"), "y": Probe(unreadable="y.mp4: damaged")}
        few = {f"c{i}": GOOD for i in range(37)}
        many = {f"c{i}": GOOD for i in range(38)}
        assert told(self.check(few | lost)) == [("error", "missing", "x"), ("error", "unreadable", "y")]
        assert told(self.check(many | lost)) == [("warning", "missing", "x"), ("warning", "unreadable", "y")]
        assert self.check(lost)[0].detail == "x.mp4: there is no such file"

    @pytest.mark.parametrize(
        ("probe", "check", "detail"),
        [
            (Probe(4.0, has_video=True), "no sound", "a.mp4: no sound stream"),
            (Probe(4.0, has_video=True, has_sound=True, silent=True), "silent", "digital silence"),
            (Probe(4.0, has_sound=True), "no pictures", "sound without pictures"),
            (Probe(0.79, has_video=True, has_sound=True), "very short", "a.mp4: 0.79 s; the median is 4.00 s"),
            (Probe(20.1, has_video=True, has_sound=True), "very long", "20.10 s"),
            (Probe(None, has_video=True, has_sound=True), "unknown length", "does not say"),
            (Probe(4.0, has_video=True, has_sound=True, short_of=0.51), "beyond the end", "0.51 s before the clip"),
        ],
    )
    def test_odd_clips(self, probe: Probe, check: str, detail: str) -> None:
        (finding,) = self.check({"a": probe, "b": GOOD}, Modality.VISUAL, Modality.AUDIO)
        assert told([finding]) == [("warning", check, "a")]
        assert detail in finding.detail

    def test_a_file_that_is_longer_than_the_tasks_clips(self) -> None:
        """Where the task says how long its clips are; elsewhere an end is what somebody asked for."""
        probes = {name: replace(GOOD, goes_on=more) for name, more in (("a", 1.1), ("b", 1.0), ("c", 0.0))}
        assert self.check(probes) == []
        (finding,) = self.check(probes, clip_seconds=4.0)
        assert told([finding]) == [("warning", "longer than its clip", "a")]
        assert finding.detail == "a.mp4: it lasts 5.1 s, and its first 4 s are taken as the clip"

    def test_lengths_at_the_limits_are_not_odd(self) -> None:
        limits = {"a": Probe(0.8, has_video=True, has_sound=True), "b": Probe(20.0, has_video=True, has_sound=True)}
        assert self.check(limits) == []

    def test_a_modality_that_no_clip_has(self) -> None:
        mute = {"a": Probe(4.0, has_video=True), "b": Probe(4.0, has_video=True, has_sound=True, silent=True)}
        assert ("error", "no sound at all", "") in told(self.check(mute, Modality.AUDIO, Modality.VISUAL))
        assert ("error", "no sound at all", "") not in told(self.check(mute, Modality.VISUAL))
        heard = {"a": Probe(4.0, has_sound=True)}
        assert ("error", "no pictures at all", "") in told(self.check(heard, Modality.VISUAL))


class TestCopies:
    """Files that are the same by content, whatever they are called."""

    @pytest.fixture
    def clips(self, tmp_path: Path) -> Any:
        content = {
            "a": b"one film",
            "b": b"another film",
            "c": b"one film",
            "d": b"two film",
            "e": b"one film",
            "f": b"",
        }
        for name, some in content.items():
            (tmp_path / f"{name}.mp4").write_bytes(some)
        (tmp_path / "g.mp4").symlink_to(tmp_path / "a.mp4")
        return lambda names: [clip(name, str(tmp_path / f"{name}.mp4")) for name in names]

    def test_a_copy_in_another_split_is_an_error(self, clips: Any) -> None:
        found = list(check_copies({"train": clips("abf"), "val": clips("cdfx"), "test": clips("e")}))
        assert told(found) == [("error", "shared file", "c"), ("error", "shared file", "e")]
        assert found[0].split == "val"
        assert re.search(r"c\.mp4 has the very content of \S*a\.mp4, which is in train", found[0].detail)

    def test_copies_in_one_split_and_links_are_none(self, clips: Any) -> None:
        assert list(check_copies({"train": clips("ac"), "val": clips("bd")})) == []
        assert list(check_copies({"train": clips("a"), "val": clips("g")})) == []  # the same file, see check_overlaps

    def test_other_parts_of_a_copy_are_no_leak(self, clips: Any) -> None:
        (one,), (other,) = clips("a"), clips("c")
        parts = {"train": [replace(one, end=3.0)], "val": [replace(other, start=3.0)]}
        assert list(check_copies(parts)) == []
        parts["val"].append(replace(other, id="later", start=2.5))
        assert told(check_copies(parts)) == [("error", "shared file", "later")]

    def test_only_files_of_one_size_are_read(self, clips: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[str] = []
        keep = annotations.digest_of
        monkeypatch.setattr(annotations, "digest_of", lambda path: read.append(path.stem) or keep(path))
        assert list(check_copies({"train": clips("b"), "val": clips("acd"), "test": clips("f")})) == []
        assert read == []
        list(check_copies({"train": clips("ab"), "val": clips("d")}))
        assert sorted(read) == ["a", "d"]


class TestOverlaps:
    def test_splits_that_have_nothing_in_common(self) -> None:
        whole = {"train": [clip("a"), clip("b")], "val": [clip("c")], "test": [clip("d")]}
        assert list(check_overlaps(whole)) == []

    def test_the_same_id(self) -> None:
        shared = {"train": [clip("a"), clip("b")], "val": [clip("b")], "test": [clip("b"), clip("c")]}
        assert [(f.split, f.id, f.detail) for f in check_overlaps(shared)] == [
            ("val", "b", "it is in train and in val"),
            ("test", "b", "it is in train and in test"),
            ("test", "b", "it is in val and in test"),
        ]
        assert {f.level for f in check_overlaps(shared)} == {"error"}

    def test_the_same_part_of_a_file_under_two_names(self, tmp_path: Path) -> None:
        film, link = tmp_path / "film.mp4", tmp_path / "link.mp4"
        film.touch()
        link.symlink_to(film)
        train = [clip("a", str(film), 0.0, 5.0), clip("b", str(film), 10.0, None)]
        apart = [clip("c", str(link), 5.0, 10.0)]
        assert list(check_overlaps({"train": train, "test": apart})) == []
        (finding,) = check_overlaps({"train": train, "test": [clip("c", str(link), 4.9, 10.0)]})
        assert finding.detail == f"the same part of {film} is clip 'a' of train"
        (finding,) = check_overlaps({"train": train, "test": [clip("c", str(link), 900.0, 901.0)]})
        assert "clip 'b'" in finding.detail


class TestRepeats:
    def test_nothing(self) -> None:
        some = [sample("1"), sample("2", text="who sings?"), sample("3", at="b"), sample("4", text=None)]
        assert list(check_repeats("train", some)) == []

    def test_samples_that_come_twice(self) -> None:
        some = [sample("1"), sample("2"), sample("3", target=1)]
        assert told(check_repeats("train", some)) == [
            ("warning", "repeated", "2"),
            ("warning", "contradiction", "3"),
        ]

    def test_other_subtitles_make_another_sample(self) -> None:
        said = Sample("2", clip("a"), "who plays?", 0, (), (TimedText(0.0, 1.0, "hello"),))
        assert list(check_repeats("train", [sample("1"), said])) == []

    def test_of_a_clip_many_words_are_right(self) -> None:
        captions = ["a dog", "a cat", "a dog"]
        some = [replace(sample(str(number)), answers=(text,)) for number, text in enumerate(captions)]
        assert told(check_repeats("train", some)) == [("warning", "repeated", "2")]

    def test_the_same_id(self) -> None:
        some = [sample("1"), sample("1", text="who sings?"), sample("1", text="what?")]
        (finding,) = check_repeats("train", some)
        assert (finding.level, finding.id, finding.detail[:9]) == ("error", "1", "3 samples")


YES_NO = OneOfMany(["yes", "no", "never"])


class TestLabels:
    def test_classes_have_their_names(self) -> None:
        some = [Sample(str(i), clip("a"), None, i % 2, ("Audio",)) for i in range(5)]
        counts, findings = check_targets(YES_NO, {"train": some, "val": some[:1]})
        assert counts == {"train": Counter(yes=3, no=2), "val": Counter(yes=1)}
        assert findings == []

    def test_targets_that_are_no_classes(self) -> None:
        captions = [sample(str(i), target=i // 2, at=f"clip {i // 2}") for i in range(10)]
        counts, _ = check_targets(Ranking(), {"train": captions, "test": captions[4:]})
        assert counts == {"train": {}, "test": {}}
        assert list(check_balance({"train": captions}, {"train": counts["train"]})) == []

    def test_numbers_are_counted_in_bins(self) -> None:
        values = [-3.0, -2.9, 0.0, 0.1, 3.0]
        (count,) = check_targets(Scale(-3, 3), {"train": [sample(str(v), target=v) for v in values]})[0].values()
        assert count == {"-3.00 to -2.14": 2, "-0.43 to +0.43": 2, "+2.14 to +3.00": 1}

    def test_several_labels_count_each(self) -> None:
        rows = [(1, 0, 1), (0, 0, 0), (1, 0, 0)]
        some = [Sample(str(i), clip("a"), None, row) for i, row in enumerate(rows)]
        counts, _ = check_targets(SeveralLabels("abc"), {"train": some})
        assert counts == {"train": {"a": 2, "c": 1, "(none)": 1}}

    def findings(self, train: list[Sample], test: list[Sample], kind: AnswerKind = YES_NO) -> list[Finding]:
        some = {"train": train, "test": test}
        counts, findings = check_targets(kind, some)  # type: ignore[arg-type]
        return [*findings, *check_balance(some, counts)]  # type: ignore[arg-type]

    def test_segments_are_counted_against_segments(self) -> None:
        """Of three clips of five seconds nine seconds are background: no imbalance. Of fifteen it is one class."""
        kind = SegmentClass(["bell", "none"], segments=5, background="none")

        def found(*rows: tuple[int, ...]) -> list[str]:
            some = {"train": [Sample(str(i), clip(str(i)), None, row) for i, row in enumerate(rows)]}
            counts, bad = check_targets(kind, some)  # type: ignore[arg-type]
            assert not bad
            return [f.check for f in check_balance(some, counts, kind.segments)]  # type: ignore[arg-type]

        assert found((0, 0, 1, 1, 1), (0, 0, 1, 1, 1), (0, 0, 1, 1, 1)) == []
        assert found((1,) * 5, (1,) * 5, (1, 1, 1, 1, 0)) == ["imbalance"]
        assert found((1,) * 5) == ["one class"]

    def test_outside_and_never_in_train(self) -> None:
        train = [sample("1"), sample("2", target=1)]
        test = [sample("3", target=-1, label="maybe"), sample("4", target=2), sample("5")]
        outside, unseen = self.findings(train, test)
        assert (outside.level, outside.check, outside.id) == ("warning", "outside the vocabulary", "3")
        assert outside.detail.startswith("maybe: ")
        assert (unseen.check, unseen.detail) == ("not in train", "'never' comes 1 times in test and never in train")

    def test_a_split_of_one_class(self) -> None:
        both = [sample("1"), sample("2", target=1)]
        same = [sample("3"), sample("4")]
        gone = [sample("5", target=-1, label="what"), sample("6", target=-1, label="else")]
        assert told(self.findings(same, both))[0] == ("error", "one class", "")
        assert told(self.findings(both, same)) == [("warning", "one class", "")]
        assert told(self.findings(both, gone))[-1] == ("error", "one class", "")
        assert self.findings(both, gone)[-1].detail == f"all 2 samples are {OUTSIDE_NAME!r}"

    def test_imbalance(self) -> None:
        rare = [sample("x", target=1)]
        assert self.findings([sample(str(i)) for i in range(9)] + rare, rare * 2)[0].check != "imbalance"
        (finding, *_) = self.findings([sample(str(i)) for i in range(10)] + rare, rare * 2)
        assert (finding.check, finding.detail) == ("imbalance", "10 of 11 samples are 'yes'")

    @pytest.mark.parametrize(
        ("kind", "target", "said"),
        [
            (Scale(-3, 3), float("nan"), "a number from -3 to 3 is wanted, got nan"),
            (Scale(-3, 3), 3.5, "a number from -3 to 3 is wanted, got 3.5"),
            (YES_NO, 3, "a class is a whole number from 0 to 2, or -1, got 3"),
            (YesOrNo("yes", "no"), 2, "0 or 1 is wanted, got 2"),
            (SeveralLabels("ab"), (1, 0, 1), "a row of 2 numbers is wanted, each 0 or 1, got (1, 0, 1)"),
        ],
    )
    def test_no_target_of_the_kind(self, kind: AnswerKind, target: Any, said: str) -> None:
        (finding,) = (f for f in self.findings([sample("1", target=target)], [], kind) if f.check == "target")
        assert (finding.level, finding.id, finding.detail) == ("error", "1", said)


class Letters:
    """A tokenizer as pretrained ones are: special tokens at both ends, a text that is too long cut between them."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, text: str) -> list[int]:
        return [1, *(ord(letter) for letter in text[: self.most - 2]), 2]


class TestTexts:
    @pytest.mark.parametrize(("text", "tokens", "cut"), [("", 2, False), ("abc", 5, False), ("abcde", 7, False)])
    def test_whole_texts(self, text: str, tokens: int, cut: bool) -> None:
        assert Measure(LanguageSpec(Letters(7), max_length=7))(text) == (tokens, cut)

    @pytest.mark.parametrize("text", ["abcdef", "abcde f", "abcdefghijk"])
    def test_cut_texts(self, text: str) -> None:
        assert Measure(LanguageSpec(Letters(7), max_length=7))(text) == (7, True)

    def test_a_tokenizer_that_does_not_cut(self) -> None:
        assert Measure(LanguageSpec(lambda text: list(range(len(text))), max_length=3))("abcd") == (3, True)

    def test_findings(self) -> None:
        measure = Measure(LanguageSpec(Letters(7), max_length=7))
        some = [sample("1", text="abc"), sample("2", text="abcdefgh"), sample("3", text=None), sample("4", text=" ")]
        rows = [rows_of(each, GOOD, 2, timed=False) for each in some]
        cut, *empty = check_texts("train", some, rows, measure)
        assert (cut.check, cut.id, cut.detail) == (
            "text cut off",
            "2",
            "longer than the 7 tokens that are read: 'abcdefgh'",
        )
        assert told(empty) == [("warning", "no text", "3"), ("warning", "no text", "4")]

    def test_answers_that_are_longer_than_may_be_said(self) -> None:
        measure = Measure(LanguageSpec(Letters(7), max_length=7, answer=lambda text: [*range(len(text)), 0]))
        some = [replace(sample(str(n)), answers=said) for n, said in enumerate([("abc",), ("ab", "abcd"), ()])]
        (finding,) = check_answers("val", some, measure, 4)
        assert (finding.level, finding.check, finding.id) == ("warning", "answer too long", "1")
        assert finding.detail == "5 tokens, task.length=4 may be said: 'abcd'"

    def test_subtitles_count_in_their_segments(self) -> None:
        measure = Measure(LanguageSpec(Letters(7), max_length=7))
        timed = Sample("1", clip("a"), "ab", 0, (), (TimedText(2.5, 3.0, "cdef"),))
        rows = rows_of(timed, GOOD, 2, timed=True)
        assert rows == ["ab", "ab cdef"]
        (finding,) = check_texts("train", [timed], [rows], measure)
        assert finding.detail == "longer than the 7 tokens that are read in 1 of 2 segments: 'ab cdef'"
        assert rows_of(timed, Probe(missing="gone"), 2, timed=True) == ["ab"]

"""What answers rest on: by hand in one scene, and against a walk through the notes of many."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lstta_world import avqa, emotion, sentiment
from lstta_world.dataset import COMPLETE, GENERATOR_VERSION
from lstta_world.questions import TEMPLATES, Question, Template, all_questions
from lstta_world.relevance import EVIDENCE, Relevant, relevant_in_talk, relevant_to
from lstta_world.relevant_samples import Known, relevant_samples
from lstta_world.scene import Note, Scene
from lstta_world.spans import Spans, covered
from lstta_world.splits import Split
from lstta_world.talk_truth import spoken

BY_TEXT = {template.text: template for template in TEMPLATES}


def found(scene: Scene, text: str, *values: str) -> Relevant:
    """Of the question with these values that can be asked about the scene."""
    template: Template = BY_TEXT[text]
    question = next(q for q in all_questions(scene)[template] if q.values == values)
    return relevant_to(scene, question)


def rounded(spans: Spans) -> list[tuple[float, float]]:
    return [(round(start, 2), round(end, 2)) for start, end in spans]


def test_every_template_has_its_evidence() -> None:
    assert list(EVIDENCE) == [template.text for template in TEMPLATES]


@pytest.mark.parametrize(
    ("text", "values", "visual", "audio"),
    [
        ("Is the <Object> louder than the <Object>?", ("violin", "piano"), [], [(1.0, 2.95), (5.0, 6.9)]),
        ("Is there a <Object> sound?", ("flute",), [], [(5.5, 6.0)]),
        ("Is there a <Object> sound?", ("drum",), [], []),
        ("Are there <Object> and <Object> sound? ", ("flute", "violin"), [], [(1.0, 2.95), (5.5, 6.0)]),
        ("Are there <Object> and <Object> sound? ", ("flute", "drum"), [], []),
        (
            "Is the <Object> on the <LR> louder than the <Object> on the <LR>?",
            ("violin", "left", "piano", "right"),
            [(1.0, 2.95), (5.0, 6.9)],
            [(1.0, 2.95), (5.0, 6.9)],
        ),
        ("Is the <Object> in the video always playing?", ("violin",), [(0, 1), (2.95, 8)], [(0, 1), (2.95, 8)]),
        ("Is the <Object> in the video always playing?", ("drum",), [], []),
        ("How many sounding <Object> in the video？", ("piano",), [(5.0, 6.9)], [(5.0, 6.9)]),
        ("How many sounding <Object> in the video？", ("drum",), [], []),
        (
            "How many instruments in the video did not sound from beginning to end?",
            (),
            [(1.0, 2.95), (5.0, 6.9)],
            [(1.0, 2.95), (5.0, 6.9)],
        ),
        ("Is there a voiceover?", (), [], [(0, 0.5)]),
        ("Where is the <FL> sounding instrument?", ("first",), [(1, 2)], [(1, 2)]),
        ("What is the <TH> instrument that comes in?", ("first",), [(1, 2)], [(1, 2)]),
        ("What is the <TH> instrument that comes in?", ("third",), [(1, 2), (5, 6)], [(1, 2), (5, 6.5)]),
        ("Which instrument makes sounds <BA> the <Object>?", ("before", "piano"), [(1, 2), (5, 6)], [(1, 2), (5, 6)]),
        ("How many <Object> are in the entire video?", ("drum",), [], []),
    ],
)
def test_by_hand(duet: Scene, text: str, values: tuple[str, ...], visual: Spans, audio: Spans) -> None:
    relevant = found(duet, text, *values)
    assert (rounded(relevant.visual), rounded(relevant.audio)) == (visual, audio)


def test_who_is_last_has_a_time_to_itself(duet: Scene) -> None:
    without_flute = replace(duet, notes=tuple(note for note in duet.notes if note.performer != 2))
    last = found(without_flute, "Where is the <FL> sounding instrument?", "last")
    assert rounded(last.visual) == rounded(last.audio) == [(2.95, 6.9)]


def test_two_at_the_same_time(duet: Scene) -> None:
    longer_flute = replace(duet, notes=(*duet.notes, Note(2, 6.0, 1.5, 880.0, 0.5)))
    together = found(
        longer_flute, "Which is the musical instrument that sounds at the same time as the <Object>?", "piano"
    )
    assert rounded(together.audio) == [(5.5, 6.9)]
    assert together.visual == [], "nobody sees the flute"


def naive(scene: Scene, question: Question, time: float) -> bool | None:
    """Whether the sound of this time matters, from the notes alone; None where no simple rule says."""
    sounding = {n.performer for n in scene.notes if n.onset <= time < n.onset + n.duration}
    kinds = {scene.performers[i].instrument for i in sounding}
    first = {i: min(n.onset for n in scene.notes if n.performer == i) for i in {n.performer for n in scene.notes}}
    entering = {scene.performers[i].instrument for i, onset in first.items() if onset <= time < onset + 1}
    text, values, answer = question.template.text, set(question.values), question.answer
    if "more" in text or "louder" in text or "longer" in text:
        if "<LR>" not in text:
            return bool(kinds & values)
        return any(scene.performers[i].position in values for i in sounding)
    if text.startswith(("Is there a <Object> sound", "Are there <Object> and <Object> sound")):
        return answer == "yes" and bool(kinds & values)
    if text.startswith(("How many musical instruments were heard", "How many instruments are sounding")):
        return bool(sounding)
    if "at the same time" in text:
        return kinds >= {*values, answer}
    if "<BA>" in text:
        return bool(entering & {*values, answer})
    if "Where is the <FL>" in text and values == {"first"}:
        return time >= min(first.values()) and time < min(first.values()) + 1
    if "entire video" in text or "Where is the performance" in text:
        return False
    return None


def test_against_a_walk_through_the_notes(scenes: list[Scene]) -> None:
    """Phrases close gaps of up to 0.3 s between notes, so what is found covers the notes and little more."""
    seen: Counter[str] = Counter()
    for scene in scenes[::5]:
        for template, questions in all_questions(scene).items():
            question = questions[0]
            audio = relevant_to(scene, question).audio
            flags = [naive(scene, question, 0.05 * step + 0.025) for step in range(160)]
            if flags[0] is None:
                continue
            seen[template.text] += 1
            for step, flag in enumerate(flags):
                time = 0.05 * step + 0.025
                inside = covered(audio, time - 0.001, time + 0.001) > 0
                near = any(flags[max(0, step - 6) : step + 7])
                assert inside or not flag, (question, time)
                assert near or not inside, (question, time)
            if not any(flags):
                assert audio == []
    assert len(seen) >= 15


def test_sight_matters_where_a_visible_one_sounds(scenes: list[Scene]) -> None:
    """Never at a time that does not matter for sound too; and everything is within the clip."""
    for scene in scenes[::3]:
        for questions in all_questions(scene).values():
            for question in questions:
                relevant = relevant_to(scene, question)
                for start, end in relevant.visual:
                    assert covered(relevant.audio, start, end) == pytest.approx(end - start)
                for start, end in relevant.audio:
                    assert 0 <= start < end <= scene.duration + 0.3


class TestSamples:
    """The ids are those of the tasks, and what was drawn is drawn again."""

    @staticmethod
    def record(root: Path, dataset: str, version: int = GENERATOR_VERSION) -> Path:
        arguments = {"dataset": dataset, "train": 3, "val": 2, "test": 7, "seed": 5, "generator_version": version}
        (root / COMPLETE).write_text(json.dumps({"arguments": arguments, "report": {}}))
        return root

    @pytest.mark.parametrize("split", ["train", "test"])
    def test_avqa(self, split: Split, tmp_path: Path) -> None:
        known = relevant_samples(self.record(tmp_path, "avqa"), split)
        rows = {}
        for index, (scene, questions) in enumerate(avqa.plan(split, 3 if split == "train" else 7, 5)):
            for row, question in zip(avqa.question_rows(split, index, questions), questions, strict=True):
                rows[str(row["question_id"])] = Known(relevant_to(scene, question), "/".join(question.template.type))
        assert known == rows

    def test_sentiment(self, tmp_path: Path) -> None:
        known = relevant_samples(self.record(tmp_path, "sentiment"), "test")
        talks = sentiment.plan("test", 7, 5)
        assert list(known) == [*(f"c0000000/{i}" for i in range(5)), "c0000001/0", "c0000001/1"]
        for sample, talk in zip(known.values(), talks, strict=True):
            assert sample == Known(Relevant([spoken(talk)], [spoken(talk)]), "")

    def test_emotion(self, tmp_path: Path) -> None:
        known = relevant_samples(self.record(tmp_path, "emotion"), "val")
        for (sample, found), utterance in zip(known.items(), emotion.plan("val", 2, 5), strict=True):
            assert sample == f"dia{utterance.dialogue}_utt{utterance.number}"
            assert found.relevant == relevant_in_talk(utterance.talk)

    def test_where_nothing_is_known(self, tmp_path: Path) -> None:
        assert relevant_samples(tmp_path, "test") == {}
        assert relevant_samples(self.record(tmp_path, "humor"), "test") == {}

    def test_another_version_would_draw_other_clips(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"generator_version is 1.*generate the data set again"):
            relevant_samples(self.record(tmp_path, "avqa", version=1), "test")

"""What answers rest on: by hand in one scene, and against a walk through the notes of many."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from lstta_world.film import Film
from lstta_world.questions import TEMPLATES, Question, Template, all_questions
from lstta_world.relevance import EVIDENCE, Relevant, relevant_in_shot, relevant_in_talk, relevant_to
from lstta_world.scene import Note, Scene
from lstta_world.spans import Spans, covered
from lstta_world.talk import Talk

BY_TEXT = {template.text: template for template in TEMPLATES}


def relevant(scene: Scene, text: str, *values: str) -> Relevant:
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
    rests_on = relevant(duet, text, *values)
    assert (rounded(rests_on.visual), rounded(rests_on.audio)) == (visual, audio)


def test_who_is_last_has_a_time_to_itself(duet: Scene) -> None:
    without_flute = replace(duet, notes=tuple(note for note in duet.notes if note.performer != 2))
    last = relevant(without_flute, "Where is the <FL> sounding instrument?", "last")
    assert rounded(last.visual) == rounded(last.audio) == [(2.95, 6.9)]


def test_two_at_the_same_time(duet: Scene) -> None:
    longer_flute = replace(duet, notes=(*duet.notes, Note(2, 6.0, 1.5, 880.0, 0.5)))
    together = relevant(
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
    """Phrases close gaps of up to 0.3 s between notes, so what matters covers the notes and little more."""
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
                rests_on = relevant_to(scene, question)
                for start, end in rests_on.visual:
                    assert covered(rests_on.audio, start, end) == pytest.approx(end - start)
                for start, end in rests_on.audio:
                    assert 0 <= start < end <= scene.duration


def test_what_sounds_on_after_the_end_matters_up_to_the_end(duet: Scene) -> None:
    cut = replace(duet, duration=6.5)
    assert rounded(relevant(cut, "How many sounding <Object> in the video？", "piano").audio) == [(5.0, 6.5)]


def test_a_shot_of_a_film(talk: Talk) -> None:
    assert relevant_in_talk(talk) == Relevant([(1.0, 1.9 + 0.3)], [(1.0, 1.9 + 0.3)])
    film = Film((replace(talk, duration=3.0), talk))
    assert rounded(relevant_in_shot(film, 1).visual) == rounded(relevant_in_shot(film, 1).audio) == [(4.0, 5.2)]

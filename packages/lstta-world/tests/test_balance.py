from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter, defaultdict

import pytest

from lstta_world.music_avqa import plan
from lstta_world.questions import TEMPLATES, YES_NO, Question
from lstta_world.splits import Split


@pytest.fixture(scope="module")
def asked() -> dict[str, list[Question]]:
    """What is asked about a few hundred clips."""
    sizes: dict[Split, int] = {"train": 503, "test": 307}
    return {split: [q for _, asked in plan(split, clips, 0) for q in asked] for split, clips in sizes.items()}


Answers = defaultdict[object, Counter[str]]


def majority(groups: Answers) -> float:
    """The accuracy of the most frequent answer of each group."""
    return sum(c.most_common(1)[0][1] for c in groups.values()) / sum(c.total() for c in groups.values())


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_question_alone_answers_few(asked: dict[str, list[Question]], split: str) -> None:
    by_type: Answers = defaultdict(Counter)
    by_template: Answers = defaultdict(Counter)
    for question in asked[split]:
        by_type[question.template.type][question.answer] += 1
        by_template[question.template][question.answer] += 1
    assert set(by_template) == set(TEMPLATES)
    assert majority(by_type) <= 0.35
    assert majority(by_template) <= 0.42
    totals = [answers.total() for answers in by_type.values()]
    assert len(totals) == 9
    assert max(totals) <= 1.1 * min(totals)


def test_no_answer_takes_a_template(asked: dict[str, list[Question]]) -> None:
    for template in TEMPLATES:
        answers = Counter(q.answer for q in asked["train"] if q.template is template)
        limit = 0.6 if template.answers == YES_NO else 1 / len(template.answers) + 0.15
        assert answers.most_common(1)[0][1] <= limit * answers.total() + 2, (template.text, answers)


def test_texts_learnt_by_heart_do_not_help(asked: dict[str, list[Question]]) -> None:
    learnt: Answers = defaultdict(Counter)
    fallback: Answers = defaultdict(Counter)
    for question in asked["train"]:
        learnt[question.template, question.values][question.answer] += 1
        fallback[question.template][question.answer] += 1
    right = 0
    for question in asked["test"]:
        counts = learnt.get((question.template, question.values)) or fallback[question.template]
        right += counts.most_common(1)[0][0] == question.answer
    assert right / len(asked["test"]) < 0.45


def test_eight_different_questions_a_clip() -> None:
    for _, questions in plan("val", 53, 0):
        assert len({(q.template, q.values) for q in questions}) == len(questions) == 8


def test_plans_repeat() -> None:
    assert plan("train", 13, 5) == plan("train", 13, 5)
    assert plan("train", 13, 5)[:7] == plan("train", 7, 5)


def test_plans_do_not_depend_on_the_process() -> None:
    # Sets of words come in another order in another process: nothing may follow it.
    code = (
        "from lstta_world.music_avqa import plan\n"
        "print([(q.template.text, q.values) for _, questions in plan('train', 29, 0) for q in questions])"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]

"""Which questions are asked: types evenly, and answers as evenly as the scenes allow.

Greedy, with running counts over a split. Always the type that was asked least comes next; within it the template that
was asked least for its weight; within it the answer that was given least; within it the values that had this answer
least. An answer whose share of its template has reached ``1 / answers + SLACK`` is refused, and the template waits for
other scenes. Ties are broken at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from numpy.random import Generator

from lstta_world.questions import YES_NO, Question, Template

Item = TypeVar("Item")

SLACK = 0.08
START = 2  # so many of each answer are free, before shares mean anything
YES_NO_WEIGHT, WEIGHT = 1, 3  # a coin answers a yes/no question half of the time: ask others more


class Balancer:
    """Chooses questions for one clip after another."""

    def __init__(self, rng: Generator) -> None:
        self._rng = rng
        self._types: Counter[tuple[str, str]] = Counter()
        self._templates: Counter[Template] = Counter()
        self._answers: Counter[tuple[Template, str]] = Counter()
        self._texts: Counter[tuple[Template, tuple[str, ...], str]] = Counter()

    def choose(self, candidates: Mapping[Template, Sequence[Question]], count: int) -> list[Question]:
        """Up to ``count`` different questions of those that a clip offers."""
        chosen: list[Question] = []
        open_ = {template: list(questions) for template, questions in candidates.items()}
        while len(chosen) < count:
            question = self._next(open_)
            if question is None:
                break
            chosen.append(question)
            open_[question.template].remove(question)
            self._count(question)
        return chosen

    def _next(self, candidates: Mapping[Template, Sequence[Question]]) -> Question | None:
        # Shuffled first, so that sorting and the minimum, both stable, break ties at random.
        for template in sorted(self._shuffled(list(candidates)), key=self._template_rank):
            allowed = [question for question in candidates[template] if self._allowed(question)]
            if allowed:
                return min(self._shuffled(allowed), key=self._question_rank)
        return None

    def _shuffled(self, items: Sequence[Item]) -> list[Item]:
        return [items[i] for i in self._rng.permutation(len(items))]

    def _allowed(self, question: Question) -> bool:
        template = question.template
        share = 1 / len(template.answers) + SLACK
        return self._answers[template, question.answer] < START + share * self._templates[template]

    def _template_rank(self, template: Template) -> tuple[float, float]:
        weight = YES_NO_WEIGHT if template.answers == YES_NO else WEIGHT
        return self._types[template.type], self._templates[template] / weight

    def _question_rank(self, question: Question) -> tuple[int, int]:
        template = question.template
        return (
            self._answers[template, question.answer],
            self._texts[template, question.values, question.answer],
        )

    def _count(self, question: Question) -> None:
        template = question.template
        self._types[template.type] += 1
        self._templates[template] += 1
        self._answers[template, question.answer] += 1
        self._texts[template, question.values, question.answer] += 1

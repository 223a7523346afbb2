"""Answers as JSON can say them: everything but pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstta_tasks.answers.description import Word
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.infer import Inferred


def as_json(inferred: Inferred) -> dict[str, Any]:
    """The answers with their curves, the rankings, what clips lack, what could not be read, and what else was there."""
    return {
        "adapter": str(inferred.adapter),
        "task": inferred.predictor.task.name,
        "answers": [_answer(explanation) for explanation in inferred.explanations],
        "rankings": {
            text: [{"clip": clip, inferred.measure: value} for clip, value in ranking]
            for text, ranking in inferred.rankings.items()
        },
        "notes": dict(inferred.notes),
        "failed": dict(inferred.failed),
        "skipped": dict(inferred.skipped),
    }


def _answer(explanation: Explanation) -> dict[str, Any]:
    answer = explanation.answer
    plural = {"probability": "probabilities"}.get(answer.measure, f"{answer.measure}s")
    words = [curve for word in answer.words[:1] for curve in word.listened.values()]
    curves = [*explanation.attention.values(), *explanation.importances.values(), *answer.segments.values(), *words]
    segments = len(next(iter(curves), ()))
    return {
        "clip": explanation.source.id,
        "text": explanation.text,
        "subtitles": [[line.start, line.end, line.text] for line in explanation.timed],
        "answer": answer.text,
        **({plural: dict(answer.choices)} if answer.choices else {}),
        **({"segments": {name: list(row) for name, row in answer.segments.items()}} if answer.segments else {}),
        **({} if answer.score is None else {"score": answer.score}),
        **({"words": [_word(word) for word in answer.words]} if answer.words else {}),
        "edges": explanation.edges(segments).tolist() if segments else [],
        "importances": {str(m): [_number(g) for g in values] for m, values in explanation.importances.items()},
        "attention": {str(m): shares.tolist() for m, shares in explanation.attention.items()},
    }


def _word(word: Word) -> dict[str, Any]:
    return {"text": word.text, "listened": {str(m): shares.tolist() for m, shares in word.listened.items()}}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

"""What kinds of answer say to people agrees with what they predict."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lstta_tasks.answers.description import Answer
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.avqa_options import AVQAOptions
from lstta_tasks.tasks.classification import Classification
from lstta_tasks.tasks.emotion import Emotion
from lstta_tasks.tasks.humor import Humor
from lstta_tasks.tasks.inference import Inference
from lstta_tasks.tasks.sentiment import Sentiment


@pytest.mark.parametrize(
    ("task", "field", "classes"),
    [
        (AVQA(answers=["a", "b", "c"]), "answer", 3),
        (AVQAOptions(), "answer", 4),
        (Classification(labels=["a", "b"]), "label", 2),
        (Emotion(), "emotion", 7),
    ],
)
def test_classes(task: Any, field: str, classes: int) -> None:
    torch.manual_seed(0)
    output = 3 * torch.randn(5, classes)
    for row, answer, predicted in zip(output, task.answer.describe(output), task.answer.predict(output), strict=True):
        assert answer.text == predicted[field] == next(iter(answer.choices))
        assert answer.choices[answer.text] == pytest.approx(predicted["probability"])
        assert list(answer.choices.values()) == pytest.approx(row.softmax(0).sort(descending=True).values.tolist())
        assert (answer.measure, answer.score) == ("probability", None)


@pytest.mark.parametrize(
    ("task", "field", "words"), [(Inference(), "real", ("fake", "real")), (Humor(), "funny", ("not funny", "funny"))]
)
def test_two_sides(task: Any, field: str, words: tuple[str, str]) -> None:
    output = torch.tensor([[-2.0], [0.0], [0.5]])
    for logit, answer, predicted in zip(output, task.answer.describe(output), task.answer.predict(output), strict=True):
        assert answer.text == words[predicted[field]]
        assert answer.choices == pytest.approx({words[1]: logit.sigmoid().item(), words[0]: 1 - logit.sigmoid().item()})
        assert list(answer.choices.values()) == sorted(answer.choices.values(), reverse=True)


@pytest.mark.parametrize(
    ("score", "degree"),
    [
        (-9.0, "strongly negative"),
        (-1.4, "weakly negative"),
        (0.2, "neutral"),
        (0.8, "weakly positive"),
        (2.6, "strongly positive"),
    ],
)
def test_degrees_of_sentiment(score: float, degree: str) -> None:
    (answer,) = Sentiment().answer.describe(torch.tensor([[score]]))
    assert answer == Answer(degree, score=pytest.approx(score), scale=(-3, 3))

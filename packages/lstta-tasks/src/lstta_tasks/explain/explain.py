"""Explanations of a video of one's own: ``explain(load(folder), "clip.mp4", ["How many flutes are there?"])``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lstta_tasks.adapters import Predictor
from lstta_tasks.answers.description import Answer
from lstta_tasks.data.clip import Clip, ClipSource
from lstta_tasks.explain.explanation import Explanation, explain_batch
from lstta_tasks.sample import Sample, TimedText
from lstta_tasks.task import Question, Task

AT_ONCE = 16  # pairs of a clip and a text in a batch
Shown = tuple[ClipSource, Clip | None, Sequence[TimedText]]
"""A clip, what was decoded of it (None where features stand for it), and its subtitles."""


def explain(
    predictor: Predictor,
    video: str | Path,
    texts: Sequence[str] = (),
    *,
    options: Sequence[str] = (),
    timed: Sequence[TimedText] = (),
    name: str | None = None,
    clip: Clip | None = None,
) -> list[Explanation]:
    """What the task says of a video with each text; of a ranking, one explanation that ranks the texts.

    Args:
        predictor: of :func:`lstta_tasks.adapters.load`.
        video: a media file; of a longer one than the task's clips are, its beginning, see ``Task.clip_seconds``.
        texts: the questions, statements, …, as the task has them; without any, one answer without words.
        options: to choose from, for tasks whose texts have them.
        timed: subtitles, for tasks that read them.
        name: of the clip; by default its path.
        clip: the video decoded, where it has been.

    Raises:
        DecodeError: the video cannot be read, or there is nothing in it that the model could see or hear.
        FeatureError: the model reads features, and no file has those of this name.
        NotFiniteError: an answer has a number that is NaN or infinite.
        ValueError: subtitles or options for a task that reads none, or a ranking without texts.
    """
    source = predictor.task.clip_of(name or str(video), Path(video))
    asked_of(predictor.task, texts, options, timed=bool(timed))  # before the clip is read
    clip = predictor.decode(source) if clip is None else clip
    return explain_together(predictor, [(source, clip, timed)], texts, options)[0]


def explain_together(
    predictor: Predictor, shown: Sequence[Shown], texts: Sequence[str], options: Sequence[str] = ()
) -> list[list[Explanation]]:
    """What :func:`explain` gives for each clip, computed in batches that several clips share. Raises as it does."""
    task = predictor.task
    questions = asked_of(task, texts, options, timed=any(timed for *_, timed in shown))
    asked = [(one, question) for one in shown for question in questions]
    found: list[Explanation] = []
    for first in range(0, len(asked), AT_ONCE):
        part = asked[first : first + AT_ONCE]
        batch = [
            predictor.item(Sample(source.id, source, text=question.text, target=0, timed=tuple(timed)), clip)
            for (source, clip, timed), question in part
        ]
        answered = explain_batch(predictor.model, task, batch, predictor.inputs(batch))
        found += [_named(e, question.names) for e, (_, question) in zip(answered, part, strict=True)]
    by_clip = [found[first : first + len(questions)] for first in range(0, len(found), len(questions))]
    return [[_ranked(some, texts)] for some in by_clip] if task.answer.ranks else by_clip


def asked_of(task: Task, texts: Sequence[str], options: Sequence[str], *, timed: bool) -> list[Question]:
    """The texts as the task has them, before any clip is looked at. Raises the ValueErrors of :func:`explain`."""
    if timed and not task.timed_text:
        raise ValueError(f"subtitles are not for this adapter: the task {task.name} reads none")
    if task.answer.ranks and not any(text.strip() for text in texts):
        raise ValueError(f"{task.name} compares clips with texts: give at least one")
    return [task.question(text, options) for text in texts or [""]]


def _named(explanation: Explanation, names: Mapping[str, str]) -> Explanation:
    """With what choices stand for in their place."""
    if not names:
        return explanation
    answer = explanation.answer
    choices = {names.get(choice, choice): value for choice, value in answer.choices.items()}
    return replace(explanation, answer=replace(answer, text=names.get(answer.text, answer.text), choices=choices))


def _ranked(explanations: Sequence[Explanation], texts: Sequence[str]) -> Explanation:
    """One explanation of all texts of a clip, best first; its curves are those with the first text."""
    scores = {t if t.strip() else "": e.answer.score or 0.0 for t, e in zip(texts, explanations, strict=True)}
    choices = dict(sorted(scores.items(), key=lambda choice: -choice[1]))
    return replace(
        explanations[0], text=None, answer=Answer(next(iter(choices)), choices, explanations[0].answer.measure)
    )

"""Explanations of a video of one's own: ``explain(load(folder), "clip.mp4", ["How many flutes are there?"])``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from lstta_core.lockstep import Inputs
from lstta_tasks.adapters import Predictor
from lstta_tasks.answer import Answer
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.explain.explanation import Explanation, explain_batch
from lstta_tasks.retrieval.network import RetrievalNetwork
from lstta_tasks.task import Sample, TimedText

AT_ONCE = 16  # texts in a batch


def explain(
    predictor: Predictor,
    video: str | Path,
    texts: Sequence[str] = (),
    *,
    timed: Sequence[TimedText] = (),
    name: str | None = None,
) -> list[Explanation]:
    """What the task says of a video with each text; of retrieval, one explanation that ranks the texts.

    Args:
        predictor: of :func:`lstta_tasks.adapters.load`.
        video: a media file.
        texts: the questions, statements, …, as the task has them; without any, one answer without words.
        timed: subtitles, for tasks that read them.
        name: of the clip; by default its path.

    Raises:
        DecodeError: the video cannot be read.
        ValueError: subtitles for a task that reads none, or retrieval without texts.
    """
    network, task = predictor.model, predictor.task
    if timed and not task.timed_text:
        raise ValueError(f"subtitles are not for this adapter: the task {task.name} reads none")
    ranks = isinstance(network, RetrievalNetwork)
    if ranks and not any(text.strip() for text in texts):
        raise ValueError("retrieval compares clips with texts: give at least one")
    from lstta_tasks.data.decode import decode_clip

    source = ClipSource(id=name or str(video), video=Path(video))
    clip = decode_clip(source, predictor.preprocessing)
    found: list[Explanation] = []
    asked = [text if text.strip() else None for text in texts] or [None]
    for first in range(0, len(asked), AT_ONCE):
        batch = [
            (Sample(id=str(place), source=source, text=text, target=0, timed=tuple(timed)), clip)
            for place, text in enumerate(asked[first : first + AT_ONCE])
        ]
        inputs = predictor.inputs(batch)
        explanations = explain_batch(network, task, batch, inputs)
        found += _matched(network, inputs, explanations) if isinstance(network, RetrievalNetwork) else explanations
    return [_ranked(found)] if ranks else found


def _matched(network: RetrievalNetwork, inputs: Inputs, explanations: list[Explanation]) -> list[Explanation]:
    """In joint mode, with the scaled cosine as the third tower corrects it in place of the cosine."""
    if network.matcher is None:
        return explanations
    with torch.no_grad():
        scale, added = network.temperature().item(), network.score(inputs).tolist()
    scores = [scale * (e.answer.score or 0) + more for e, more in zip(explanations, added, strict=True)]
    return [
        replace(e, answer=Answer("match", measure="match", score=score))
        for e, score in zip(explanations, scores, strict=True)
    ]


def _ranked(explanations: Sequence[Explanation]) -> Explanation:
    """One explanation of all texts of a clip, best first: the clip was embedded without regard to them."""
    scores = {e.text or "": e.answer.score or 0.0 for e in explanations}
    choices = dict(sorted(scores.items(), key=lambda choice: -choice[1]))
    return replace(
        explanations[0], text=None, answer=Answer(next(iter(choices)), choices, explanations[0].answer.measure)
    )

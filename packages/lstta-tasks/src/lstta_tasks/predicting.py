"""Answers for many clips, one after the other, decoded ahead in the background."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from lstta_tasks.adapters import on_device
from lstta_tasks.data.ahead import ahead
from lstta_tasks.data.clip import Clip
from lstta_tasks.finite import check_finite
from lstta_tasks.sample import Sample, TimedText

if TYPE_CHECKING:
    from lstta_tasks.adapters import Predictor

Asked = (
    str
    | Path
    | tuple[str | Path, str | None]
    | tuple[str | Path, str | None, Sequence[TimedText]]
    | tuple[Sample, Clip]
    | Mapping[str, Any]
)
"""A file; with its text; with its subtitles too; a sample with its decoded clip, as of a data set; or a batch, as of a
loader."""
Answers = Iterator[dict[str, Any] | Exception]
Item = tuple[Sample, Clip]


def predict_many(
    predictor: Predictor,
    asked: Iterable[Asked],
    *,
    batch_size: int = 8,
    workers: int = 2,
    errors: Literal["raise", "return"] = "raise",
) -> Answers:
    """What the task predicts for each, in the order in which it was asked.

    Nothing is read before the first answer is taken, and then at most two batches ahead of it, so that the sequence may
    have no end. An answer in a batch may differ from :meth:`Predictor.predict` in its last digits.

    Args:
        predictor: a trained model.
        asked: a sequence, a generator, a data set or a loader; a loader's batch gives one answer a sample.
        batch_size: how many are answered together.
        workers: threads that decode.
        errors: ``"return"`` gives the error of a file that cannot be read in place of its answer; otherwise it is
            raised, where its answer would have come.

    Raises:
        DecodeError, NotFiniteError, FeatureError: as :meth:`Predictor.predict` does; the first only where errors are
            raised.
        ValueError: an argument is out of range.
    """
    if batch_size < 1 or errors not in ("raise", "return"):
        raise ValueError(f"batch_size must be 1 or more and errors 'raise' or 'return', got {batch_size}, {errors!r}")
    return _answers(predictor, asked, batch_size, workers, errors)


def _answers(predictor: Predictor, asked: Iterable[Asked], batch_size: int, workers: int, errors: str) -> Answers:
    waiting: list[Item | Exception] = []

    def read(one: Asked) -> Item | Mapping[str, Any]:
        return one if isinstance(one, Mapping) else _item(predictor, one)

    for _, future in ahead(asked, read, workers=workers, most=2 * batch_size):
        try:
            found = future.result()
        except (ValueError, OSError) as error:
            if errors == "raise":
                yield from _answered(predictor, waiting)
                raise
            waiting.append(error)
            continue
        if isinstance(found, Mapping):
            yield from _answered(predictor, waiting)
            waiting = []
            yield from _of_batch(predictor, found)
            continue
        waiting.append(found)
        if len(waiting) >= batch_size:
            yield from _answered(predictor, waiting)
            waiting = []
    yield from _answered(predictor, waiting)


def _item(predictor: Predictor, one: Any) -> Item:
    if isinstance(one, tuple) and isinstance(one[0], Sample):
        return one[0], one[1]
    video, text, timed = (*one, None, ())[:3] if isinstance(one, tuple) else (one, None, ())
    source = predictor.task.clip_of(str(video), Path(video))
    sample = Sample(id=source.id, source=source, text=text, target=0, timed=tuple(timed or ()))
    return predictor.item(sample, predictor.decode(source))


def _answered(predictor: Predictor, waiting: Sequence[Item | Exception]) -> Answers:
    """The answers of those that could be read, and the errors of the others in their places."""
    items = [one for one in waiting if not isinstance(one, Exception)]
    answers = iter(predictor.answer(items) if items else [])
    for one in waiting:
        yield one if isinstance(one, Exception) else next(answers)


def _of_batch(predictor: Predictor, batch: Mapping[str, Any]) -> Answers:
    with torch.no_grad():
        output = predictor.model(on_device(batch["inputs"], predictor.device)).output
        check_finite(output, f"{', '.join(batch['ids'])}: what the model answers")
        yield from predictor.task.answer.predict(output)

"""The section ``loss`` of a config: what a training's loss is besides the task's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lstta_tasks.answers.shaped_loss import Loss, class_weights
from lstta_tasks.task import Sample

if TYPE_CHECKING:
    from lstta_tasks.experiment.parts import Experiment


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    """What the section may say.

    Attributes:
        class_weights: ``"balanced"``, weights by the classes' names, or a list in the classes' order; None for none.
        label_smoothing: how much of each target is shared out between all classes, from 0 to below 1.
    """

    class_weights: str | dict[str, float] | list[float] | None = None
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(
                f"loss.label_smoothing: a number from 0 to below 1 is wanted, got {self.label_smoothing!r}"
            )

    @property
    def asked(self) -> bool:
        """Whether the loss is another than the task's own."""
        return self.class_weights is not None or bool(self.label_smoothing)


def training_loss(experiment: Experiment, samples: Sequence[Sample]) -> Loss | None:
    """The loss of a training; None for the task's own.

    Args:
        experiment: whose config and task these are.
        samples: that it trains on, which balanced weights are counted in.

    Raises:
        ValueError: the task's kind of answer has no classes, or weighs them already, or the weights do not fit.
    """
    settings: Mapping[str, Any] | None = experiment.config.get("loss")
    if not settings:
        return None
    from lstta_tasks.experiment.factories import plain

    options = LossOptions(**plain(settings))
    if not options.asked:
        return None
    kind = experiment.task.answer
    weights = None
    if options.class_weights is not None and kind.classes:
        counts = Counter(name for sample in samples for name in kind.names(sample.target))
        weights = class_weights(options.class_weights, kind.classes, counts)
    try:
        return kind.shaped(weights, options.label_smoothing)
    except ValueError as error:
        raise ValueError(f"loss: the task {experiment.task.name}: {error}") from error

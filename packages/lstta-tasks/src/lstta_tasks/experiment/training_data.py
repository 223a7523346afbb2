"""What a config changes in the data that a training alone sees: how samples are drawn, and augmentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lstta_tasks.data.augment import Augment
from lstta_tasks.data.batch import SampleDataset
from lstta_tasks.experiment.factories import call, plain
from lstta_tasks.experiment.loss import LossOptions
from lstta_tasks.experiment.sampling import balanced_order, check_sampling

if TYPE_CHECKING:
    from lstta_tasks.experiment.loader import PlacedSampler
    from lstta_tasks.experiment.parts import Experiment

MIRRORED = ("left", "right")


def check_training_data(config: Mapping[str, Any]) -> None:
    """Refuse what a config says of these, wherever it can be told without data.

    Raises:
        ValueError: a value is out of range, or there is augmentation of states that were computed once.
    """
    check_sampling(config["loader"].get("sampling", "shuffled"))
    call(LossOptions, "loss", plain(config.get("loss") or {}))
    if not config.get("augment"):
        return
    augment: Augment = call(Augment, "augment", plain(config["augment"]))
    if "prefix" in config["clips"]:
        raise ValueError(
            "augment: clips.prefix reads states that were computed once, of clips as they are, so nothing in them can "
            "be changed: leave one of the two out"
        )
    used = config["model"].get("modalities") or list(config["encoders"])
    for m in augment.drop:
        if m not in used:
            raise ValueError(f"augment.drop.{m}: the model has no {m}; it has {', '.join(used)}")


def prepared(experiment: Experiment, dataset: Any, sampler: PlacedSampler) -> Any:
    """The data set to read a training's samples from; the sampler is told what to give it.

    Raises:
        ValueError: the task's answers do not go together with what the config asks for.
    """
    config, kind = experiment.config, experiment.task.answer
    if config.loader.get("sampling") == "balanced":
        sampler.order = balanced_order(dataset.samples, kind, config.seed)
    augment = Augment(**plain(config.get("augment") or {}))
    if augment == Augment():
        return dataset
    from lstta_tasks.data.augmenting import Augmented, places

    told = [name for name in MIRRORED if name in kind.classes]
    if augment.flip and told:
        raise ValueError(
            f"augment.flip: the task {experiment.task.name} has the answer {told[0]!r}, which is wrong of a mirrored "
            "picture: leave flip out"
        )
    if augment.time_shift and kind.segments:
        raise ValueError(
            f"augment.time_shift: the task {experiment.task.name} answers for every segment, and a clip that is "
            "shifted leaves its answers behind: leave time_shift out"
        )
    if not isinstance(dataset, SampleDataset):
        raise ValueError(
            "augment: an encoder reads ready-made features, which were made of clips as they are, so nothing in "
            "them can be changed: leave augment out"
        )
    sampler.mark = places
    return Augmented(dataset, augment, config.seed, experiment.preprocessing.sample_rate)

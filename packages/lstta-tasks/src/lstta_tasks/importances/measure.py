"""What an adapter's importances mean, measured on one split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstta_core.interfaces import Modality
from lstta_core.prefix import suffix
from lstta_tasks.data.batch import Batch, SampleDataset
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.data.cache_shards import CacheSet
from lstta_tasks.device import device_of
from lstta_tasks.experiment.batches import ready, through
from lstta_tasks.experiment.evaluate import restore
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.finite import check_finite
from lstta_tasks.importances.measured import Matters, Measured, agreements, curves, groups, segments_that_matter
from lstta_tasks.importances.rankings import ATTENTION, IMPORTANCE, Order, Scores, orders
from lstta_tasks.importances.relevance_file import (
    RelevantSeconds,
    check_within_clips,
    read_relevant_seconds,
    relevance_file,
)
from lstta_tasks.importances.removal import blanked, hidden, kept_segments, seen_segments
from lstta_tasks.network import TaskModel
from lstta_tasks.task import Predictions, Sample, Split

if TYPE_CHECKING:
    from mmengine.config import Config


def measure(
    config: Config,
    adapter: Path,
    split: Split,
    *,
    draws: int = 3,
    removed: Sequence[int] | None = None,
    device: str | None = None,
) -> Measured:
    """Compare importances with the seconds that matter, where a file says which do, and remove the segments they rank.

    Segments are ranked once, by what the model says of the whole clip, for sight and for sound apart. That ranking is
    kept while more and more of them are removed; what the model makes of the rest, importances too, is computed anew.

    Args:
        config: see :func:`~lstta_tasks.experiment.evaluate.evaluate`.
        adapter: its folder.
        split: of the config's data.
        draws: how often segments are removed at random.
        removed: how many segments, rising; by default 1 … T − 1. Each costs an evaluation for each order.
        device: see :func:`~lstta_tasks.experiment.evaluate.evaluate`.

    Raises:
        ValueError: there is no such device, the method has no importances, the network has several towers, clips come
            from a prefix cache, the file of relevant seconds is wrong, or another argument is out of range.
        FileNotFoundError: as in :func:`~lstta_tasks.experiment.evaluate.evaluate`.
        AdapterFileError: as there.
        NotFiniteError: an answer, an importance or a share of attention is NaN or infinite.
    """
    if draws < 1:
        raise ValueError(f"segments are removed at random once at least, got draws={draws}")
    device_of(device)  # is refused before anything is read
    experiment = restore(config, adapter)
    trial = _Trial(experiment, split, device)
    segments = trial.segments
    counts = list(range(1, segments)) if removed is None else list(removed)
    if counts != sorted(set(counts) & set(range(1, segments))):
        raise ValueError(f"of {segments} segments 1 … {segments - 1} can be removed, in rising numbers; got {counts}")
    relevant, matters = known_seconds(experiment, split, trial.dataset.samples, trial.dataset.reader)
    samples = trial.dataset.samples
    clips = {sample.id: sample.source.id for sample in samples}
    whole, explanations, seen = trial.explain()
    answers = trial.remove(orders(explanations, draws, clips), counts)

    parts = groups(samples, matters)
    report = experiment.task.answer.report(whole, samples)
    score = report.score(report.primary)
    return Measured(
        agreement={name: agreements(scores, matters, seen, relevant, clips) for name, scores in explanations.items()},
        curves={name: curves(experiment.task, part, whole, answers) for name, part in parts.items()},
        samples={name: len(part) for name, part in parts.items()},
        removed=(0, *counts),
        metric=score.name,
        lower_is_better=score.lower_is_better,
    )


def known_seconds(
    experiment: Experiment, split: Split, samples: Sequence[Sample], clips: CacheReader | CacheSet
) -> tuple[dict[str, RelevantSeconds], Matters]:
    """What the data set's own file says of a split, and which segments matter to the samples that are given.

    Args:
        experiment: whose data set.
        split: of it.
        samples: those that have a clip.
        clips: where they lie decoded.

    Raises:
        ValueError: see :mod:`~lstta_tasks.importances.relevance_file`.
    """
    file = relevance_file(experiment.config.task)
    if file is None:
        return {}, {}
    ids = [sample.id for sample in experiment.task.samples(split)]
    relevant = read_relevant_seconds(file, split, ids)
    names = {sample.id: sample.source.id for sample in samples if sample.id in relevant}
    lengths = {name: clips.read(name).duration for name in dict.fromkeys(names.values())}
    durations = {sample: lengths[name] for sample, name in names.items()}
    check_within_clips(file, relevant, durations)
    return relevant, segments_that_matter(relevant, durations, experiment.preprocessing.segments)


class _Trial:
    """One adapter on the clips of one split."""

    def __init__(self, experiment: Experiment, split: Split, device: str | None) -> None:
        dataset, model = experiment.dataset(split), experiment.model
        if not isinstance(dataset, SampleDataset):
            raise ValueError("segments are taken out of clips, and a prefix cache has none: leave clips.prefix out")
        if experiment.task.answer.segments:
            raise ValueError(
                f"the task {experiment.task.name!r} answers for every segment: with one that is removed its question "
                "goes too, so nothing would be measured"
            )
        if not isinstance(model, TaskModel):
            raise ValueError(f"the task {experiment.task.name!r} has several towers, and no importances of one clip")
        self.experiment, self.split = experiment, split
        self.dataset, self.model = dataset, model
        self.segments = experiment.preprocessing.segments
        self.runner = ready(experiment, device)

    def explain(self) -> tuple[Predictions, dict[str, Scores], Matters]:
        """Predictions of whole clips; the last stage's importances, and where the readout attends; what clips hold.

        Raises:
            ValueError: there are no importances.
        """
        predictions: dict[str, Any] = {}
        scores: dict[str, dict[str, Any]] = {IMPORTANCE: {}, ATTENTION: {}}
        seen: dict[str, Mapping[Modality, NDArray[np.bool_]]] = {}

        def step(batch: Batch) -> None:
            output = self.model.explain(batch["inputs"])
            if not output.importances:
                raise ValueError(f"the method {self.experiment.config.method['name']!r} gives no importances")
            check_finite((output.importances, output.attention), f"{batch['ids'][0]}: what the model looks at")
            predictions.update(self._predict(batch["ids"], output.output))
            for name, numbers in ((IMPORTANCE, output.importances), (ATTENTION, output.attention)):
                arrays = {m: values.float().cpu().numpy() for m, values in numbers.items()}
                for place, sample in enumerate(batch["ids"]):
                    scores[name][sample] = {m: values[place] for m, values in arrays.items()}
            holds = {m: values.cpu().numpy() for m, values in seen_segments(batch["inputs"]).items()}
            for place, sample in enumerate(batch["ids"]):
                seen[sample] = {m: values[place] for m, values in holds.items()}

        self._through("whole clips", step)
        return predictions, dict(scores), seen

    def remove(self, wanted: Sequence[Order], counts: Sequence[int]) -> list[tuple[Order, list[Predictions]]]:
        """Of each order, predictions with so many segments removed."""
        predicted: list[list[dict[str, Any]]] = [[{} for _ in counts] for _ in wanted]

        def step(batch: Batch) -> None:
            inputs, ids = batch["inputs"], batch["ids"]
            seen, present = seen_segments(inputs), {m: given["present"] for m, given in inputs.items()}
            for order, answers in zip(wanted, predicted, strict=True):
                stacked = {m: np.stack([order.scores[s][m] for s in ids]) for m in seen}
                scores = {m: torch.from_numpy(values).to(seen[m].device) for m, values in stacked.items()}
                for count, answer in zip(counts, answers, strict=True):
                    kept = {m: kept_segments(scores[m], seen[m], removed=count, highest=order.highest) for m in seen}
                    states = hidden(self.model.trimodal.prefix(blanked(inputs, kept)), kept)
                    output = suffix(self.model.trimodal, states, present)
                    answer.update(self._predict(ids, self.model.head(self.model.readout(output))))

        self._through("segments removed", step)
        return [(order, [*answers]) for order, answers in zip(wanted, predicted, strict=True)]

    def _predict(self, ids: Sequence[str], output: Tensor) -> dict[str, Any]:
        check_finite(output, f"{ids[0]}: what the model answers")
        return dict(zip(ids, self.experiment.task.answer.predict(output), strict=True))

    def _through(self, what: str, step: Callable[[Batch], None]) -> None:
        """The step for each batch of the split, on the device."""

        def on_device(batch: Batch) -> None:
            step(self.runner.data_preprocessor(batch, False))

        through(self.experiment, self.experiment.loader(self.split, self.dataset), on_device, what)

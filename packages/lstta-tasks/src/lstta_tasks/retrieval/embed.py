"""The embeddings of a split: what a ranking gives in its first pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lstta_tasks.adapters import read
from lstta_tasks.device import device_of
from lstta_tasks.experiment.batches import ready, through
from lstta_tasks.experiment.evaluate import restore
from lstta_tasks.finite import check_finite
from lstta_tasks.retrieval.index import Index, of_adapter
from lstta_tasks.retrieval.network import RetrievalNetwork
from lstta_tasks.sample import Split

if TYPE_CHECKING:
    from mmengine.config import Config


def index_split(config: Config, adapter: Path, split: Split, *, device: str | None = None) -> tuple[Index, list[str]]:
    """An index of the clips and captions of a split, read from the config's cache, computed on ``device``.

    Returns:
        The index, and the ids of the clips that are not in the cache.

    Raises:
        ValueError: the adapter is of another task. See :func:`lstta_tasks.experiment.evaluate.evaluate` for the others.
    """
    device_of(device)  # is refused before anything is read
    experiment = restore(config, adapter)
    if not isinstance(experiment.model, RetrievalNetwork):
        raise ValueError(f"{adapter}: an adapter of a task that ranks is wanted, got one of {experiment.task.name}")
    dataset = experiment.dataset(split)
    answers = through(experiment, experiment.loader(split, dataset), ready(experiment, device).test_step, split)
    vectors = {one["id"]: one["prediction"] for batch in answers for one in batch}
    for name, vector in vectors.items():
        check_finite(vector, f"{adapter}: the embedding of sample {name}")
    first = {sample.source.id: sample for sample in reversed(dataset.samples)}
    clips = list(dict.fromkeys(sample.source.id for sample in dataset.samples))
    index = of_adapter(
        read(adapter), clip_ids=clips, clips=np.stack([vectors[first[clip].id]["clip"] for clip in clips])
    )
    return replace(
        index,
        text_ids=[sample.id for sample in dataset.samples],
        captions=[sample.text or "" for sample in dataset.samples],
        texts=np.stack([vectors[sample.id]["text"] for sample in dataset.samples]),
    ), dataset.missing

"""What a config's frozen encoders make of its clips and texts, written into files of features."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from lstta_core.fast_linear import fast_linear
from lstta_core.features import Features
from lstta_core.interfaces import FeatureSpec, Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.whole_files import write_text
from lstta_tasks.data.batch import Collate
from lstta_tasks.data.clip import Clip
from lstta_tasks.device import device_of
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.features.write import Form, write_features
from lstta_tasks.network import DTYPES
from lstta_tasks.sample import Sample, Split

CONFIG = "encoders.py"
AT_ONCE = 16  # clips in a batch
Item = tuple[Sample, Clip]


@dataclass(frozen=True)
class Extracted:
    """A file that was written.

    Attributes:
        modality: whose features.
        path: of the file.
        count: how many clips or texts.
        settings: of the encoder that reads it, for a config.
    """

    modality: Modality
    path: Path
    count: int
    settings: dict[str, Any]


def extract(
    experiment: Experiment,
    out: Path,
    splits: Sequence[Split] | None = None,
    *,
    modalities: Sequence[Modality] = tuple(Modality),
    form: Form = "npz",
    where: str | None = None,
) -> list[Extracted]:
    """Write what encoders give, ``finish`` included, of every clip in the cache, and of every sample's text.

    Beside the files lies ``encoders.py``, a config's section that reads them: with as many blocks as the config has
    stages, so that the rest of the config can stay as it is.

    Args:
        experiment: of the config; its cache must be there.
        out: a folder for ``visual.npz`` and so on.
        splits: by default all that are there.
        modalities: of those that the config has.
        form: of the files.
        where: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default a GPU where there is one.

    Raises:
        CacheError: the clips' cache is not there, or of other clips.
        ValueError: there is no such device, an encoder reads features already, or no clip of a split is in the cache.
        FeatureError: a file cannot be written.
    """
    place = device_of(where)
    experiment = _of_clips(experiment)
    encoders = {m: encoder for m, encoder in experiment.encoders.items() if m in experiment.used and m in modalities}
    if not encoders:
        raise ValueError(
            f"there is no encoder of {', '.join(modalities)} in the config: it has {', '.join(experiment.used)}"
        )
    for m, encoder in encoders.items():
        if isinstance(encoder.spec, FeatureSpec):
            raise ValueError(f"encoders.{m}: it reads features already, from {encoder.spec.source.place}")
    items = [experiment.dataset_of(experiment.task.samples(split)) for split in splits or experiment.task.splits()]
    stages = experiment.config.model.get("stages") or min(len(one.widths) for one in experiment.encoders.values())
    written = []
    for m, encoder in encoders.items():
        maker = _Maker(experiment, m, place)
        path = out / f"{m}.{form}"
        count = write_features(path, maker.features(items), of=maker.of)
        settings = {
            "name": f"precomputed-{m}",
            "path": str(path),
            "width": encoder.widths[-1],
            "depth": stages,
            "tokens": maker.most,
            **({"named": "sample"} if m is Modality.LANGUAGE else {}),
            "of": maker.of,
        }
        written.append(Extracted(m, path, count, settings))
    write_text(out / CONFIG, _section(written))
    return written


def _of_clips(experiment: Experiment) -> Experiment:
    """The same without a prefix cache, whose states are not what encoders give."""
    if "prefix" not in experiment.config.clips:
        return experiment
    config = copy.deepcopy(experiment.config)
    del config.clips["prefix"]
    return Experiment(config)


def _section(written: Sequence[Extracted]) -> str:
    lines = [
        f"    {one.modality}=dict(" + ", ".join(f"{key}={value!r}" for key, value in one.settings.items()) + "),"
        for one in written
    ]
    return "\n".join(['"""Features in place of encoders."""', "", "encoders = dict(", *lines, ")", ""])


class _Maker:
    """The features of one modality.

    Attributes:
        of: the encoder, as far as its weights and their name tell.
        most: how many tokens a segment has had at most, so far.
    """

    def __init__(self, experiment: Experiment, modality: Modality, where: torch.device) -> None:
        encoder = experiment.encoders[modality]
        dtype = experiment.config.model.get("frozen_dtype")
        self.modality = modality
        self.model = TrimodalModel({modality: encoder}, frozen_dtype=None if dtype is None else DTYPES[dtype])
        self.model.to(where).eval()
        self.collate = Collate({modality: encoder.spec}, timed_text=experiment.task.timed_text)
        name = encoder.name or experiment.config.encoders[modality].get("name", type(encoder).__name__)
        self.of = f"{name} {self.model.digests[modality][:16]}"
        self.most = 1

    def features(self, splits: Sequence[Any]) -> Iterator[tuple[str, Features]]:
        """By id, each once."""
        known: set[str] = set()
        for dataset in splits:
            todo = []
            for place, sample in enumerate(dataset.samples):
                if (name := self._name(sample)) not in known:
                    known.add(name)
                    todo.append(place)
            bar = tqdm(range(0, len(todo), AT_ONCE), desc=str(self.modality), unit="batch", disable=None)
            for first in bar:
                items = [dataset[place] for place in todo[first : first + AT_ONCE]]
                yield from self._of_batch(items)

    def _name(self, sample: Sample) -> str:
        return sample.id if self.modality is Modality.LANGUAGE else sample.source.id

    def _of_batch(self, items: Sequence[Item]) -> Iterator[tuple[str, Features]]:
        inputs = self.collate(items)["inputs"]
        here = {m: {name: tensor.to(self.model.device) for name, tensor in some.items()} for m, some in inputs.items()}
        with torch.no_grad(), fast_linear(enabled=self.model.device.type == "cpu"):
            stream = self.model(here).streams[self.modality]
        tokens, masks = stream.tokens.float().cpu().numpy(), stream.mask.cpu().numpy()
        for (sample, clip), of_clip, mask in zip(items, tokens, masks, strict=True):
            segments = len(mask)
            self.most = max(self.most, int(mask.sum(1).max()))
            if not mask.any():  # a clip without this modality has no features
                continue
            segment, _ = np.nonzero(mask)
            times = None
            if segments > 1 or self.modality is not Modality.LANGUAGE:
                edges = np.linspace(0, clip.duration, segments + 1)
                times = np.stack([edges[segment], edges[segment + 1]], axis=1)
            yield self._name(sample), Features(of_clip[mask][:, None], times)

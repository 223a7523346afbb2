#!/usr/bin/env python3
"""What a trained model would gain if it were told which seconds matter: adapters and readout see those alone.

    python studies/tell_seconds.py main emotion work_dirs/lstta/best work_dirs/none/best [--where clips.cache=DIR …]

For each adapter folder, the score on test as it is, with only the segments of sight and sound that matter, and with
only those that do not. Encoders have seen the whole clip: tokens of the other segments are in no segment. The samples
are those of which the seconds are known, and tell some segments from others. A model that finds the seconds by itself
gains nothing; one that cannot use what happens in them neither.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lstta_core.interfaces import Modality
from lstta_tasks.cli.options import cfg_options, user_errors
from lstta_tasks.data.batch import Batch
from lstta_tasks.experiment.batches import ready, through
from lstta_tasks.experiment.evaluate import restore
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.importances.measure import known_seconds
from lstta_tasks.importances.measured import Matters
from lstta_tasks.importances.removal import hidden
from lstta_tasks.study.definition import Run, load_study
from lstta_tasks.study.run_config import configured, placed


def known(experiment: Experiment) -> Matters:
    """Which segments of the samples of test matter: those that tell some segments from others."""
    _, matters = known_seconds(experiment, "test", experiment.dataset("test").samples, experiment.cache)
    if not matters:
        raise ValueError("no relevant_seconds.json says which seconds matter")
    return {sample: of for sample, of in matters.items() if all(0 < mask.sum() < len(mask) for mask in of.values())}


def kept(matters: Matters, ids: Sequence[str], segments: int, *, others: bool) -> dict[Modality, Tensor]:
    """(B, T) bool of sight and sound: the segments that matter, or the others; all of a sample that is not measured."""
    everything = np.ones(segments, bool)
    return {
        m: torch.from_numpy(np.stack([matters[name][m] ^ others if name in matters else everything for name in ids]))
        for m in (Modality.VISUAL, Modality.AUDIO)
    }


def scores(experiment: Experiment, matters: Matters) -> list[float]:
    """Of test: as it is, with what matters alone, with the rest alone."""
    dataset, segments = experiment.dataset("test"), experiment.preprocessing.segments
    runner = ready(experiment)
    model = experiment.model
    told: list[dict[str, object]] = [{}, {}, {}]

    def step(batch: Batch) -> None:
        batch = runner.data_preprocessor(batch, False)
        inputs, ids = batch["inputs"], batch["ids"]
        states = model.trimodal.prefix(inputs)
        present = next(iter(inputs.values()))["present"]
        alone, rest = (
            hidden(states, {m: mask.to(present.device) for m, mask in kept(matters, ids, segments, others=others).items()})
            for others in (False, True)
        )
        for seen, predictions in zip((states, alone, rest), told, strict=True):
            output = model.head(model.readout(model.trimodal(inputs, seen)))
            predictions.update(zip(ids, experiment.task.answer.predict(output), strict=True))

    through(experiment, experiment.loader("test", dataset), step, "test")
    samples = [sample for sample in dataset.samples if sample.id in matters]
    reports = [experiment.task.answer.report({s.id: one[s.id] for s in samples}, samples) for one in told]
    return [report.score(report.primary).value for report in reports]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study")
    parser.add_argument("task")
    parser.add_argument("adapters", nargs="+", type=Path, help="folders that runs of the study left, best/")
    parser.add_argument("--where", nargs="+", default=[], metavar="KEY=VALUE", help="as of lstta compare")
    args = parser.parse_args()
    study = placed(load_study(args.study), cfg_options(args.where), [args.task])
    config = configured(study, Run(args.task, next(iter(study.methods)), study.seeds[0], None))
    matters: Matters | None = None
    for folder in args.adapters:
        experiment = restore(config, folder)
        if matters is None:
            matters = known(experiment)
            print(
                f"{len(matters)} of {len(experiment.task.samples('test'))} samples have seconds that matter and others"
            )
        as_it_is, alone, rest = scores(experiment, matters)
        print(
            f"{folder}: {as_it_is:.3f}; with what matters alone {alone:.3f}, with the rest alone {rest:.3f}", flush=True
        )


if __name__ == "__main__":
    with user_errors():
        main()

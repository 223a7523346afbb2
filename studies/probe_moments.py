#!/usr/bin/env python3
"""What frozen encoders tell of the moments: a linear probe on the features of each second, for the thing and the word.

    lstta generate moments --out data/built-in/moments
    lstta cache build moments/pretrained_lstta
    python studies/probe_moments.py [--cfg-options encoders.visual.model=DIR encoders.audio.model=DIR …]

A second's feature is the mean of its tokens after the encoder's last block, or that of one block with --block. Ridge
regression to one-hot labels on --train clips of train, its strength chosen on --val clips of val; accuracy on --test
clips of test. What is true of a clip comes from the generator, by the seed in the data set's generated.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from lstta_core.interfaces import Modality
from lstta_tasks.cli.options import add_cfg_options, cfg_options
from lstta_tasks.data.batch import audio_inputs, visual_inputs
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_world.moments import plan
from lstta_world.music_avqa import video_id
from lstta_world.splits import Split

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@torch.no_grad()
def features(experiment: Experiment, modality: Modality, ids: Sequence[str], block: int | None) -> Tensor:
    """The mean token of each second of each clip: (clips * 8, width)."""
    encoder = experiment.encoders[modality].eval()
    inputs_of = visual_inputs if modality is Modality.VISUAL else audio_inputs
    means = []
    for name in ids:
        state = encoder.embed(inputs_of([experiment.cache.read(name)]))
        for index in range(encoder.depth if block is None else block):
            state = encoder.run_block(index, state)
        tokens = encoder.finish(state).tokens if block is None else state.tokens
        there = state.layout.mask(state.mask)[0, ..., None]
        in_segments = state.layout.to_segments(tokens)[0]
        means.append((in_segments * there).sum(1) / there.sum(1).clamp(min=1))
    return torch.cat(means).double()


def probe(x: dict[Split, Tensor], y: dict[Split, Tensor]) -> float:
    """The accuracy on test of ridge regression on standardised features, strength chosen on val."""
    mean, deviation = x["train"].mean(0), x["train"].std(0) + 1e-6
    scaled = {
        split: torch.nn.functional.pad((values - mean) / deviation, (0, 1), value=1.0) for split, values in x.items()
    }
    train, wanted = scaled["train"], torch.nn.functional.one_hot(y["train"]).double()
    products = train.T @ train / len(train)
    found = []
    for strength in STRENGTHS:
        weights = torch.linalg.solve(products + strength * torch.eye(len(products)), train.T @ wanted / len(train))
        right = {split: float(((scaled[split] @ weights).argmax(1) == y[split]).double().mean()) for split in y}
        found.append((right["val"], right["test"]))
    return max(found, key=lambda pair: pair[0])[1]


def labels(seed: int, counts: dict[Split, int]) -> dict[Modality, dict[Split, Tensor]]:
    """What each second shows and says, as indices in alphabetical order: (clips * 8,) int64 each."""
    clips = {split: [clip for clip, _ in plan(split, count, seed)] for split, count in counts.items()}
    truth = {}
    for modality, of in ((Modality.VISUAL, "shown"), (Modality.AUDIO, "said")):
        names = {split: [name for clip in clips[split] for name in getattr(clip, of)] for split in clips}
        index = {name: i for i, name in enumerate(sorted({name for found in names.values() for name in found}))}
        truth[modality] = {split: torch.tensor([index[name] for name in found]) for split, found in names.items()}
    return truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="moments/pretrained_lstta")
    parser.add_argument(
        "--block", type=int, help="read the tokens after so many blocks (default: what comes after all)"
    )
    parser.add_argument("--train", type=int, default=200, help="clips (default 200)")
    parser.add_argument("--val", type=int, default=50)
    parser.add_argument("--test", type=int, default=100)
    add_cfg_options(parser)
    args = parser.parse_args()
    experiment = Experiment(load_config(args.config, cfg_options(args.cfg_options)))
    made = json.loads((Path(experiment.config.task.root) / "generated.json").read_text(encoding="utf-8"))
    counts: dict[Split, int] = {"train": args.train, "val": args.val, "test": args.test}
    truth = labels(made["arguments"]["seed"], counts)
    for read in (Modality.VISUAL, Modality.AUDIO):
        x = {
            split: features(experiment, read, [video_id(split, i) for i in range(count)], args.block)
            for split, count in counts.items()
        }
        shown, said = (probe(x, truth[asked]) for asked in (Modality.VISUAL, Modality.AUDIO))
        print(
            f"{read:8} features: shown {shown:.3f}, said {said:.3f} (chance .111, {8 * args.test} seconds)", flush=True
        )


if __name__ == "__main__":
    main()

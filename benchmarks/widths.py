#!/usr/bin/env python3
"""Whether one learning rate suits tokens of any width: LSTTA and the simple readout on synthetic tokens.

    python benchmarks/widths.py [--one-rate] [--out benchmarks/results/widths.json]

Tokens are a part that all have in common, three of its features very large, a part for what a segment holds, and noise,
as pretrained tokens are (decision 13). The text names a sound, and what is wanted is what is shown in the segment where
it is heard. Mean training loss of the last 50 of 600 steps, for rates that are twice as high each, with the rates of
matrices by their inputs (lstta_core.rates), or with one rate for all matrices. The best rate is that of the lowest
median over five seeds: each has a world of its own, and some are harder than others.

time:     about a quarter of an hour of one core
"""

from __future__ import annotations

import argparse
import math
import statistics
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from lstta_core.interfaces import Modality, Stream, TrimodalOutput
from lstta_core.methods.lstta.adapter import LSTTAAdapter
from lstta_core.rates import FULL, parameter_groups
from lstta_core.readout import Readout
from lstta_core.whole_files import write_json

WIDTHS, RATES, SEEDS = (128, 384, 768), tuple(2.5e-4 * 2**k for k in range(6)), tuple(range(5))
THINGS, SEGMENTS, CLIPS, STEPS, LAST = 5, 5, 16, 600, 50
TOKENS = {Modality.VISUAL: 3, Modality.AUDIO: 3, Modality.LANGUAGE: 3}


class World:
    """Batches of clips whose tokens are so wide."""

    def __init__(self, width: int, seed: int) -> None:
        self.random = torch.Generator().manual_seed(seed)
        self.common = {m: 3 * self.normal(width) for m in TOKENS}
        for common in self.common.values():
            common[:3] += 40
        self.things = {m: self.normal(THINGS, width) for m in TOKENS}

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.random)

    def batch(self) -> tuple[dict[Modality, Stream], Tensor]:
        """Streams, and what is shown where the named sound is heard (CLIPS,)."""
        held = {m: torch.rand(CLIPS, THINGS, generator=self.random).argsort(1)[:, :SEGMENTS] for m in TOKENS}
        place = torch.randint(SEGMENTS, (CLIPS, 1), generator=self.random)
        named = held[Modality.AUDIO].gather(1, place)
        streams = {}
        for m, count in TOKENS.items():
            holds = named if m is Modality.LANGUAGE else held[m]
            x = (self.common[m] + self.things[m][holds])[:, :, None]
            x = x + self.normal(*holds.shape, count, x.shape[-1])
            streams[m] = Stream(x, torch.ones(x.shape[:3], dtype=torch.bool), torch.ones(CLIPS, dtype=torch.bool))
        return streams, held[Modality.VISUAL].gather(1, place)[:, 0]


def loss_of(width: int, rate: float, seed: int, full: int | None) -> float:
    """The mean training loss of the last steps; chance is log of the number of things."""
    torch.manual_seed(seed)
    world = World(width, seed)
    widths = dict.fromkeys(TOKENS, width)
    adapter = LSTTAAdapter(widths=widths, width=31, last=True)
    readout, head = Readout(widths=widths, width=44, guided=False), nn.Linear(44, THINGS)
    model = nn.ModuleList([adapter, readout, head])
    optimizer = torch.optim.AdamW(parameter_groups(model, lr=rate, full=full), weight_decay=0.01)
    course = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / 50) * (1 + math.cos(math.pi * step / STEPS)) / 2
    )
    losses = []
    for _ in range(STEPS):
        streams, wanted = world.batch()
        adapter.measure(streams)
        out = adapter(streams)
        loss = F.cross_entropy(head(readout(TrimodalOutput(out.streams, [out.importances]))), wanted)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        course.step()
        losses.append(loss.item())
    return sum(losses[-LAST:]) / LAST


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write the losses here, as JSON")
    parser.add_argument("--one-rate", action="store_true", help="one rate for all matrices, whatever their inputs")
    args = parser.parse_args()
    full = None if args.one_rate else FULL
    torch.set_num_threads(1)
    rows = []
    for width in WIDTHS:
        losses = {
            rate: [loss_of(width, rate, seed, full) for seed in SEEDS]
            for rate in tqdm(RATES, desc=str(width), leave=False, disable=None)
        }
        medians = {rate: statistics.median(values) for rate, values in losses.items()}
        best = min(medians, key=medians.__getitem__)
        said = "  ".join(f"{rate:g}: {median:.3f}" for rate, median in medians.items())
        print(f"full rate up to {full} inputs, width {width}: {said}; best {best:g}", flush=True)
        rows.append({"full_rate_inputs": full, "width": width, "losses": losses, "best": best})
        if args.out is not None:
            write_json(args.out, rows)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A stand-in for the task `moments` that learns in a minute or two of one core: what each part of LSTTA is good for.

    python benchmarks/stand_in.py [--method lstta short_term=False …] [--steps 1800] [--rate 1e-3] [--seed 0]
                                  [--guided] [--out benchmarks/results/stand-in.json]

A clip has eight segments. In each, one of nine things is shown and one of nine words is said, none twice: a few tokens
of noise around the vector of what the segment holds, on top of what all tokens of a modality have in common. A question
is a few tokens: four that are always there, what is asked, and whom it is about. Its kinds are those of `moments`: what
is shown (said) while a word is said (a thing is shown), right after it, right before it; what comes first or last;
whether two are there at once. Decisions 13 and 14 were taken with it.

Prints, for each kind, the share of right answers on fresh questions, and how well the importances rank the segment that
is relevant (AUROC, sight and sound; a kind that needs one sense alone counts for that sense).
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from lstta_core.interfaces import Modality, Stage, Stream, TrimodalOutput
from lstta_core.plugins import installed_plugins
from lstta_core.rates import parameter_groups
from lstta_core.readout import Readout
from lstta_core.whole_files import write_json

VISUAL, AUDIO, LANGUAGE = Modality
WIDTH, SEGMENTS, THINGS, BATCH = 96, 8, 9, 32
TOKENS = {VISUAL: 4, AUDIO: 5}
KINDS = ("moment", "after", "before", "order", "both")
STEP = torch.tensor([0, 1, -1])
OFTEN = torch.tensor([0, 0, 1, 1, 2, 2, 3, 4])
YES_OR_NO = 2 * THINGS


class Questions(NamedTuple):
    """A batch: streams, right answers (B,), kinds (B,), and the relevant segment, (B,) for each sense, −1 for none."""

    streams: dict[Modality, Stream]
    answers: Tensor
    kinds: Tensor
    relevant: dict[Modality, Tensor]


class World:
    """Draws questions; what things and words look like is the same for all seeds."""

    def __init__(self, seed: int) -> None:
        self.random = torch.Generator().manual_seed(100 + seed)
        fixed = torch.Generator().manual_seed(7)

        def vectors(count: int) -> Tensor:
            return torch.randn(count, WIDTH, generator=fixed)

        self.common = {m: 3 * vectors(1)[0] for m in Modality}
        self.held = {m: vectors(THINGS) for m in TOKENS}
        self.named = {m: vectors(THINGS) for m in TOKENS}
        self.steps, self.orders, self.both = vectors(3), vectors(2), vectors(1)
        self.asks, self.filling, self.nothing = vectors(2), vectors(4), torch.zeros(WIDTH)

    def noise(self, *shape: int) -> Tensor:
        return torch.randn(*shape, WIDTH, generator=self.random)

    def whole(self, high: int, count: int, low: int = 0) -> Tensor:
        return torch.randint(low, high, (count,), generator=self.random)

    def batch(self, count: int) -> Questions:
        """So many clips, with a question each."""
        clips = {m: torch.rand(count, THINGS, generator=self.random).argsort(1)[:, :SEGMENTS] for m in TOKENS}
        words, answers, kinds, places = [], [], OFTEN[self.whole(len(OFTEN), count)], []
        for i, kind in enumerate(kinds.tolist()):
            sense, other = (VISUAL, AUDIO) if self.whole(2, 1) else (AUDIO, VISUAL)
            asked = self.asks[int(sense is AUDIO)]
            offset = THINGS * (sense is AUDIO)
            if kind < len(STEP):
                place = int(self.whole(SEGMENTS - 1, 1, 1))
                then = place + int(STEP[kind])
                said = [self.steps[kind], asked, self.named[other][clips[other][i, place]], self.nothing]
                answers.append(offset + int(clips[sense][i, then]))
                places.append({sense: then, other: place})
            elif KINDS[kind] == "order":
                last = int(self.whole(2, 1))
                said = [self.orders[last], asked, self.nothing, self.nothing]
                answers.append(offset + int(clips[sense][i, -last]))
                places.append({sense: (SEGMENTS - 1) * last, other: -1})
            else:
                first = int(self.whole(SEGMENTS, 1))
                second = (first + int(self.whole(2, 1)) * int(self.whole(SEGMENTS, 1, 1))) % SEGMENTS
                names = [self.named[m][clips[m][i, at]] for m, at in ((VISUAL, first), (AUDIO, second))]
                said = [self.both[0], *names, self.nothing]
                answers.append(YES_OR_NO + int(first == second))
                places.append({VISUAL: first, AUDIO: second})
            words.append(torch.cat([self.filling, torch.stack(said)]))
        tokens = {m: self.held[m][clips[m]][:, :, None] + self.noise(count, SEGMENTS, TOKENS[m]) for m in TOKENS}
        text = torch.stack(words)[:, None]
        tokens[LANGUAGE] = text + 0.5 * self.noise(*text.shape[:3])
        streams = {
            m: Stream(
                x + self.common[m], torch.ones(x.shape[:3], dtype=torch.bool), torch.ones(count, dtype=torch.bool)
            )
            for m, x in tokens.items()
        }
        relevant = {m: torch.tensor([place[m] for place in places]) for m in TOKENS}
        return Questions(streams, torch.tensor(answers), kinds, relevant)


class Model(nn.Module):
    """An adapter behind all blocks, the readout of the tasks and a head."""

    def __init__(self, method: str, options: dict[str, object], *, guided: bool) -> None:
        super().__init__()
        widths = dict.fromkeys(Modality, WIDTH)
        stage = Stage(index=1, count=1, widths=widths)
        self.adapter = installed_plugins().create("method", method, **options).adapter(stage)
        self.readout = Readout(widths=widths, width=64, guided=guided)
        self.head = nn.Linear(64, YES_OR_NO + 2)

    def forward(self, streams: dict[Modality, Stream]) -> tuple[Tensor, dict[Modality, Tensor]]:
        """Logits (B, answers), and the importances (B, T) of the senses that have them."""
        if self.training:
            self.adapter.measure(streams)
        out = self.adapter(streams)
        importances = dict(out.importances)
        return self.head(self.readout(TrimodalOutput(out.streams, [importances] if importances else []))), importances


@torch.no_grad()
def scores(model: Model, world: World, batches: int = 8) -> dict[str, dict[str, float | None]]:
    """For each kind and for all: the share of right answers, and the AUROC of the importances of each sense."""
    model.eval()
    rows = []
    for _ in range(batches):
        batch = world.batch(256)
        logits, importances = model(batch.streams)
        above = {m: _above(importances.get(m), batch.relevant[m]) for m in TOKENS}
        rows.append(torch.stack([batch.kinds, logits.argmax(1) == batch.answers, *above.values()], 1))
    model.train()
    kinds, found = torch.cat(rows)[:, 0], torch.cat(rows)[:, 1:]
    table = {}
    for name, chosen in [*((name, kinds == k) for k, name in enumerate(KINDS)), ("all", kinds >= 0)]:
        means = found[chosen].nanmean(0).tolist()
        table[name] = {
            key: None if math.isnan(value) else round(value, 4)
            for key, value in zip(("right", *map(str, TOKENS)), means, strict=True)
        }
    return table


def _above(importances: Tensor | None, relevant: Tensor) -> Tensor:
    """(B,): the share of a clip's other segments that the relevant one stands above, ties by half; NaN without one."""
    if importances is None:
        return torch.full(relevant.shape, math.nan)
    own = importances.gather(1, relevant.clamp(min=0)[:, None])
    below = (importances < own).float().sum(1) + ((importances == own).float().sum(1) - 1) / 2
    return (below / (SEGMENTS - 1)).masked_fill(relevant < 0, math.nan)


def train(model: Model, world: World, *, steps: int, rate: float) -> None:
    """As trainings do: AdamW, rates by the inputs of each matrix, a warm-up of 50 steps and a cosine."""
    optimizer = torch.optim.AdamW(parameter_groups(model, lr=rate), weight_decay=0.01)
    course = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / 50) * (1 + math.cos(math.pi * step / steps)) / 2
    )
    bar = tqdm(range(steps), disable=None)
    for _ in bar:
        batch = world.batch(BATCH)
        loss = F.cross_entropy(model(batch.streams)[0], batch.answers)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        course.step()
        bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", nargs="+", default=["lstta"], help="its name, then options as KEY=VALUE")
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true", help="with the guided readout")
    parser.add_argument("--out", type=Path, help="a JSON file for what is found")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    name, *given = args.method
    options: dict[str, object] = {"width": 53} if name != "none" else {}
    options |= {key: {"True": True, "False": False}.get(text) if text[0] in "TF" else int(text)
                for key, text in (pair.split("=") for pair in given)}  # fmt: skip
    world = World(args.seed)
    model = Model(name, options, guided=args.guided)
    train(model, world, steps=args.steps, rate=args.rate)
    table = scores(model, world)
    for kind, row in table.items():
        print(
            f"{kind:8}" + "".join(f"  {key} {'–' if value is None else f'{value:.3f}'}" for key, value in row.items())
        )
    if args.out:
        write_json(args.out, vars(args) | {"out": None, "scores": table})


if __name__ == "__main__":
    main()

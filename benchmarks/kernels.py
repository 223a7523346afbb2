#!/usr/bin/env python3
"""How many operators an adapter of one stage calls: what a GPU has to be sent, counted on any machine.

    python benchmarks/kernels.py [--method lstta short_term=False …] [--last] [--names]

Two clips of eight segments, 50 tokens of sight and 40 of sound in each, 24 of text; width 64 on 768, float32. Counted
are the operators that a ``TorchDispatchMode`` sees; views and empty tensors, which launch nothing, are not, nor what an
adapter makes of the masks alone, once a batch.

time:     a second
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from lstta_core.interfaces import Adapter, Modality, Stage, Stream, Streams
from lstta_core.plugins import installed_plugins

CLIPS, SEGMENTS, TOKENS = 2, 8, {Modality.VISUAL: 50, Modality.AUDIO: 40, Modality.LANGUAGE: 24}
INPUTS, WIDTH = 768, 64
EMPTY = {"aten.empty", "aten.empty_like", "aten.empty_strided", "aten.new_empty", "aten.new_empty_strided"}
NOTHING = {"aten._unsafe_view", "aten.lift_fresh", "aten._reshape_alias", "aten.detach", "aten.promote_types"}


class _Count(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = str(func.overloadpacket)
        if not func.is_view and name not in NOTHING and name not in EMPTY:
            self.names[name] += 1
        return func(*args, **(kwargs or {}))


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """The operators that are called inside, by name."""
    with _Count() as mode:
        yield mode.names


def streams() -> Streams:
    """Random tokens of two clips."""
    made = {}
    for modality, count in TOKENS.items():
        shape = (CLIPS, 1 if modality is Modality.LANGUAGE else SEGMENTS, count)
        present = torch.ones(CLIPS, dtype=torch.bool)
        made[modality] = Stream(torch.randn(*shape, INPUTS, requires_grad=True), torch.ones(shape).bool(), present)
    return made


def adapter(method: str = "lstta", *, last: bool = False, **options: object) -> Adapter:
    """A method's adapter, at the first of two stages or at the last, as it is after a few steps: nothing is zero."""
    stage = Stage(index=2 if last else 1, count=2, widths=dict.fromkeys(Modality, INPUTS))
    made = installed_plugins().create("method", method, **{"width": WIDTH} | options).adapter(stage)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight) * 0.01)
    return made


def counts(made: Adapter) -> tuple[Counter[str], Counter[str]]:
    """The operators of the forward pass, and of forward and backward together."""
    given = streams()
    made.measure(given)
    plan = made.plan(given)
    with counted() as forward:
        out = made(given) if plan is None else made(given, plan)
    with counted() as backward:
        values: list[Tensor] = [stream.tokens for stream in out.streams.values()]
        values += out.importances.values()
        torch.autograd.backward(values, [torch.ones_like(value) for value in values])
    backward.subtract({"aten.ones_like": len(values)})
    return forward, forward + backward


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", nargs="+", default=["lstta"], help="its name, then options as KEY=VALUE")
    parser.add_argument("--last", action="store_true", help="at the last stage, where importances are made")
    parser.add_argument("--names", action="store_true", help="say which operators, most frequent first")
    args = parser.parse_args()
    name, *given = args.method
    pairs = (pair.split("=") for pair in given)
    options = {key: {"True": True, "False": False}[text] if text[0] in "TF" else int(text) for key, text in pairs}
    forward, both = counts(adapter(name, last=args.last, **options))
    print(f"{name}: {forward.total()} operators forward, {both.total()} forward and backward")
    if args.names:
        for operator, count in both.most_common():
            print(f"  {operator:45} {forward[operator]:4} {count:4}")


if __name__ == "__main__":
    main()

"""Adapters live on wide tokens that have a large part in common, which killed those of version 0.1."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.interfaces import Adapter, Method, Modality, Stage, Stream
from lstta_core.methods.bottleneck import Bottleneck
from lstta_core.methods.dgsct import DGSCT
from lstta_core.methods.lavish import Lavish
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.methods.moka import MokA
from lstta_core.methods.projections import Units
from lstta_core.rates import parameter_groups

CLASSES, STEPS, WATCHED = 7, 300, 50
SIZES = {Modality.VISUAL: (3, 5), Modality.AUDIO: (3, 7), Modality.LANGUAGE: (1, 3)}


class Tokens:
    """Batches of tokens: a common part with three very large features, a part for each class, and noise."""

    def __init__(self, width: int) -> None:
        self.random = torch.Generator().manual_seed(1)
        self.common = {m: 3 * self.normal(width) for m in SIZES}
        for part in self.common.values():
            part[:3] += 40
        self.classes = {m: self.normal(CLASSES, width) for m in SIZES}

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.random)

    def batch(self, clips: int = 16) -> tuple[dict[Modality, Stream], Tensor]:
        streams, targets = {}, []
        for m, (segments, tokens) in SIZES.items():
            target = torch.randint(CLASSES, (clips,), generator=self.random)
            signal = self.common[m] + self.classes[m][target]
            x = signal[:, None, None] + self.normal(clips, segments, tokens, len(self.common[m]))
            streams[m] = Stream(x, torch.ones(x.shape[:3], dtype=torch.bool), torch.ones(clips, dtype=torch.bool))
            targets.append(target)
        return streams, torch.stack(targets).sum(0) % CLASSES


def dead_units(adapter: Adapter, width: int, rate: float) -> Mapping[str, float]:
    """The share of units that stay within 1e-3 of zero for every token of the last steps of a training."""
    most: dict[str, Tensor] = {}
    head = nn.Linear(width, CLASSES)
    optimizer = torch.optim.AdamW(parameter_groups(nn.ModuleList([adapter, head]), lr=rate), weight_decay=0.01)
    tokens = Tokens(width)
    for step in range(STEPS):
        if step == STEPS - WATCHED:
            for name, module in adapter.named_modules():
                if isinstance(module, Units):
                    module.register_forward_hook(_keeper(most, name))
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("full", group["lr"]) * min(1, (step + 1) / 20)
        streams, target = tokens.batch()
        adapter.measure(streams)
        after = adapter(streams).streams
        added = torch.stack([(after[m].tokens - streams[m].tokens).mean((1, 2)) for m in SIZES]).sum(0)
        optimizer.zero_grad()
        F.cross_entropy(head(added), target).backward()
        nn.utils.clip_grad_norm_([*adapter.parameters(), *head.parameters()], 1.0)
        optimizer.step()
    return {name: float((values < 1e-3).float().mean()) for name, values in most.items()}


def _keeper(most: dict[str, Tensor], name: str) -> object:
    def keep(module: nn.Module, inputs: tuple[Tensor, ...], values: Tensor) -> None:
        seen = values.detach().abs().flatten(0, -2).amax(0)
        most[name] = torch.maximum(most[name], seen) if name in most else seen

    return keep


@pytest.mark.parametrize("rate", [pytest.param(1e-3, marks=pytest.mark.slow), 3e-3])  # the higher one kills more
@pytest.mark.parametrize("width", [128, 768])
@pytest.mark.parametrize(
    "method",
    [LSTTA(width=31), Bottleneck(width=31), Lavish(width=32), MokA(r=31), DGSCT(width=32)],
    ids=lambda m: type(m).__name__,
)
def test_no_unit_is_dead_after_hundreds_of_steps(method: Method, width: int, rate: float) -> None:
    torch.manual_seed(0)
    adapter = method.adapter(Stage(index=1, count=1, widths=dict.fromkeys(SIZES, width)))
    assert adapter is not None
    dead = dead_units(adapter.train(), width, rate)
    assert dead, "nothing was watched"
    assert max(dead.values()) < 0.1, dead

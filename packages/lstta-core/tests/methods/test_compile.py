"""Every adapter of core compiles as one graph."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from lstta_core.compiling import torch_compiles
from lstta_core.interfaces import Adapter, Modality, Stage, Streams
from lstta_core.methods.bottleneck import BottleneckAdapter
from lstta_core.methods.dgsct import DGSCTAdapter
from lstta_core.methods.lavish import LavishAdapter
from lstta_core.methods.layers import Layers
from lstta_core.methods.lstta.adapter import LSTTAAdapter
from lstta_core.methods.moka import MokAAdapter

MAKERS: dict[str, Callable[[dict[Modality, int]], Adapter]] = {
    "lstta": lambda widths: LSTTAAdapter(widths=widths, width=8, heads=2, last=True),
    "bottleneck": lambda widths: BottleneckAdapter(widths=widths, width=3),
    "layers": lambda widths: Layers().adapter(Stage(1, 1, widths)),
    "layers, before the last": lambda widths: Layers().adapter(Stage(1, 2, widths)),
    "moka": lambda widths: MokAAdapter(widths=widths, r=3),
    "dgsct": lambda widths: DGSCTAdapter(widths=widths, last=True, width=4),
    "lavish": lambda widths: LavishAdapter(widths=widths, width=4),
}


@pytest.mark.skipif(not torch_compiles(), reason="this torch is too old")
@pytest.mark.parametrize("kind", list(MAKERS))
def test_no_graph_breaks_and_the_same_values_and_gradients(
    kind: str, widths: dict[Modality, int], make_streams: Callable[[], Streams]
) -> None:
    torch.manual_seed(0)
    adapter, streams = MAKERS[kind](widths).double(), make_streams()
    for parameter in adapter.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    torch.compiler.reset()
    compiled = torch.compile(adapter, fullgraph=True, backend="eager")
    gradients = []
    for run in (adapter, compiled):
        output = run(streams)
        loss = torch.stack([stream.tokens.sin().sum() for stream in output.streams.values()]).sum()
        for carried in (stream.carried for stream in output.streams.values() if stream.carried is not None):
            loss = loss + carried.sin().sum()
        for g in output.importances.values():
            loss = loss + (g * torch.arange(g.shape[1])).sum()
        gradients.append(torch.autograd.grad(loss, list(adapter.parameters())))
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-9, atol=1e-9)

"""What torch's own counter sees of a forward and a backward pass that really run: to check counted MACs against."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from lstta_core.profiling import Macs


def macs_by_torch(run: Callable[[], Tensor]) -> Macs:
    """MACs of the matrix products and convolutions of ``run``, and of the backward pass from what it gives, ().

    Attention is run as plain products, since this counter knows no fused attention of a CPU. It sees no products of
    vectors, and multiplies the weight gradients of grouped convolutions by their groups.
    """
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            loss = run()
        with FlopCounterMode(display=False) as backward:
            loss.backward()
    return Macs(forward.get_total_flops() // 2, backward.get_total_flops() // 2)

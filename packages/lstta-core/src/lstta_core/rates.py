"""The learning rate of each weight matrix, by how many inputs it has.

AdamW moves every weight by about the rate whatever its gradient, and all inputs of a matrix together: what comes out
moves by up to rate · Σ|x|, the more the wider the tokens. So a matrix has the rate times full / inputs, where it has
more than ``full`` inputs, as maximal update parametrisation (Yang et al. 2022, arXiv 2203.03466) has it. A rate that
suits one width then suits others. That 128 inputs have the full rate is our choice (decision 13).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from torch import nn

FULL = 128


def parameter_groups(model: nn.Module, *, lr: float, full: int | None = FULL) -> list[dict[str, Any]]:
    """What an optimizer takes: the parameters that want gradients, in groups of one rate each, the full rate first.

    Args:
        model: whose they are.
        lr: the full rate. Vectors, and tables of vectors, have it whatever their width.
        full: how many inputs a matrix may have for it; None gives all parameters the full rate.

    Raises:
        ValueError: ``full`` is no positive integer.
    """
    if full is not None and (type(full) is not int or full < 1):
        raise ValueError(f"how many inputs a matrix may have for the full rate: 1 or more, or None; got {full!r}")
    groups: dict[int, list[nn.Parameter]] = defaultdict(list)
    taken: set[nn.Parameter] = set()  # modules may share one, which an optimizer takes once
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad and parameter not in taken:
                taken.add(parameter)
                groups[0 if full is None else max(inputs(module, name, parameter) - full, 0)].append(parameter)
    return [
        {"params": params, "lr": lr if not more or full is None else lr * full / (full + more)}
        for more, params in sorted(groups.items())
    ]


def inputs(module: nn.Module, name: str, parameter: nn.Parameter) -> int:
    """How many inputs each output of a weight matrix or a convolution has; 1 for what is neither.

    A matrix is a parameter with two or more axes that is called weight, outputs first, and stands in no embedding.
    """
    if parameter.ndim < 2 or not name.endswith("weight") or isinstance(module, nn.Embedding | nn.EmbeddingBag):
        return 1
    return parameter[0].numel()

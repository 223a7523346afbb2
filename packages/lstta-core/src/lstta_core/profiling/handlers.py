"""How many multiply-accumulates (MACs) an operator of a traced graph needs, forward and backward.

Counted are products of tensors: linear maps, matrix products, convolutions, einsums and attention. What is counted is
the arithmetic of the operator as it is written: masked attention counts all its keys, padding counts as content, and
nothing is added for what a kernel computes again. Look-ups (embeddings, gathers) move memory and multiply nothing.

The backward rule: a product of a and b has one more product of the same size for each of the two that wants a gradient.
So a frozen layer behind something that trains costs 1× its forward MACs again (the gradient of its input), a layer that
trains 2×, the first one over frozen input 1×, and what lies before everything that trains costs nothing. Attention is
two products, q kᵀ and weights · v. A result that the output does not depend on has no backward.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from lstta_core.profiling.tracing import conv_flop_count, get_shape

Handle = Callable[[list[Any], list[Any]], Counter[str]]
"""The graph values of an operator's inputs and outputs to ``{FORWARD: MACs, BACKWARD: MACs}``."""

FORWARD, BACKWARD = "forward", "backward"


def product(macs: int, operands: Sequence[Any], output: Any) -> Counter[str]:
    """The MACs of a product of the operands (graph values), and of the gradients that they want."""
    gradients = sum(wants_gradient(operand) for operand in operands) if reaches_output(output) else 0
    return Counter({FORWARD: macs, BACKWARD: macs * gradients})


def wants_gradient(value: Any) -> bool:
    """Whether a value (of a graph) was computed from something that trains."""
    return bool(value.requires_grad())


def reaches_output(value: Any) -> bool:
    """Whether the first output of the graph depends on a value. What an operator changes in place counts as used."""
    seen, waiting = {value.debugName()}, [value]
    while waiting:
        for use in waiting.pop().uses():
            kind = use.user.kind()
            if kind in ("prim::Return", "prim::TupleConstruct"):  # of several outputs, the first is at place 0
                if use.offset == 0:
                    return True
                continue
            if kind.endswith("_") and not kind.endswith("__"):
                return True
            for output in use.user.outputs():
                if output.debugName() not in seen:
                    seen.add(output.debugName())
                    waiting.append(output)
    return False


def matmul(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """(…, n, k) by (…, k, m), a linear layer's (m, k), or vectors, broadcast: k for each value of the result."""
    left, right = inputs[:2]
    return product(prod(get_shape(outputs[0])) * get_shape(left)[-1], (left, right), outputs[0])


def added_matmul(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """addmm and baddbmm: the first input is what the product is added to."""
    return matmul(inputs[1:], outputs)


def convolution(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """Of any number of dimensions, grouped or transposed; a strided one counts where it is evaluated."""
    image, kernel = inputs[:2]
    transposed = inputs[6].toIValue()
    macs = conv_flop_count(get_shape(image), get_shape(kernel), get_shape(outputs[0]), transposed=transposed)
    return product(int(macs), (image, kernel), outputs[0])


def same_convolution(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """Padding given as a word."""
    image, kernel = inputs[:2]
    macs = conv_flop_count(get_shape(image), get_shape(kernel), get_shape(outputs[0]))
    return product(int(macs), (image, kernel), outputs[0])


def einsum(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """Of two tensors: one for each combination of all indices. The order of more than two decides their cost.

    Raises:
        ValueError: another number of operands.
    """
    equation, operands = inputs[0].toIValue().replace(" ", ""), list(inputs[1].node().inputs())
    terms = equation.partition("->")[0].split(",")
    if len(operands) != 2:
        raise ValueError(f"einsum {equation!r}: only those of two tensors are counted; write it as several")
    sizes: dict[str | int, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        shape = get_shape(operand)
        before, dots, after = term.partition("...")
        between = len(shape) - len(before) - len(after) if dots else 0
        # Axes under an ellipsis are aligned at their ends.
        names: list[str | int] = [*before, *range(-between, 0), *after]
        for name, size in zip(names, shape, strict=True):
            sizes[name] = max(size, sizes.get(name, 1))
    return product(prod(sizes.values()), operands, outputs[0])


def attention(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """``scaled_dot_product_attention``: q (…, Q, d), k (…, K, d), v (…, K, e), whatever the mask."""
    query, key, value = inputs[:3]
    keys, width = get_shape(key)[-2:]
    *rows, values = get_shape(outputs[0])
    scores, mixing = prod(rows) * keys * width, prod(rows) * keys * values
    counts = Counter({FORWARD: scores + mixing, BACKWARD: 0})
    if reaches_output(outputs[0]):
        compared = wants_gradient(query), wants_gradient(key)
        counts[BACKWARD] += mixing * (wants_gradient(value) + any(compared)) + scores * sum(compared)
    return counts


def fused_multi_head_attention(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    """The fast path of ``nn.MultiheadAttention``, which has no backward: four projections and attention."""
    (batch, queries, width), keys = get_shape(inputs[0]), get_shape(inputs[1])[1]
    return Counter({FORWARD: batch * (2 * queries + 2 * keys) * width**2 + 2 * batch * queries * keys * width})


HANDLERS: dict[str, Handle] = {
    "aten::linear": matmul,
    "aten::matmul": matmul,
    "aten::mm": matmul,
    "aten::bmm": matmul,
    "aten::mv": matmul,
    "aten::dot": matmul,
    "aten::addmm": added_matmul,
    "aten::baddbmm": added_matmul,
    "aten::_convolution": convolution,
    "aten::_convolution_mode": same_convolution,
    "aten::einsum": einsum,
    "aten::scaled_dot_product_attention": attention,
    "aten::_native_multi_head_attention": fused_multi_head_attention,
}

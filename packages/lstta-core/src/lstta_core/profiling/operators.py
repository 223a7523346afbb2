"""Operators without products: which cost nothing worth naming, and which nobody may leave uncounted."""

from __future__ import annotations

import re

PRODUCTS = re.compile(
    r"attention|attn|transformer|matmul|mm$|conv|(:|_)linear$|:bilinear$|trilinear$|einsum|tensordot|lstm|gru|rnn|cdist"
    r"|:(mv|addmv|dot|vdot|inner|outer|ger|addr|kron)$"
)

FREE = tuple(
    f"aten::{name}"
    for name in (
        # views, and what only moves memory
        "alias clone embedding expand_as index_add index_select masked_select movedim numpy_T numel pad pixel_shuffle "
        "real repeat repeat_interleave scatter scatter_ select_scatter slice_scatter swapaxes tile unflatten unfold "
        "unsafe_chunk view_as view_as_real where reshape_as ravel flip im2col meshgrid tensor_split hstack vstack "
        # new tensors
        "fill_ zero_ masked_fill_ ones_like new_ones new_tensor rand randn linspace eye full_like scalar_tensor "
        "lift_fresh tril triu tril_ triu_ empty_like "
        # comparisons, booleans and integers
        "le lt ne __or__ __xor__ __iand__ __ior__ any all logical_and logical_or logical_not logical_xor "
        "bitwise_and bitwise_or argmax argmin argsort sort topk bucketize isinf isnan isfinite one_hot sign "
        "Bool Float IntImplicit FloatImplicit item is_nonzero __getitem__ len dim "
    ).split()
)
"""Beside those that fvcore ignores by itself."""


def must_be_counted(kind: str) -> bool:
    """Whether an operator without a handler may hide products: by its name, or since nothing is known of it.

    Args:
        kind: as a trace has it, ``"aten::softmax"``; ``"prim::PythonOp.Name"`` for an autograd function.
    """
    return not kind.startswith("aten::") or PRODUCTS.search(kind) is not None

"""Operators without a handler: which cost nothing worth naming, and which nobody may leave uncounted."""

from __future__ import annotations

import re

PRODUCTS = re.compile(
    r"attention|attn|transformer|matmul|mm$|conv|(:|_)linear$|:bilinear$|trilinear$|einsum|tensordot|lstm|gru|rnn|cdist"
    r"|:(mv|addmv|dot|vdot|inner|outer|ger|addr|kron)$"
)
"""What multiplies tensors, by name."""

FREE = re.compile(
    r"aten::("
    # views, and what only moves memory
    r"alias|clone|diff|embedding|expand_as|flip|hstack|im2col|index_add|index_select|masked_select|meshgrid|movedim"
    r"|numpy_T|numel|pad|pixel_shuffle|ravel|real|repeat|repeat_interleave|reshape_as|scatter_?|select_scatter"
    r"|slice_scatter|swapaxes|tensor_split|tile|unflatten|unfold|unsafe_chunk|view_as|view_as_real|vstack|where"
    # new tensors
    r"|empty_like|eye|fill_|lift_fresh|linspace|masked_fill_|new_ones|new_tensor|ones_like|rand|randn|scalar_tensor"
    r"|tril_?|triu_?|zero_"
    # comparisons, booleans, integers and numbers of Python
    r"|all|any|argmax|argmin|argsort|bitwise_and|bitwise_or|bucketize|isfinite|isinf|isnan|le|logical_and|logical_not"
    r"|logical_or|logical_xor|lt|ne|one_hot|sign|sort|topk|__i?x?or__|__i?and__"
    r"|Bool|Float|FloatImplicit|IntImplicit|dim|is_nonzero|item|len|__getitem__"
    r")$"
)
"""What multiplies nothing at all, beside what fvcore ignores by itself."""


def must_be_counted(kind: str) -> bool:
    """Whether an operator without a handler may hide products: by its name, or since nothing is known of it.

    Args:
        kind: as a trace has it, ``"aten::softmax"``; ``"prim::PythonOp.Name"`` for an autograd function.
    """
    return not kind.startswith("aten::") or PRODUCTS.search(kind) is not None

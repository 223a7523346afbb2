"""Frozen weights in 8 or 4 bits: what linear layers and look-up tables keep, and how they compute with it.

Weights alone are in few bits. A product restores its matrix to the precision of its tokens, and again in the backward
pass, which gives tokens a gradient: nothing wide is kept between the two. 8 bits are integers with a scale a row, 4
bits are NF4 (QLoRA, arXiv 2305.14314) by bitsandbytes with a scale for 64 weights. Norms and biases stay as they are.
Why these two: docs/decisions.
"""

from __future__ import annotations

import ctypes
import sys
from importlib.util import find_spec
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

Bits = Literal["int8", "nf4"]
BITS: tuple[Bits, ...] = ("int8", "nf4")
PLAIN = (nn.Conv1d, nn.Conv2d)
BLOCK = 64
"""Weights that share a scale in NF4."""


def quantize(module: nn.Module, bits: Bits) -> None:
    """Replace the linear layers, the convolutions and the look-up tables of a module, and give their memory back.

    Convolutions and tables are in 8 bits in either case. Subclasses, which may compute in another way, are left alone.

    Raises:
        ValueError: 4 bits are wanted, and bitsandbytes is not installed.
    """
    if bits == "nf4" and find_spec("bitsandbytes") is None:
        raise ValueError("4 bits need bitsandbytes, which is not installed: pip install 'lstta-core[nf4]', or say int8")
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Linear:
                setattr(parent, name, Linear8(child) if bits == "int8" else Linear4(child))
            elif type(child) is nn.Embedding:
                setattr(parent, name, Embedding8(child))
            elif isinstance(child, nn.Conv1d | nn.Conv2d) and type(child) in PLAIN and child.padding_mode == "zeros":
                setattr(parent, name, Conv8(child))
    _give_back()


def is_quantized(module: nn.Module) -> bool:
    """Whether some of its weights are in 8 or 4 bits."""
    return any(isinstance(part, _Quantized) for part in module.modules())


class _Quantized(nn.Module):
    """What the layers have in common.

    Attributes:
        quantized: int8; in 4 bits two weights in each.
        scale: float32.
    """

    quantized: nn.Parameter
    scale: Tensor

    def restored(self, dtype: torch.dtype) -> Tensor:
        """The weights as they compute, (out, in) or (rows, width)."""
        raise NotImplementedError

    @property
    def weight(self) -> Tensor:
        """In float32, made anew each time: for libraries that look at it."""
        return self.restored(torch.float32)

    def _keep(self, quantized: Tensor, scale: Tensor) -> None:
        self.quantized = nn.Parameter(quantized, requires_grad=False)
        self.register_buffer("scale", scale)


class _Linear(nn.Linear, _Quantized):
    """A linear layer, which methods that wrap those still find."""

    def __init__(self, linear: nn.Linear) -> None:
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.bias = linear.bias

    def forward(self, input: Tensor) -> Tensor:
        kind = input.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else input.dtype
        product: Tensor = _Product.apply(input.to(dtype), self, None if self.bias is None else self.bias.to(dtype))
        return product


class Linear8(_Linear):
    """In 8 bits: of each row the largest weight is 127 of its scale, nothing is cut off."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__(linear)
        self._keep(*_in_8_bits(linear.weight))

    def restored(self, dtype: torch.dtype) -> Tensor:
        return self.quantized.to(dtype) * self.scale.to(dtype)


class Linear4(_Linear):
    """In 4 bits: the 16 quantiles of a normal distribution, between the largest weights of a block."""

    code: Tensor

    def __init__(self, linear: nn.Linear) -> None:
        from bitsandbytes.functional import quantize_4bit

        super().__init__(linear)
        weight = linear.weight.detach().float().contiguous()
        packed, state = quantize_4bit(weight, blocksize=BLOCK, quant_type="nf4")
        self._keep(packed.view(torch.int8), state.absmax)
        self.register_buffer("code", state.code)

    def restored(self, dtype: torch.dtype) -> Tensor:
        from bitsandbytes.functional import QuantState, dequantize_4bit

        shape = torch.Size((self.out_features, self.in_features))
        state = QuantState(
            absmax=self.scale, shape=shape, code=self.code, blocksize=BLOCK, quant_type="nf4", dtype=dtype
        )
        return dequantize_4bit(self.quantized.view(torch.uint8), state)


class Conv8(_Quantized):
    """A convolution in 8 bits, with a scale for each channel that it gives."""

    def __init__(self, conv: nn.Conv1d | nn.Conv2d) -> None:
        super().__init__()
        self.shape, self.bias = conv.weight.shape, conv.bias
        self.options = (conv.stride, conv.padding, conv.dilation, conv.groups)
        self._keep(*_in_8_bits(conv.weight.flatten(1)))

    def forward(self, input: Tensor) -> Tensor:
        convolve: Any = F.conv1d if len(self.shape) == 3 else F.conv2d
        convolved: Tensor = convolve(input, self.restored(input.dtype), self.bias, *self.options)
        return convolved

    def restored(self, dtype: torch.dtype) -> Tensor:
        return (self.quantized.to(dtype) * self.scale.to(dtype)).view(self.shape)


class Embedding8(nn.Embedding, _Quantized):
    """A look-up table in 8 bits, of which only the rows that are looked up are restored."""

    def __init__(self, table: nn.Embedding) -> None:
        nn.Module.__init__(self)
        self.num_embeddings, self.embedding_dim = table.num_embeddings, table.embedding_dim
        self.padding_idx = table.padding_idx
        self._keep(*_in_8_bits(table.weight))

    def forward(self, input: Tensor) -> Tensor:
        return self.quantized[input] * self.scale[input]

    def restored(self, dtype: torch.dtype) -> Tensor:
        return self.quantized.to(dtype) * self.scale.to(dtype)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"


def _give_back() -> None:
    """Have the C library give freed memory back, which glibc keeps where smaller pieces lie behind it."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def _in_8_bits(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Integers from −127 to 127, and the scale of each row, (rows, 1)."""
    values = weight.detach().float()
    scale = values.abs().amax(1, keepdim=True) / 127
    return (values / scale.clamp_min(torch.finfo(torch.float32).tiny)).round().to(torch.int8), scale


class _Product(torch.autograd.Function):
    """``values @ weight.T + bias``, keeping neither values nor weights for the backward pass."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, layer: _Linear, bias: Tensor | None) -> Tensor:
        ctx.layer = layer
        return F.linear(values, layer.restored(values.dtype), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, Tensor | None]:
        to_bias = grad.flatten(0, -2).sum(0) if ctx.needs_input_grad[2] else None
        return grad @ ctx.layer.restored(grad.dtype), None, to_bias

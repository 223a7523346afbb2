"""The network of BEATs (Chen et al. 2022, arXiv 2212.09058), its parameters named as published checkpoints name them.

Shapes: R rows, M patches, D the width, H heads, d = D / H.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What a checkpoint's ``cfg`` says of the network, by its own names; the defaults are the published code's."""

    input_patch_size: int = 16
    embed_dim: int = 512
    conv_bias: bool = False
    encoder_layers: int = 12
    encoder_embed_dim: int = 768
    encoder_ffn_embed_dim: int = 3072
    encoder_attention_heads: int = 12
    deep_norm: bool = False
    conv_pos: int = 128
    conv_pos_groups: int = 16
    num_buckets: int = 320
    max_distance: int = 1280


class Attention(nn.Module):
    """Self-attention whose position bias each query gates (Chi et al. 2022, in XLM-E).

    With q a head's query before scaling, (a, b) = σ of the sums of each half of its projection to 8, and the head's c:
    the bias counts a (b c − 1) + 2 times.
    """

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))
        self.grep_linear = nn.Linear(width // heads, 8)
        self.grep_a = nn.Parameter(torch.ones(1, heads, 1, 1))

    def forward(self, tokens: Tensor, bias: Tensor, mask: Tensor) -> Tensor:
        """(R, M, D), the bias (H, M, M), and which tokens may be attended to (R, M), bool, at least one a row."""
        q, k, v = (
            project(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        gate_a, gate_b = self.grep_linear(q).unflatten(3, (2, 4)).sum(4).sigmoid().split(1, dim=3)
        gated = (gate_a * (gate_b * self.grep_a - 1) + 2) * bias
        gated = gated.masked_fill(~mask[:, None, None], -torch.inf)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=gated)
        projected: Tensor = self.out_proj(attended.transpose(1, 2).flatten(2))
        return projected


class Layer(nn.Module):
    """A post-norm block whose residuals count ``alpha`` times: DeepNorm (Wang et al. 2022), or 1."""

    def __init__(self, *, width: int, heads: int, inner: int, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.self_attn = Attention(width=width, heads=heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, bias: Tensor, mask: Tensor) -> Tensor:
        """As :meth:`Attention.forward`."""
        tokens = self.self_attn_layer_norm(self.alpha * tokens + self.self_attn(tokens, bias, mask))
        tokens = self.final_layer_norm(self.alpha * tokens + self.fc2(F.gelu(self.fc1(tokens))))
        return tokens


class Transformer(nn.Module):
    """Positions convolved over the patches, the blocks, and the position bias that all of them share."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, layers = sizes.encoder_embed_dim, sizes.encoder_layers
        self.buckets, self.distance = sizes.num_buckets, sizes.max_distance
        self.pos_conv = nn.Conv1d(
            width, width, sizes.conv_pos, padding=sizes.conv_pos // 2, groups=sizes.conv_pos_groups
        )
        self.layer_norm = nn.LayerNorm(width)
        self.relative_attention_bias = nn.Embedding(sizes.num_buckets, sizes.encoder_attention_heads)
        alpha = (2 * layers) ** 0.25 if sizes.deep_norm else 1.0
        heads, inner = sizes.encoder_attention_heads, sizes.encoder_ffn_embed_dim
        self.layers = nn.ModuleList(Layer(width=width, heads=heads, inner=inner, alpha=alpha) for _ in range(layers))

    def placed(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(R, M, D) with their positions; what is not heard is silence, so that it moves nothing."""
        tokens = tokens.masked_fill(~mask[..., None], 0)
        places = self.pos_conv(tokens.transpose(1, 2))[..., : tokens.shape[1]]  # an even kernel gives one too many
        normed: Tensor = self.layer_norm(tokens + F.gelu(places).transpose(1, 2))
        return normed

    def bias(self, count: int) -> Tensor:
        """(H, M, M) for M = ``count``: by the distance of key and query, near ones exactly, as in T5."""
        place = torch.arange(count, device=self.relative_attention_bias.weight.device)
        offset = place - place[:, None]
        half = self.buckets // 2
        exact = half // 2
        distance = offset.abs()
        far = (distance.float() / exact).log() / math.log(self.distance / exact) * (half - exact)
        far = (exact + far.clamp(min=0).long()).clamp(max=half - 1)
        bucket = torch.where(distance < exact, distance, far) + half * (offset > 0)
        values: Tensor = self.relative_attention_bias(bucket)
        return values.permute(2, 0, 1)


class Network(nn.Module):
    """Patches of filter banks to tokens, and the transformer."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        side = sizes.input_patch_size
        self.patch_embedding = nn.Conv2d(1, sizes.embed_dim, side, stride=side, bias=sizes.conv_bias)
        self.layer_norm = nn.LayerNorm(sizes.embed_dim)
        same = sizes.embed_dim == sizes.encoder_embed_dim
        self.post_extract_proj = None if same else nn.Linear(sizes.embed_dim, sizes.encoder_embed_dim)
        self.encoder = Transformer(sizes)

    def patches(self, banks: Tensor) -> Tensor:
        """(R, frames, mels) to (R, M, D): whole patches alone, and those of one time side by side, low ones first."""
        tokens = self.layer_norm(self.patch_embedding(banks[:, None]).flatten(2).transpose(1, 2))
        return tokens if self.post_extract_proj is None else self.post_extract_proj(tokens)

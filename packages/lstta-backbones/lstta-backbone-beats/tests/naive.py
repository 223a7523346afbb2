"""BEATs in loops, in float64, one sound at a time: from the paper (arXiv 2212.09058) and the published layout.

Filter banks follow Kaldi's documentation; DeepNorm is of Wang et al. 2022, the gated relative position bias of Chi et
al. 2022 (XLM-E), the buckets of distances of Raffel et al. 2020 (T5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def banks(sound: NDArray[np.int16]) -> Array:
    """(frames, 128)."""

    def mel(hertz: float) -> float:
        return 1127 * math.log(1 + hertz / 700)

    edges = [mel(20) + k * (mel(8000) - mel(20)) / 129 for k in range(130)]
    filters = np.zeros((128, 257))
    for band in range(128):
        left, centre, right = edges[band : band + 3]
        for place in range(257):
            here = mel(place * 16000 / 512)
            if left < here < right:
                up = (here - left) / (centre - left)
                filters[band, place] = up if here <= centre else (right - here) / (right - centre)
    rows = []
    for begin in range(0, len(sound) - 400 + 1, 160):
        frame = sound[begin : begin + 400].astype(float)
        frame -= frame.mean()
        sharp = [frame[i] - 0.97 * frame[max(i - 1, 0)] for i in range(400)]
        shaped = [sharp[i] * (0.5 - 0.5 * math.cos(2 * math.pi * i / 399)) ** 0.85 for i in range(400)]
        power = np.abs(np.fft.rfft(shaped, 512)) ** 2
        rows.append([(math.log(max(f @ power, 2**-23)) - 15.41663) / (2 * 6.55582) for f in filters])
    return np.array(rows)


def norm(values: Array, weights: Mapping[str, Array], name: str) -> Array:
    centred = values - values.mean()
    return centred / math.sqrt((centred**2).mean() + 1e-5) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(values: Array, weights: Mapping[str, Array], name: str) -> Array:
    return weights[f"{name}.weight"] @ values + weights[f"{name}.bias"]


def gelu(values: Array) -> Array:
    return np.array([x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in values])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def bucket(offset: int, buckets: int, furthest: int) -> int:
    """Half of them for what comes later; half of each half exact, the rest in logarithmic steps."""
    half = buckets // 2
    first = half if offset > 0 else 0
    distance, exact = abs(offset), half // 2
    if distance < exact:
        return first + distance
    step = math.log(distance / exact) / math.log(furthest / exact) * (half - exact)
    return first + min(exact + int(step), half - 1)


def convolved(tokens: list[Array], weights: Mapping[str, Array], groups: int) -> list[Array]:
    """Each token with what a grouped convolution over its neighbours makes of them."""
    scale, towards = weights["encoder.pos_conv.0.weight_g"], weights["encoder.pos_conv.0.weight_v"]
    width, inner, kernel = towards.shape
    table = np.zeros_like(towards)
    for k in range(kernel):
        table[:, :, k] = scale[0, 0, k] * towards[:, :, k] / math.sqrt((towards[:, :, k] ** 2).sum())
    after = []
    for place, token in enumerate(tokens):
        moved = weights["encoder.pos_conv.0.bias"].copy()
        for out in range(width):
            begin = out // (width // groups) * inner
            for k in range(kernel):
                at = place + k - kernel // 2
                if 0 <= at < len(tokens):
                    moved[out] += table[out, :, k] @ tokens[at][begin : begin + inner]
        after.append(token + gelu(moved))
    return after


def attended(tokens: list[Array], weights: Mapping[str, Array], name: str, cfg: Mapping[str, Any]) -> list[Array]:
    heads = cfg["encoder_attention_heads"]
    size = len(tokens[0]) // heads
    q, k, v = ([linear(token, weights, f"{name}.{part}_proj") for token in tokens] for part in "qkv")
    table = weights[f"{name}.relative_attention_bias.weight"]
    gathered = [np.zeros_like(token) for token in tokens]
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        for i in range(len(tokens)):
            eight = linear(q[i][own], weights, f"{name}.grep_linear")
            first, second = sigmoid(sum(eight[:4])), sigmoid(sum(eight[4:]))
            gate = first * (second * weights[f"{name}.grep_a"][0, head, 0, 0] - 1) + 2
            scores = []
            for j in range(len(tokens)):
                bias = table[bucket(j - i, cfg["num_buckets"], cfg["max_distance"]), head]
                scores.append(q[i][own] @ k[j][own] / math.sqrt(size) + gate * bias)
            shares = [math.exp(score - max(scores)) for score in scores]
            gathered[i][own] = sum(share / sum(shares) * v[j][own] for j, share in enumerate(shares))
    return [linear(token, weights, f"{name}.out_proj") for token in gathered]


def states(sound: NDArray[np.int16], weights: Mapping[str, Array], cfg: Mapping[str, Any]) -> list[Array]:
    """(M, D) before the first block and after each."""
    picture, side = banks(sound), cfg["input_patch_size"]
    tokens = []
    for row in range(len(picture) // side):
        for column in range(128 // side):
            patch = picture[row * side : (row + 1) * side, column * side : (column + 1) * side]
            made = np.array([(kernel[0] * patch).sum() for kernel in weights["patch_embedding.weight"]])
            made = norm(made + weights.get("patch_embedding.bias", 0), weights, "layer_norm")
            tokens.append(linear(made, weights, "post_extract_proj") if "post_extract_proj.bias" in weights else made)
    tokens = [norm(x, weights, "encoder.layer_norm") for x in convolved(tokens, weights, cfg["conv_pos_groups"])]
    seen = [np.array(tokens)]
    alpha = (2 * cfg["encoder_layers"]) ** 0.25 if cfg["deep_norm"] else 1
    for index in range(cfg["encoder_layers"]):
        name = f"encoder.layers.{index}"
        read = attended(tokens, weights, f"{name}.self_attn", cfg)
        tokens = [
            norm(alpha * x + y, weights, f"{name}.self_attn_layer_norm") for x, y in zip(tokens, read, strict=True)
        ]
        inner = [linear(gelu(linear(x, weights, f"{name}.fc1")), weights, f"{name}.fc2") for x in tokens]
        tokens = [norm(alpha * x + y, weights, f"{name}.final_layer_norm") for x, y in zip(tokens, inner, strict=True)]
        seen.append(np.array(tokens))
    return seen

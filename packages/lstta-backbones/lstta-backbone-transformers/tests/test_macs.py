"""The MACs of every family: the analytic count, and what torch's own counter sees of a training step.

The input is a clip of five segments: 5 frames unless the case has more, 5 s of sound at most, a text of 5 ids.
"""

from __future__ import annotations

from typing import Any

import torch
import transformers
from torch import Tensor

from lstta_core import Bottleneck, TrimodalModel, TrimodalOutput
from lstta_core.profiling import count_macs
from lstta_core.testing import synthetic_inputs
from lstta_core.testing.torch_counter import macs_by_torch

DEPTH, D, F = 3, 14, 13
"""Of most small models: blocks, width of tokens, width inside the perceptron."""


def block(tokens: int, width: int = D, inner: int = F) -> int:
    """q, k, v and out; two products of attention over all tokens; a perceptron of two layers."""
    return 4 * tokens * width**2 + 2 * tokens**2 * width + 2 * tokens * width * inner


def patches(count: int, width: int = D, values: int = 3 * 5 * 5) -> int:
    """A picture's patches, each a vector of so many values, to tokens."""
    return count * width * values


def window_block(tokens: int, width: int, window: int, ratio: int, padded: int | None = None) -> int:
    """Attention within windows of ``window`` tokens, of a grid padded to whole windows."""
    padded = tokens if padded is None else padded
    return 4 * padded * width**2 + 2 * padded * window * width + 2 * tokens * width * ratio * width


def position_bias(heads: int) -> int:
    """Swin V2's: a perceptron of 512 over the 5 × 5 offsets within a window, whatever the number of rows."""
    return 25 * (2 * 512 + 512 * heads)


def merging(tokens: int, width: int) -> int:
    """Four tokens of this width to one of twice the width; ``tokens`` after it."""
    return tokens * 4 * width * 2 * width


def wave(samples: int, *, gated: bool = False) -> int:
    """wav2vec types: two convolutions, a projection, convolved positions (two groups), blocks; WavLM's gates."""
    first = (samples - 11) // 7 + 1
    tokens = (first - 3) // 2 + 1
    front = first * 5 * 11 + tokens * 7 * 5 * 3 + tokens * 7 * D + tokens * D * (D // 2) * 5
    gates = tokens * D * 8 if gated else 0
    return front + DEPTH * (block(tokens) + gates)


def clap(frames: int = 59) -> int:
    """Mel bands of the frames, a picture of 8 × 8 patches, Swin blocks of 2 × 2 windows."""
    stages = 2 * window_block(64, 6, 4, 4) + merging(16, 6) + window_block(16, 12, 4, 4) + merging(4, 12)
    return frames * 33 * 16 + patches(64, 6, 4 * 4) + stages + window_block(4, 24, 4, 4)


def deberta(tokens: int = 5, offsets: int = 10) -> int:
    """Blocks with the offsets projected twice, and a product of content with offsets each way."""
    return DEPTH * (block(tokens) + 2 * offsets * D**2 + 2 * tokens * offsets * D)


def decoder(tokens: int = 5, width: int = 24) -> int:
    """Half as many heads of keys and values as of queries; a gated perceptron."""
    attention = tokens * 3 * width**2 + 2 * tokens**2 * width
    return DEPTH * (attention + 3 * tokens * width * F)


def perception(tokens: int) -> int:
    """PE-AV's transformer: two convolutions over three tokens, gated blocks, and a projection."""
    gated = 4 * tokens * 12**2 + 2 * tokens**2 * 12 + 3 * tokens * 12 * F
    return 2 * tokens * 3 * 12**2 + DEPTH * gated + tokens * 12**2


def codec(samples: int) -> int:
    """DAC's encoder: a convolution, twice three units of two and a stride, a convolution; then to 5 and to 12."""

    def units(places: int, width: int) -> int:
        return 3 * places * (7 + 1) * width**2

    half, steps = samples // 2, samples // 20
    first = samples * 7 * 3 + units(samples, 3) + half * 4 * 3 * 6
    return first + units(half, 6) + steps * 20 * 6 * 12 + steps * 3 * 12**2 + 2 * steps * 12 * 5


RESIZED = 15 * 4**2 * D if tuple(map(int, transformers.__version__.split(".")[:2])) >= (5, 24) else 0
"""SigLIP 2 resizes a grid of 4 × 4 places to its patches: by a product of matrices from transformers 5.24 on."""
SWIN = (
    5 * (patches(324, 6, 3 * 2 * 2) + 2 * window_block(324, 6, 9, 2) + merging(81, 6))
    + 5 * (window_block(81, 12, 9, 2) + merging(25, 12) + 2 * window_block(25, 24, 9, 2, padded=36))
    + 2 * position_bias(1)
    + position_bias(2)
    + 2 * position_bias(3)
)
BERT = DEPTH * block(5)


def mels(frames: int, bins: int, bands: int) -> int:
    """Of a picture of sound: the spectrum of each frame to bands."""
    return 5 * frames * bins * bands


EXPECTED = {
    "vit": 5 * (patches(9) + DEPTH * block(10)),
    "vit-resized": 10 * (patches(10) + DEPTH * block(11)),
    "clip-vision": 5 * (patches(9) + DEPTH * block(10)),
    "siglip-vision": 5 * (patches(9) + DEPTH * block(9)),
    "siglip2-vision": 5 * (patches(15) + DEPTH * block(15)) + RESIZED,
    "dinov2": 5 * (patches(12) + DEPTH * block(13, inner=4 * D)),
    "dinov3": 5 * (patches(12, 24) + DEPTH * block(15, 24)),
    "swinv2": SWIN,
    "videomae": patches(45, values=3 * 2 * 25) + DEPTH * block(45),
    "videomae-filled": 4 * (patches(27, values=3 * 2 * 25) + DEPTH * block(27)),
    "ast": 99 * 257 * 128 + patches(130, values=5 * 5) + DEPTH * block(132),
    "whisper": 226 * 17 * 11 + 226 * D * 11 * 3 + 113 * D * D * 3 + DEPTH * block(113),
    "wav2vec2-group": 5 * wave(1000),
    "wav2vec2-layer": wave(5000),
    "hubert-group": 5 * wave(1000),
    "hubert-layer": wave(5000),
    "wavlm-group": 5 * wave(1000, gated=True),
    "wavlm-layer": wave(5000, gated=True),
    "clap-audio-fused": clap(),
    "clap-audio-unfused": 5 * clap(),
    "vit-hears": mels(14, 2049, 15) + 5 * (patches(9) + DEPTH * block(10)),
    "clip-hears": mels(14, 2049, 15) + 5 * (patches(9) + DEPTH * block(10)),
    "dinov2-hears": mels(24, 1025, 15) + 5 * (patches(15) + DEPTH * block(16, inner=4 * D)),
    "dinov3-hears": mels(19, 257, 15) + 5 * (patches(12, 24) + DEPTH * block(15, 24)),
    "swinv2-hears": mels(35, 257, 36) + SWIN,
    "pe-audio": 5 * (codec(1000) + perception(51)),
    "pe-av-audio": codec(5000) + perception(251),
    "pe-av-video": 10 * (patches(9) + DEPTH * block(10) + D * 7 + 7 * 12 + 12**2) + perception(11),
    "bert": BERT,
    "roberta": BERT,
    "xlm-roberta": BERT,
    "clap-text": BERT,
    "mpnet": BERT,
    "deberta-v2": deberta(),
    "deberta-v2-conv": deberta() + 5 * D * D * 3,
    "modernbert": DEPTH * (4 * 5 * 12**2 + 2 * 5**2 * 12 + 3 * 5 * 12 * F),
    "t5": DEPTH * (4 * 5 * D * 15 + 2 * 5**2 * 15 + 2 * 5 * D * F),
    "clip-text": DEPTH * block(5),
    "clip-text-old": DEPTH * block(5),
    "siglip-text": DEPTH * block(17),
    "siglip2-text": DEPTH * block(17),
    "qwen2": decoder(),
    "qwen3": decoder(),
    "llama": decoder(),
}


def loss(output: TrimodalOutput) -> Tensor:
    return torch.stack([stream.tokens.square().mean() for stream in output.streams.values()]).sum()


def test_macs_are_the_analytic_count_and_what_torch_counts(case: Any) -> None:
    encoder = case.encoder(case.library())
    model = TrimodalModel({encoder.modality: encoder})
    model.add_adapter("first", Bottleneck(width=8))
    inputs = {encoder.modality: synthetic_inputs(encoder.spec, batch=1, segments=5, ragged=False)}
    counted = count_macs(model, inputs, loss=loss)
    assert counted.parts[f"{encoder.modality} encoder",].forward == EXPECTED[case.name]
    assert counted.total == macs_by_torch(lambda: loss(model(inputs)))

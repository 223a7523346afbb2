"""BEATs as an encoder: segments by themselves, or clips as wholes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, final

import torch
from torch import Tensor, nn

from lstta_backbone_beats.checkpoint import load
from lstta_backbone_beats.fbank import FRAME, HOP, MELS, RATE, fbank
from lstta_backbone_beats.network import Network
from lstta_core.interfaces import AudioSpec, Encoder, EncoderState, Modality
from lstta_core.streams import Layout


@final
class Beats(Encoder):
    """Sound in, a token for each patch of 16 frames (.16 s) × 16 of 128 bands, 50 a second.

    A patch is heard where all of its frames lie within the sound, as in the published code for a sound by itself;
    there, in a batch, bands of a sound's last patch may count although part of it is padding. What is not heard has
    no part in positions and attention, so padding moves nothing.

    Args:
        network: with its weights.
        span: ``"clip"`` to hear the segments of a clip end to end, when a token belongs to the segment that sounds at
            its centre, or ``"segment"`` to hear each by itself.
        name: of the weights.

    Raises:
        ValueError: the span is neither.
    """

    modality = Modality.AUDIO
    spec: AudioSpec

    def __init__(self, network: Network, *, span: Literal["segment", "clip"] = "clip", name: str | None = None) -> None:
        super().__init__()
        if span not in ("segment", "clip"):
            raise ValueError(f"span must be 'segment' or 'clip', got {span!r}")
        self.network, self.name = network, name
        self.spec = AudioSpec(sample_rate=RATE, span=span)
        (self.side, _), layers = network.patch_embedding.kernel_size, network.encoder.layers
        self.widths = (network.encoder.layer_norm.normalized_shape[0],) * len(layers)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        """
        Raises:
            ValueError: rows are shorter than a patch.
        """
        sound, length = inputs["sound"], inputs["length"]
        segments = sound.shape[1]
        if self.spec.span == "clip":
            ends = length.cumsum(1)
            sound, length = _end_to_end(sound, length, ends), ends[:, -1]
        else:
            ends, sound, length = None, sound.flatten(0, 1), length.flatten()
        step = self.side * HOP
        whole = step - HOP + FRAME
        if sound.shape[1] < whole:
            raise ValueError(
                f"BEATs needs at least {whole} samples ({1000 * whole / RATE:.0f} ms) a row, got {sound.shape[1]}: use "
                "longer segments, or span='clip'"
            )
        weight = self.network.patch_embedding.weight
        with torch.autocast(sound.device.type, enabled=False):
            banks = fbank(sound)
        tokens = self.network.patches(banks.to(weight.dtype))
        bands = MELS // self.side
        begins = torch.arange(tokens.shape[1], device=sound.device) // bands * step
        mask = begins + whole <= length[:, None]
        state = {"bias": self.network.encoder.bias(tokens.shape[1])}
        tokens = self.network.encoder.placed(tokens, mask)
        if ends is None:
            own = torch.arange(segments, device=sound.device).repeat(len(mask) // segments)[:, None]
            return EncoderState(tokens, mask, Layout.regular(own.where(mask, -1), segments, segments), state)
        centres = (begins + whole // 2).expand(len(mask), -1).contiguous()
        segment = torch.searchsorted(ends, centres, right=True).where(mask, -1)
        return EncoderState(tokens, mask, Layout.ragged(segment, segments, 1), state)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        readable = state.mask | ~state.mask.any(1, keepdim=True)  # a softmax over nothing is not a number
        return state.with_tokens(self.network.encoder.layers[index](state.tokens, state.extras["bias"], readable))

    def block(self, index: int) -> nn.Module:
        return self.network.encoder.layers[index]

    def finish(self, state: EncoderState) -> Tensor:
        return state.tokens


def _end_to_end(sound: Tensor, length: Tensor, ends: Tensor) -> Tensor:
    """(B, T, n) to (B, T n): what is valid of each segment, one after the other, and zeros."""
    batch, segments, samples = sound.shape
    at = torch.arange(segments * samples, device=sound.device).expand(batch, -1).contiguous()
    segment = torch.searchsorted(ends, at, right=True).clamp(max=segments - 1)
    source = segment * samples + at - (ends - length).gather(1, segment)
    return sound.flatten(1).gather(1, source.clamp(max=segments * samples - 1)) * (at < ends[:, -1:])


def beats(*, model: str | Path, span: Literal["segment", "clip"] = "clip") -> Beats:
    """BEATs from a published checkpoint file.

    Args:
        model: its path, such as ``BEATs_iter3_plus_AS2M.pt``.
        span: see :class:`Beats`.

    Raises:
        FileNotFoundError, ValueError: see ``checkpoint``.
    """
    path = Path(model).expanduser()
    return Beats(load(path), span=span, name=path.stem)

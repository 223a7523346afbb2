"""Three small encoders of unequal depth and width, and inputs for them. Random weights; no two dimensions alike.

Between them they have what real ones have: class tokens, a layout that changes (the visual one merges tokens and widens
half way), a ragged layout (the audio one hears the whole clip), padding, dropout and batch normalisation.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.interfaces import (
    AudioSpec,
    Encoder,
    EncoderState,
    LanguageSpec,
    Modality,
    VisualSpec,
)
from lstta_core.layout import Layout

CLIPS, SEGMENTS, FRAMES = 3, 5, 2


class Block(nn.Module):
    """Pre-norm self-attention under a mask, with dropout."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(0.3)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        x = self.norm(tokens)
        allowed = (mask | ~mask.any(-1, keepdim=True))[:, None]
        heard = F.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x), attn_mask=allowed)
        return tokens + self.dropout(heard)


class SmallVisual(Encoder):
    """Rows are frames: a class token and four patches, merged to two after block 2. Depth 5."""

    modality = Modality.VISUAL
    widths = (6, 6, 6, 11, 11)
    spec = VisualSpec(size=(4, 4), frames_per_segment=FRAMES)

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, kernel_size=2, stride=2)
        self.batch_norm = nn.BatchNorm2d(6)
        self.cls = nn.Parameter(torch.randn(6))
        self.blocks = nn.ModuleList(Block(width) for width in (6, 6, 6, 11, 11))
        self.merge = nn.Linear(12, 11)
        self.widen = nn.Linear(6, 11)
        self.norm = nn.LayerNorm(11)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        frames = inputs["frames"].flatten(0, 2).permute(0, 3, 1, 2).to(self.cls.dtype) / 255
        patches = self.batch_norm(self.patches(frames)).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(patches), 1, -1), patches], 1)
        valid = inputs["mask"].flatten()[:, None].expand(tokens.shape[:2])
        return EncoderState(tokens, valid, self._layout(inputs["mask"], tokens.shape[1]))

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        if index == 3:
            state = self._merged(state)
        return state.with_tokens(self.blocks[index](state.tokens, state.mask))

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> Tensor:
        return self.norm(state.tokens)

    def _merged(self, state: EncoderState) -> EncoderState:
        patches = self.merge(state.tokens[:, 1:].unflatten(1, (2, 2)).flatten(2))
        tokens = torch.cat([self.widen(state.tokens[:, :1]), patches], 1)
        segment = state.layout.segment[:, [0, 1, 3]]
        layout = Layout.regular(segment, state.layout.segments, state.layout.rows_per_clip)
        return EncoderState(tokens, state.mask[:, :3], layout)

    @staticmethod
    def _layout(mask: Tensor, tokens: int) -> Layout:
        clips, segments, frames = mask.shape
        of_frame = torch.arange(segments, device=mask.device).repeat_interleave(frames).repeat(clips)
        segment = of_frame[:, None].repeat(1, tokens)
        segment[:, 0] = -1
        return Layout.regular(segment, segments, segments * frames)


class SmallAudio(Encoder):
    """Rows are clips: seven samples a token, segments of unequal numbers of tokens. Depth 3."""

    modality = Modality.AUDIO
    widths = (5, 5, 5)
    spec = AudioSpec(sample_rate=100, span="clip")

    def __init__(self) -> None:
        super().__init__()
        self.windows = nn.Linear(7, 5)
        self.blocks = nn.ModuleList(Block(5) for _ in range(3))

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        clips, segments, samples = inputs["sound"].shape
        heard = torch.arange(samples, device=self.windows.weight.device) < inputs["length"][..., None]
        sound = torch.where(heard, inputs["sound"], 0).flatten(1).to(self.windows.weight.dtype) / 2**15
        tokens = self.windows(sound.unfold(1, 7, 7))
        centres = torch.arange(tokens.shape[1], device=sound.device) * 7 + 3
        segment = (centres // samples).expand(clips, -1)
        valid = centres % samples < inputs["length"].gather(1, segment)
        segment = torch.where(valid, segment, -1)
        width = -(-samples // 7)
        return EncoderState(tokens, valid, Layout.ragged(segment, segments, 1, width))

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state.with_tokens(self.blocks[index](state.tokens, state.mask))

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> Tensor:
        return state.tokens


class SmallLanguage(Encoder):
    """Rows are texts. Depth 4."""

    modality = Modality.LANGUAGE
    widths = (10, 10, 10, 10)
    spec = LanguageSpec(tokenize=lambda text: [ord(letter) % 17 for letter in text], max_length=7)

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(17, 10)
        self.blocks = nn.ModuleList(Block(10) for _ in range(4))
        self.norm = nn.LayerNorm(10)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        clips, texts = inputs["ids"].shape[:2]
        mask = inputs["mask"].flatten(0, 1)
        of_text = torch.arange(texts, device=mask.device).repeat(clips)
        segment = torch.where(mask, of_text[:, None], -1)
        return EncoderState(self.words(inputs["ids"].flatten(0, 1)), mask, Layout.regular(segment, texts, texts))

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state.with_tokens(self.blocks[index](state.tokens, state.mask))

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> Tensor:
        return self.norm(state.tokens)


def encoders(*modalities: Modality, seed: int = 0) -> dict[Modality, Encoder]:
    """Encoders with the same random weights for the same seed; all three where none is named."""
    made: dict[Modality, Encoder] = {}
    for kind in (SmallVisual, SmallAudio, SmallLanguage):
        torch.manual_seed(seed)
        if not modalities or kind.modality in modalities:
            made[kind.modality] = kind()
    return made


def inputs(*modalities: Modality, timed_text: bool = False, seed: int = 1) -> dict[Modality, dict[str, Tensor]]:
    """A batch of three clips of five segments, with padding: a missing frame, short sounds, short texts."""
    random = torch.Generator().manual_seed(seed)
    texts = SEGMENTS if timed_text else 1
    frames_valid = torch.ones(CLIPS, SEGMENTS, FRAMES, dtype=torch.bool)
    frames_valid[1, 4, 1] = False
    length = torch.full((CLIPS, SEGMENTS), 17)
    length[2, 3:] = torch.tensor([8, 0])
    words = torch.randint(2, 8, (CLIPS, texts), generator=random)
    present = torch.ones(CLIPS, dtype=torch.bool)
    everything: dict[Modality, dict[str, Tensor]] = {
        Modality.VISUAL: {
            "frames": torch.randint(256, (CLIPS, SEGMENTS, FRAMES, 4, 4, 3), generator=random, dtype=torch.uint8),
            "mask": frames_valid,
        },
        Modality.AUDIO: {
            "sound": torch.randint(-(2**15), 2**15, (CLIPS, SEGMENTS, 17), generator=random, dtype=torch.int16),
            "length": length,
        },
        Modality.LANGUAGE: {
            "ids": torch.randint(17, (CLIPS, texts, 7), generator=random),
            "mask": torch.arange(7) < words[..., None],
        },
    }
    wanted = modalities or tuple(everything)
    return {m: {**everything[m], "present": present.clone()} for m in everything if m in wanted}

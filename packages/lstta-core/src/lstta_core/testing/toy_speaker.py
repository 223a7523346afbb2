"""A very small language model with random weights that speaks, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstta_core.interfaces import Encoder, EncoderState, LanguageSpec, Modality
from lstta_core.speaking import PAST, SpeakingEncoder, attendable, kept_at_first, places, with_kept
from lstta_core.streams import Layout
from lstta_core.testing.toy_encoders import ToyAudio, ToyVisual, toy_tokenize

END, VOCABULARY, WIDTH, HEADS, LONGEST = 0, 31, 6, 2, 64


def toy_answer(text: str) -> list[int]:
    """A number for each word, and the end."""
    return [*toy_tokenize(text)[1:], END]


class ToySpeaker(SpeakingEncoder):
    """Rows are texts; each word reads itself and those before it."""

    modality = Modality.LANGUAGE
    widths = (WIDTH, WIDTH)
    ends = (END,)

    def __init__(self) -> None:
        super().__init__()
        self.spec = LanguageSpec(tokenize=toy_tokenize, max_length=17, answer=toy_answer)
        self.words = nn.Embedding(VOCABULARY, WIDTH)
        self.place = nn.Embedding(LONGEST, WIDTH)
        self.layers = nn.ModuleList(nn.ModuleDict({"qkv": nn.Linear(WIDTH, 3 * WIDTH)}) for _ in self.widths)
        self.norm = nn.LayerNorm(WIDTH)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        segments = inputs["ids"].shape[1]
        mask = inputs["mask"].flatten(0, 1)
        answer = inputs["answer"].flatten(0, 1) if "answer" in inputs else None
        return self._state(inputs["ids"].flatten(0, 1), mask, segments, kept_at_first(inputs, mask), answer)

    def go_on(self, ids: Tensor, kept: Mapping[str, Tensor]) -> EncoderState:
        mask = torch.ones_like(ids, dtype=torch.bool)
        return self._state(ids, mask, 1, kept, mask)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        layer = cast(nn.ModuleDict, self.layers[index])
        qkv = layer["qkv"](F.layer_norm(state.tokens, (WIDTH,))).unflatten(-1, (3, HEADS, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        extras = state.extras
        if PAST in extras:
            extras = with_kept(extras, index, k, v)
            k, v = extras[f"keys.{index}"], extras[f"values.{index}"]
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=extras["readable"])
        tokens = state.tokens + attended.transpose(1, 2).flatten(2)
        return EncoderState(tokens, state.mask, state.layout, extras, state.answer)

    def block(self, index: int) -> nn.Module:
        return self.layers[index]

    def finish(self, state: EncoderState) -> Tensor:
        return cast(Tensor, self.norm(state.tokens))

    def logits(self, tokens: Tensor) -> Tensor:
        return F.linear(tokens, self.words.weight)

    def text(self, ids: Sequence[int]) -> str:
        return " ".join(f"w{number}" for number in ids if number != END)

    def _state(
        self, ids: Tensor, mask: Tensor, segments: int, kept: Mapping[str, Tensor], answer: Tensor | None
    ) -> EncoderState:
        past = kept.get(PAST)
        tokens = self.words(ids) + self.place(places(mask, past).clamp(max=LONGEST - 1))
        own = torch.arange(len(ids), device=ids.device)[:, None] % segments
        layout = Layout.regular(torch.where(mask, own, -1), segments, segments)
        return EncoderState(tokens, mask, layout, {**kept, "readable": attendable(mask, past)}, answer)


def toy_encoders_that_speak() -> dict[Modality, Encoder]:
    """One of each, freshly initialised; the language encoder speaks."""
    return {Modality.VISUAL: ToyVisual(), Modality.AUDIO: ToyAudio(), Modality.LANGUAGE: ToySpeaker()}

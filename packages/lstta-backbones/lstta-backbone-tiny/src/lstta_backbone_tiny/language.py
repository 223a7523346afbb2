"""The language encoder: a word-level transformer with the vocabulary of the built-in world."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor, nn

from lstta_backbone_tiny.block import Block, attendable
from lstta_core.interfaces import Encoder, EncoderOutput, EncoderState, LanguageSpec, Modality
from lstta_core.layout import Layout

PAD, UNKNOWN, MASK = 0, 1, 2
SPECIAL = ("[PAD]", "[UNK]", "[MASK]")


class WordTokenizer:
    """Lower-case words and punctuation marks to ids; picklable.

    Args:
        words: the vocabulary after the special tokens, in the order of their ids.
        max_length: longer texts lose their end.
    """

    def __init__(self, words: Sequence[str], max_length: int = 64) -> None:
        self.words = tuple(words)
        self.max_length = max_length
        self.index = {word: len(SPECIAL) + i for i, word in enumerate(self.words)}

    def __call__(self, text: str) -> list[int]:
        """Ids of the words; words that the vocabulary lacks are ``[UNK]``."""
        return [self.index.get(word, UNKNOWN) for word in split_words(text)[: self.max_length]]

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.words)


def split_words(text: str) -> list[str]:
    """Lower-case words and single punctuation marks."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


@final
class TinyLanguage(Encoder):
    """A transformer over words.

    Args:
        words: the vocabulary.
        width: D.
        depth: number of blocks.
        heads: must divide D.
        max_length: the longest text in words.
    """

    modality = Modality.LANGUAGE

    def __init__(
        self, *, words: Sequence[str], width: int = 128, depth: int = 4, heads: int = 4, max_length: int = 64
    ) -> None:
        super().__init__()
        tokenizer = WordTokenizer(words, max_length)
        self.widths = (width,) * depth
        self.spec = LanguageSpec(tokenize=tokenizer, max_length=max_length, pad_id=PAD)
        self.word = nn.Embedding(len(tokenizer), width)
        self.position = nn.Parameter(torch.randn(max_length, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width=width, heads=heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        ids, mask = inputs["ids"].flatten(0, 1), inputs["mask"].flatten(0, 1)
        segments = inputs["ids"].shape[1]
        tokens = self.word(ids) + self.position[: ids.shape[1]]
        segment = torch.arange(segments, device=ids.device).repeat(len(ids) // segments)[:, None]
        segment = torch.where(mask, segment, -1)
        return EncoderState(tokens, mask, Layout.regular(segment, segments=segments, rows_per_clip=segments))

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return state.with_tokens(self.blocks[index](state.tokens, attendable(state.mask)))

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> EncoderOutput:
        """Pooled is the mean of the words."""
        tokens = self.norm(state.tokens)
        weights = state.mask[..., None].to(tokens.dtype)
        return EncoderOutput(tokens, (tokens * weights).sum(1) / weights.sum(1).clamp(min=1))

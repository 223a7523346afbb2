"""A small causal language model that speaks: words in, the next word out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import as_file
from typing import cast, final

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from lstta_backbone_tiny.encoders import PAD, UNKNOWN, WEIGHTS, Block, rows_as_segments, split_words
from lstta_core.interfaces import EncoderState, LanguageSpec, Modality
from lstta_core.speaking import PAST, SpeakingEncoder, attendable, kept_at_first, places, with_kept

START, END = 2, 3
SPECIAL = ("[PAD]", "[UNK]", "[START]", "[END]")


class Words:
    """Lower-case words and punctuation marks to ids, with a start before or an end behind them; picklable.

    Args:
        words: the vocabulary after the special tokens, in the order of their ids.
        longest: how many words there may be; more are cut off.
        answer: whether these are the words of an answer, which has an end in place of a start.
    """

    def __init__(self, words: Sequence[str], longest: int, *, answer: bool) -> None:
        self.words, self.longest, self.answer = tuple(words), longest, answer
        self.index = {word: len(SPECIAL) + i for i, word in enumerate(self.words)}

    def __call__(self, text: str) -> list[int]:
        """Ids of the words; words that the vocabulary lacks are ``[UNK]``."""
        ids = [self.index.get(word, UNKNOWN) for word in split_words(text)[: self.longest]]
        return [*ids, END] if self.answer else [START, *ids]

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Words and their ids."""
        return self.index


@final
class TinySpeaker(SpeakingEncoder):
    """A transformer over words, each of which reads itself and those before it; its words are its head too.

    Args:
        words: the vocabulary.
        width: D.
        depth: the number of blocks.
        heads: must divide D.
        max_length: of a prompt, and of an answer, in words.
    """

    modality = Modality.LANGUAGE
    ends = (END,)

    def __init__(
        self, *, words: Sequence[str], width: int = 128, depth: int = 4, heads: int = 4, max_length: int = 64
    ) -> None:
        super().__init__()
        self.widths = (width,) * depth
        prompt, answer = (Words(words, max_length - 1, answer=said) for said in (False, True))
        self.spec = LanguageSpec(tokenize=prompt, max_length=max_length, pad_id=PAD, answer=answer)
        self.words = prompt.words
        self.word = nn.Embedding(len(SPECIAL) + len(words), width)
        self.position = nn.Parameter(torch.randn(2 * max_length, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width=width, heads=heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        mask = inputs["mask"].flatten(0, 1)
        answer = inputs["answer"].flatten(0, 1) if "answer" in inputs else None
        return self._state(
            inputs["ids"].flatten(0, 1), mask, inputs["ids"].shape[1], kept_at_first(inputs, mask), answer
        )

    def go_on(self, ids: Tensor, kept: Mapping[str, Tensor]) -> EncoderState:
        mask = torch.ones_like(ids, dtype=torch.bool)
        return self._state(ids, mask, 1, kept, mask)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        block = cast(Block, self.blocks[index])
        q, k, v = block.queries_keys_values(state.tokens)
        extras = state.extras
        if PAST in extras:
            extras = with_kept(extras, index, k, v)
            k, v = extras[f"keys.{index}"], extras[f"values.{index}"]
        tokens = block.attended(state.tokens, q, k, v, extras["readable"])
        return EncoderState(tokens, state.mask, state.layout, extras, state.answer)

    def block(self, index: int) -> nn.Module:
        return self.blocks[index]

    def finish(self, state: EncoderState) -> Tensor:
        return cast(Tensor, self.norm(state.tokens))

    def logits(self, tokens: Tensor) -> Tensor:
        return F.linear(tokens, self.word.weight.to(tokens.dtype))

    def text(self, ids: Sequence[int]) -> str:
        words = [self.words[number - len(SPECIAL)] for number in ids if number >= len(SPECIAL)]
        return re.sub(r" ([.,;:?!])", r"\1", " ".join(words))

    def _state(
        self, ids: Tensor, mask: Tensor, segments: int, kept: Mapping[str, Tensor], answer: Tensor | None
    ) -> EncoderState:
        past = kept.get(PAST)
        # What is longer than the table goes on at its last place, so that a long answer ends badly, but ends.
        at = places(mask, past).clamp(max=len(self.position) - 1)
        extras = {**kept, "readable": attendable(mask, past)}
        layout = rows_as_segments(mask, segments)
        return EncoderState(self.word(ids) + self.position[at], mask, layout, extras, answer)


def speaker() -> TinySpeaker:
    """The pretrained language model."""
    made = TinySpeaker(words=json.loads((WEIGHTS / "words.json").read_text(encoding="utf-8")))
    with as_file(WEIGHTS / "speaker.safetensors") as path:
        tensors = load_file(path)
    made.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    made.name, made.licence = "lstta-backbone-tiny/speaker", "Apache-2.0"
    return made

"""A causal language model of the library as an encoder that speaks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from lstta_backbone_transformers.body import Body
from lstta_backbone_transformers.family import LanguageFamily
from lstta_backbone_transformers.language import length_of, pad_of
from lstta_core.interfaces import EncoderState, LanguageSpec, Modality
from lstta_core.speaking import PAST, SpeakingEncoder, kept_at_first, places, with_kept
from lstta_core.streams import Layout

SAID = "said"  # stands for an answer where a template is looked at


@dataclass(frozen=True)
class Prompt:
    """A text to the ids of a prompt, as the model's users write one; picklable.

    Attributes:
        tokenizer: of the library.
        max_length: longer texts lose their end, the template around them stays.
        chat: whether it goes through the tokenizer's chat template, as a user's turn before the assistant's.
        start: the id of a prompt without any, where an answer could begin after nothing.
    """

    tokenizer: Any
    max_length: int
    chat: bool
    start: int

    def __call__(self, text: str) -> list[int]:
        ids = self._ids(text)
        if len(ids) > self.max_length:
            words = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            left = max(0, len(words) - (len(ids) - self.max_length))
            ids = self._ids(self.tokenizer.decode(words[:left]))[: self.max_length]
        return ids or [self.start]

    def _ids(self, text: str) -> list[int]:
        if not self.chat:
            ids: list[int] = self.tokenizer(text)["input_ids"]
            # Some tokenizers close a text; an answer goes on from it.
            return ids[:-1] if len(ids) > 1 and ids[-1] == self.tokenizer.eos_token_id else ids
        turn = [{"role": "user", "content": text}]
        written = self.tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        return self.tokenizer(written, add_special_tokens=False)["input_ids"]

    def vocabulary(self) -> Mapping[str, int]:
        """Pieces of words and their ids."""
        return self.tokenizer.get_vocab()


@dataclass(frozen=True)
class Answer:
    """A text to the ids of an answer, as they follow a prompt, and the end; picklable.

    Attributes:
        tokenizer: of the library.
        end: the id that ends an answer.
        chat: whether it follows a line of a template, or a text.
    """

    tokenizer: Any
    end: int
    chat: bool

    def __call__(self, text: str) -> list[int]:
        # Pieces of words know whether a blank is before them, and some tokenizers put one before every text.
        before = "a\n" if self.chat else "a"
        blank = "" if self.chat or not text else " "
        first, both = (self._ids(some) for some in (before, before + blank + text))
        words = both[len(first) :] if both[: len(first)] == first else self._ids(text)
        return [*(number for number in words if number != self.end), self.end]

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids


class Keeping:
    """Stands in for the library's cache within one block: what it keeps goes into the state's extras."""

    def __init__(self, index: int, extras: Mapping[str, Tensor]) -> None:
        self.index, self.extras = index, extras

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """All keys and values of the block, those of before first: (R, H, P + n, d) each."""
        self.extras = with_kept(self.extras, self.index, key_states, value_states)
        return self.extras[f"keys.{self.index}"], self.extras[f"values.{self.index}"]


@final
class Speaker(SpeakingEncoder):
    """Ids in, what may come next out.

    Args:
        model: the library's causal language model, head included.
        family: the declaration of what is under the head.
        tokenizer: of the library.
        max_length: of a prompt in ids.
        chat: whether texts go through the tokenizer's chat template; by default where it has one.
        name: hub id or folder.
        revision: of the hub.
        licence: of the weights, where their card says it.

    Raises:
        ValueError: ``max_length`` is over the architecture's limit; a template is asked for and there is none; nothing
            says which token ends a text.
    """

    modality = Modality.LANGUAGE
    spec: LanguageSpec

    def __init__(
        self,
        *,
        model: nn.Module,
        family: LanguageFamily,
        tokenizer: Any,
        max_length: int | None = None,
        chat: bool | None = None,
        name: str = "",
        revision: str | None = None,
        licence: str | None = None,
    ) -> None:
        super().__init__()
        library: Any = model
        self.name, self.revision, self.licence = name, revision, licence
        self.model = model
        self.body = Body(model=library.base_model, family=family)
        self.head: nn.Module = library.get_output_embeddings()
        self.softcap: float | None = getattr(library.config, "final_logit_softcapping", None)
        self.tokenizer = tokenizer
        chat = tokenizer.chat_template is not None if chat is None else chat
        if chat and tokenizer.chat_template is None:
            raise ValueError(f"chat=True, but the tokenizer of {name or family.model_type} has no chat template")
        self.ends = ends_of(library, tokenizer)
        if not self.ends:
            raise ValueError(f"neither the tokenizer of {name or family.model_type} nor its settings name an end token")
        end = closing(tokenizer, self.ends) if chat else self.ends[0]
        start = self.ends[0] if tokenizer.bos_token_id is None else tokenizer.bos_token_id
        length = length_of(family, library.config, max_length)
        self.spec = LanguageSpec(
            tokenize=Prompt(tokenizer, length, chat, start),
            max_length=length,
            pad_id=pad_of(tokenizer),
            answer=Answer(tokenizer, end, chat),
        )
        self.widths = self.body.widths(family.width(library.config))
        (block, *_) = self.body.steps
        accepted = inspect.signature(type(block.block).forward).parameters
        self._cache = "past_key_values" if "past_key_values" in accepted else "cache"

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        mask = inputs["mask"].flatten(0, 1)
        answer = inputs["answer"].flatten(0, 1) if "answer" in inputs else None
        kept = kept_at_first(inputs, mask)
        features = {"ids": inputs["ids"].flatten(0, 1), "mask": mask}
        if "kept" in inputs:
            features |= {"past": kept[PAST], "places": places(mask, kept[PAST])}
        tokens, extras = self.body.start(features)
        extras |= kept
        return EncoderState(tokens, mask, _layout(mask, inputs["ids"].shape[1]), extras, answer)

    def go_on(self, ids: Tensor, kept: Mapping[str, Tensor]) -> EncoderState:
        mask = torch.ones_like(ids, dtype=torch.bool)
        past = kept[PAST]
        tokens, extras = self.body.start({"ids": ids, "mask": mask, "past": past, "places": places(mask, past)})
        return EncoderState(tokens, mask, _layout(mask, 1), {**kept, **extras}, mask)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        keeping = Keeping(index, state.extras)
        more = {self._cache: keeping} if PAST in state.extras else {}
        tokens, extras = self.body.run(index, state.tokens, state.extras, **more)
        return EncoderState(tokens, state.mask, state.layout, {**extras, **keeping.extras}, state.answer)

    def block(self, index: int) -> nn.Module:
        return self.body.steps[index].block

    def finish(self, state: EncoderState) -> Tensor:
        return self.body.finish(state.tokens)

    def logits(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.head(tokens)
        return logits if self.softcap is None else self.softcap * (logits / self.softcap).tanh()

    def text(self, ids: Sequence[int]) -> str:
        said: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return said.strip()


def ends_of(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """The ids that end a text: the tokenizer's, then those of the checkpoint's generation settings."""
    settings = getattr(model, "generation_config", None)
    told = [tokenizer.eos_token_id, getattr(settings, "eos_token_id", None), model.config.eos_token_id]
    numbers = [number for one in told for number in (one if isinstance(one, list) else [one])]
    return tuple(dict.fromkeys(number for number in numbers if number is not None))


def closing(tokenizer: Any, ends: Sequence[int]) -> int:
    """Which of the ends closes the assistant's turn in the tokenizer's chat template; the first if none does."""
    turns = [{"role": "user", "content": SAID}, {"role": "assistant", "content": SAID}]
    written: str = tokenizer.apply_chat_template(turns, tokenize=False)
    behind = tokenizer(written[written.rindex(SAID) + len(SAID) :], add_special_tokens=False)["input_ids"]
    return next((number for number in behind if number in ends), ends[0])


def _layout(mask: Tensor, segments: int) -> Layout:
    own = torch.arange(len(mask), device=mask.device)[:, None] % segments
    return Layout.regular(torch.where(mask, own, -1), segments, segments)

"""A language encoder of any family, decoders used as encoders included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn

from lstta_backbone_transformers.advance import advance
from lstta_backbone_transformers.body import Body
from lstta_backbone_transformers.family import LanguageFamily
from lstta_core.interfaces import Encoder, EncoderState, LanguageSpec, Modality
from lstta_core.streams import Layout

DEFAULT_LENGTH = 128


@dataclass(frozen=True)
class Tokenize:
    """Text to ids with the checkpoint's own tokenizer, special tokens added; picklable, for the loader's workers.

    Attributes:
        tokenizer: of the library.
        max_length: longer texts are cut, special tokens kept.
        fixed: whether shorter texts are padded to ``max_length``.
    """

    tokenizer: Any
    max_length: int
    fixed: bool = False

    def __call__(self, text: str) -> list[int]:
        padding = "max_length" if self.fixed else False
        return self.tokenizer(text, truncation=True, max_length=self.max_length, padding=padding)["input_ids"]

    def vocabulary(self) -> Mapping[str, int]:
        """Pieces of words and their ids."""
        return self.tokenizer.get_vocab()


@final
class LanguageEncoder(Encoder):
    """Ids in, tokens of the library's model out.

    Args:
        model: the library's text model.
        family: its declaration.
        tokenizer: of the library, with a padding id, or at least one for the end of a text.
        max_length: of a text in ids; 128 or the architecture's limit where nothing is said.
        name: hub id or folder.
        revision: of the hub.
        licence: of the weights, where their card says it.

    Raises:
        ValueError: ``max_length`` is over the architecture's limit.
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
        name: str = "",
        revision: str | None = None,
        licence: str | None = None,
    ) -> None:
        super().__init__()
        config: Any = model.config
        self.name, self.revision, self.licence = name, revision, licence
        self.model = model
        self.family = family
        self.body = Body(model=model, family=family)
        length = length_of(family, config, max_length)
        self.spec = LanguageSpec(
            tokenize=Tokenize(tokenizer, length, family.fixed), max_length=length, pad_id=pad_of(tokenizer)
        )
        self.widths = self.body.widths(family.width(config))

    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        ids, mask = inputs["ids"].flatten(0, 1), inputs["mask"].flatten(0, 1)
        if self.family.fixed:
            # Padding is attended to, as in training, but it holds no content.
            mask = mask & (ids != self.spec.pad_id)
        tokens, extras = self.body.start({"ids": ids, "mask": mask})
        segments = inputs["ids"].shape[1]
        own = torch.arange(segments, device=ids.device).repeat(inputs["ids"].shape[0])
        layout = Layout.regular(torch.where(mask, own[:, None], -1), segments, segments)
        return EncoderState(tokens, mask, layout, extras)

    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        return advance(self.body, index, state)

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor] | None:
        return self.body.more_tokens(extras, count)

    def block(self, index: int) -> nn.Module:
        return self.body.steps[index].block

    def finish(self, state: EncoderState) -> Tensor:
        return self.body.finish(state.tokens)


def pad_of(tokenizer: Any) -> int:
    """The id that fills up texts: that for padding, else that of a text's end, else 0."""
    pad = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    return 0 if pad is None else pad


def length_of(family: LanguageFamily, config: Any, asked: int | None) -> int:
    """The most ids of a text; a ValueError where more are asked for than the architecture reads."""
    limit = family.limit(config)
    if limit is None:
        return DEFAULT_LENGTH if asked is None else asked
    if asked is None:
        return limit if family.fixed else min(limit, DEFAULT_LENGTH)
    if asked > limit or (family.fixed and asked != limit):
        raise ValueError(
            f"max_length={asked} does not fit {family.model_type}: it reads {'exactly' if family.fixed else 'at most'} "
            f"{limit} ids"
        )
    return asked

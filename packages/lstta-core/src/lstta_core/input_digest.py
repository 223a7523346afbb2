"""How an encoder's input is made, as one digest: an adapter is bound to it as it is to the weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from lstta_core.encoder import InputSpec, LanguageSpec

READERS = ("tokenize", "answer", "source")
"""What of a spec reads rather than says: tokenizers, known by their ids, and files of features, which come and go."""
SAMPLED = 500  # words of a vocabulary that are read as texts
WORDS = (
    "the of and to in is you that it he was for on are as with his they I at be this have from or one had by word but "
    "not what all were we when your can said there use an each which she do how their if will up other about out many "
    "then them these so some her would make like him into time has look two more write go see number no way could "
    "people my than first water been call who oil its now find long down day did get come made may part left right "
    "above below before after red green blue yellow man woman child dog cat bird car train bus guitar piano violin "
    "drum flute cello trumpet accordion sound music voice song loud quiet playing speaking laughing crying walking "
    "running happy sad angry afraid surprised funny movie scene first last instrument simultaneously duration"
)
PROBES = (
    *("", " ", "a", "A", "Hello, world!", "hello world", "HELLO WORLD", "  two  spaces\tand\na line  "),
    *(
        "Is the guitar louder than the piano?",
        "It's John's; they don't — “well” …",
        "naïve café",
        "nai\u0308ve cafe\u0301",
    ),
    *("1 22 333 4,444.55 6:07 8/9 10%", "user@example.org https://example.org/a?b=c#d", "a_b-c+d=e<f>{g}[h]|\\~`^"),
    *(
        "Grüße aus Köln, straße",
        "Привет, мир",
        "你好，世界",
        "こんにちは世界",
        "שלום עולם",
        "مرحبا",
        "🙂👩‍👩‍👧",
        "\u200b\ufeff\x07",
    ),
    *("[CLS] [SEP] [MASK] [PAD] <s> </s> <pad> <unk> <|endoftext|>", "pneumonoultramicroscopicsilicovolcanoconiosis"),
    *("".join(map(chr, range(first, first + 16))) for first in range(32, 127, 16)),
    *WORDS.split(),
    WORDS,
)
"""Texts in which tokenizers differ."""


def input_digest(spec: InputSpec) -> str:
    """SHA-256 of what an encoder's spec says, and of what its tokenizer makes of texts, in hex.

    A tokenizer is known by the ids that it gives to :data:`PROBES`, and by its vocabulary where it tells it: an
    attribute ``vocabulary``, a mapping of words to ids or a function that gives one.
    """
    said: dict[str, Any] = {
        field.name: getattr(spec, field.name)
        for field in fields(spec)
        if field.name not in READERS and getattr(spec, field.name) != field.default
    }
    said["kind"] = type(spec).__name__
    if isinstance(spec, LanguageSpec):
        words = _vocabulary(spec)
        ordered = sorted(words)
        said["ids"] = [_ids(spec.tokenize, text) for text in (*PROBES, *ordered[:: max(1, len(ordered) // SAMPLED)])]
        said["words"] = [[word, words[word]] for word in ordered]
        if spec.answer is not None:
            said["answers"] = [_ids(spec.answer, text) for text in PROBES]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _vocabulary(spec: LanguageSpec) -> dict[str, int]:
    told = getattr(spec.tokenize, "vocabulary", {})
    told = told() if callable(told) else told
    return {str(word): int(number) for word, number in told.items()} if isinstance(told, Mapping) else {}


def _ids(tokenize: Callable[[str], list[int]], text: str) -> list[int] | str:
    try:
        return [int(number) for number in tokenize(text)]
    except Exception as error:  # a plugin's tokenizer may refuse an odd text in any way
        return type(error).__name__

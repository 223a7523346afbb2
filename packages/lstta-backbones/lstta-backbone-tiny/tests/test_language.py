"""Words and their ids."""

from __future__ import annotations

import pickle

from lstta_backbone_tiny import encoders
from lstta_backbone_tiny.encoders import SPECIAL, UNKNOWN, WordTokenizer


def test_words_and_marks_have_ids_and_others_are_unknown() -> None:
    tokenizer = WordTokenizer(["?", "cello", "the"])
    assert tokenizer("The CELLO, the?") == [5, 4, UNKNOWN, 5, 3]
    assert len(tokenizer) == len(SPECIAL) + 3
    assert tokenizer("🎻 مرحبا") == [UNKNOWN, UNKNOWN]
    assert tokenizer("") == []
    assert WordTokenizer(["cello"], max_length=2)("cello cello cello") == [3, 3]


def test_it_travels_to_the_loaders_workers() -> None:
    tokenizer = encoders.language().spec.tokenize
    text = "Which is the musical instrument that sounds at the same time as the accordion?"
    assert UNKNOWN not in tokenizer(text)
    assert pickle.loads(pickle.dumps(tokenizer))(text) == tokenizer(text)

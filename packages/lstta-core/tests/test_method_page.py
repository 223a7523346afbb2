from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "method.md"
MARK = re.compile(r"\[(from the paper|our choice)\]")

FROM_THE_PAPER = [
    "Adapters are inserted between the sequential blocks of the pretrained encoders, and model dense interactions "
    "across the three modalities.",
    "The encoders may be any powerful unimodal or bimodal models.",
    "Each adapter has two complementary modules, long-term semantic filtering and short-term semantic interaction.",
    "It computes the semantic importance over the whole video.",
    "It suppresses redundant or less important frames.",
    "It models local interactions within short periods, and the semantic alignment across modalities there.",
]


def sentences() -> list[tuple[str, str]]:
    """Every sentence of the prose after the introduction, and its mark."""
    text = PAGE.read_text(encoding="utf-8").split("## Words and shapes")[1]
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    prose = " ".join(line for line in text.splitlines() if not line.startswith(("#", "|")))
    parts = MARK.split(" ".join(prose.split()))
    assert not parts[-1].strip(), f"without a mark: {parts[-1]}"
    return list(zip((part.strip() for part in parts[::2]), parts[1::2], strict=False))


def test_every_sentence_says_where_it_is_from() -> None:
    for sentence, _ in sentences():
        assert sentence[-1] in ".:"
        assert not re.search(r"[.:] [A-Z]\w* \w+ ", sentence), f"more than one sentence before a mark: {sentence}"


def test_only_what_is_public_is_said_to_be_from_the_paper() -> None:
    assert [sentence for sentence, mark in sentences() if mark == "from the paper"] == FROM_THE_PAPER

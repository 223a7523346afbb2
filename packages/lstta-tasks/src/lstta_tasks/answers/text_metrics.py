"""CIDEr-D, BLEU and ROUGE-L of captions, by pycocoevalcap: the code that published numbers come from.

Its own tokenizer needs Java. Here words are lower-cased and punctuation is dropped, which is what that one does but for
contractions ("don't" stays one word).
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence

WANTED = "captions are measured with pycocoevalcap, which is not installed: pip install 'lstta-tasks[captions]'"


def normal(text: str) -> str:
    """Lower-case words with a blank between two, and nothing else."""
    return " ".join(re.findall(r"\w+(?:['’]\w+)*", text.lower()))


def check_installed() -> None:
    """Raise an ImportError that says what to install where captions cannot be measured."""
    if importlib.util.find_spec("pycocoevalcap") is None:
        raise ImportError(WANTED)


def caption_scores(texts: Sequence[str], answers: Sequence[Sequence[str]]) -> dict[str, float]:
    """CIDEr-D, BLEU-1 to BLEU-4 and ROUGE-L of texts, given what is right for each.

    Raises:
        ImportError: the library is not installed.
    """
    check_installed()
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    said = {place: [normal(text)] for place, text in enumerate(texts)}
    right = {place: [normal(answer) for answer in some] for place, some in enumerate(answers)}
    cider, _ = Cider().compute_score(right, said)
    bleu, _ = Bleu(4).compute_score(right, said, verbose=0)
    rouge, _ = Rouge().compute_score(right, said)
    names = ["CIDEr-D", *(f"BLEU-{n}" for n in range(1, 5)), "ROUGE-L"]
    return dict(zip(names, map(float, (cider, *bleu, rouge)), strict=True))

"""Which layers or parameters of the encoders a method changes: a regular expression for their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lstta_core.interfaces import Modality

Target = str | Mapping[str, str]
"""A regular expression that the whole name within its encoder must match; or one for each modality, by its name."""

QUERY_AND_VALUE = r"(.*\.)?(query|value|q_proj|v_proj|query_proj|value_proj|q|v|qkv|Wqkv)"
"""The names that queries and values have in transformers: ``query`` and ``value`` in the BERT, ViT and Swin families,
``q_proj`` and ``v_proj`` in CLIP, SigLIP, DINOv3, Whisper, wav2vec, Llama and Qwen, ``query_proj`` and ``value_proj``
in DeBERTa, ``q`` and ``v`` in T5 and MPNet.
Where one matrix makes keys too it is taken whole: ``Wqkv`` in ModernBERT."""


def matching(target: Target, modality: Modality, names: Sequence[str], *, what: str) -> list[str]:
    """Those of an encoder's names that match.

    Args:
        target: what is wanted.
        modality: of the encoder.
        names: that there are.
        what: the method and what the names are of, for the message: ``"lora: linear layer"``.

    Raises:
        ValueError: none matches, or the target has no expression for the modality.
    """
    if not isinstance(target, str) and modality not in target:
        raise ValueError(f"{what}: target has an expression for {', '.join(target) or 'nothing'}, none for {modality}")
    pattern = target if isinstance(target, str) else target[modality]
    matches = [name for name in names if re.fullmatch(pattern, name)]
    if not matches:
        method, _, kind = what.partition(": ")
        raise ValueError(
            f"{method}: no {kind} of the {modality} encoder has a name that matches target={pattern!r}; it has "
            f"{', '.join(names[:5]) or 'none'}{' …' if len(names) > 5 else ''}: give another target"
        )
    return matches

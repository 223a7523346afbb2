"""A share of the training samples: how much a method needs to see."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from lstta_tasks.task import Sample


def share_of(samples: Sequence[Sample], share: float, seed: int) -> list[Sample]:
    """So many of the samples, at least one, in their order: those whose ids hash lowest together with the seed.

    Another seed draws others. A smaller share is part of a larger one, and the files' order does not matter.

    Args:
        samples: of the training split.
        share: of their number, above 0 and at most 1.
        seed: of the config.
    """
    if share == 1:
        return list(samples)
    ranked = sorted(range(len(samples)), key=lambda i: hashlib.sha256(f"{seed} {samples[i].id}".encode()).digest())
    return [samples[i] for i in sorted(ranked[: math.ceil(share * len(samples))])]


def check_share(share: object) -> None:
    """Raise a ValueError where ``loader.train_share`` is no share."""
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 < share <= 1:
        raise ValueError(f"loader.train_share: a number above 0 and at most 1, which is all, is wanted, got {share!r}")

"""The weights that ship: there, small, the ones that the card describes, and better than nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from lstta_backbone_tiny import encoders
from lstta_backbone_tiny.encoders import TinyVisual
from lstta_backbone_tiny.speaker import speaker
from lstta_core.adapter_set import encoder_digest

PACKAGE = Path(__file__).parents[1]
CARD = (PACKAGE / "MODEL_CARD.md").read_text(encoding="utf-8")
ENCODERS = {"visual": encoders.visual, "audio": encoders.audio, "language": encoders.language, "speaker": speaker}


@pytest.mark.parametrize("name", ENCODERS)
def test_the_card_has_the_digest(name: str) -> None:
    digest = encoder_digest(ENCODERS[name]())
    assert re.search(rf"\| `tiny-{name}` \|.*`{digest}`", CARD), f"MODEL_CARD.md lacks tiny-{name}'s digest {digest}"


def test_all_weights_together_are_at_most_8_mb() -> None:
    weights = PACKAGE / "src/lstta_backbone_tiny/weights"
    assert sum(path.stat().st_size for path in weights.iterdir()) <= 8_000_000


def test_every_call_gives_equal_weights_of_its_own() -> None:
    one, two = encoders.visual(), encoders.visual()
    assert encoder_digest(one) == encoder_digest(two)
    with torch.no_grad():
        one.position.zero_()
    assert encoder_digest(one) != encoder_digest(two)


@pytest.mark.parametrize("patch", [7, 15])
def test_patches_must_fit(patch: int) -> None:
    with pytest.raises(ValueError, match=f"patch={patch} must be even and divide both sides"):
        TinyVisual(size=(30, 42), patch=patch)

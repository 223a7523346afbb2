"""Pictures of importances, whatever the samples' texts are."""

from __future__ import annotations

import numpy as np
import pytest

from lstta_tasks.plots import importance_picture

CURVES = {"visual": [0.5, 1.0, 1.5], "audio": [1.0, 1.0, 1.0]}


@pytest.mark.parametrize(
    "text", ["", "🙂🎺 שלום مرحبا", "it costs $5 or $\\nothing$", "two\nlines\tand tabs", " ".join(["word"] * 200)]
)
def test_any_text_can_be_a_title(text: str) -> None:
    """Warnings, such as of a missing glyph, are errors here."""
    picture = importance_picture([("plain", CURVES), (text, CURVES)])
    assert (picture.dtype, picture.shape[1:]) == (np.uint8, (800, 3))
    assert picture.shape == importance_picture([("plain", CURVES)] * 2).shape

"""The README.md of an adapter folder."""

from __future__ import annotations

from pathlib import Path

import torch

from lstta_core.adapter_files import save_adapter
from lstta_core.model_card import model_card

RECORD = {
    "encoders": {
        "audio": {
            "name": "hf-audio",
            "model": "some/audio",
            "digest": "ab" * 32,
            "base": {"name": "some/audio", "revision": "r3", "licence": "mit"},
        },
        "visual": {"name": "tiny-visual", "digest": "cd" * 32},
    },
    "method": {"name": "lstta", "width": 7},
    "task": {"name": "avqa"},
    "selected": {"epoch": 3, "overall": 0.51234},
    "parameters": {"trainable": 1300, "total": 52000},
    "command": "tools/train.py some.py",
}


def test_it_says_what_the_record_says(tmp_path: Path) -> None:
    save_adapter(tmp_path / "best", {"x": torch.zeros(2)}, RECORD)
    card = (tmp_path / "best/README.md").read_text(encoding="utf-8")
    assert card == model_card(RECORD)
    for said in (
        "1,300 of 52,000 parameters were trained (2.50%)",
        "| audio | `some/audio` | r3 | mit | `abababababababab…` |",
        "| visual | `tiny-visual` | – | not stated | `cdcdcdcdcdcdcdcd…` |",
        "`avqa`",
        "- overall: 0.5123",
        "- epoch: 3",
        "tools/train.py some.py",
        '`lstta` with `{"width": 7}`',
    ):
        assert said in card


def test_a_bare_record_has_a_card_too() -> None:
    assert model_card({}).startswith("# A trained adapter: unnamed method")

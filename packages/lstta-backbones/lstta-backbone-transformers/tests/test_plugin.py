"""The plugin's top module."""

from __future__ import annotations

import subprocess
import sys

import lstta_backbone_transformers as plugin
from lstta_core.hookspecs import API_VERSION
from lstta_core.plugins import installed_plugins


def test_registers_one_loader_a_modality_and_one_that_speaks() -> None:
    registered = {r.name: r for r in installed_plugins().registrations.values() if r.plugin == "transformers"}
    assert {name: r.modality for name, r in registered.items()} == {
        "hf-audio": "audio",
        "hf-language": "language",
        "hf-sound-as-picture": "audio",
        "hf-speaker": "language",
        "hf-visual": "visual",
    }
    assert all(callable(r.load()) and r.summary for r in registered.values())
    assert plugin.LSTTA_API_VERSION == API_VERSION


def test_importing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, lstta_backbone_transformers as p; p.lstta_register_encoders(lambda *a, **k: None); "
        "print([m for m in ('torch', 'transformers', 'huggingface_hub', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

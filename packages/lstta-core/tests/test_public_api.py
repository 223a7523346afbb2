from __future__ import annotations

import subprocess
import sys

import pytest

import lstta_core

PUBLIC = [
    "Adapter",
    "AdapterFile",
    "AdapterFileError",
    "AdapterOutput",
    "AudioSpec",
    "Bottleneck",
    "CoLA",
    "DGSCT",
    "Encoder",
    "EncoderChange",
    "EncoderState",
    "FeatureSpec",
    "FullFineTuning",
    "InputSpec",
    "Inputs",
    "LSTTA",
    "LSTTAAdapter",
    "LanguageSpec",
    "Lavish",
    "Layers",
    "Layout",
    "Method",
    "MethodChoice",
    "Modality",
    "MokA",
    "NoAdapter",
    "PluginError",
    "Prompt",
    "Readout",
    "Register",
    "Size",
    "Stage",
    "Stream",
    "Streams",
    "TIMED",
    "TrimodalModel",
    "TrimodalOutput",
    "UnknownNameError",
    "VisualSpec",
    "check_counts",
    "check_digests",
    "check_streams",
    "create_method",
    "hookimpl",
    "installed_plugins",
    "load_tensors",
    "read_adapter",
    "save_adapter",
    "trained_tensors",
]


def test_public_names_are_these() -> None:
    assert lstta_core.__all__ == PUBLIC
    assert set(dir(lstta_core)) >= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_can_be_imported(name: str) -> None:
    assert getattr(lstta_core, name).__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'lstta_core' has no attribute 'Lstta'"):
        lstta_core.Lstta  # noqa: B018


@pytest.mark.parametrize("module", ["lstta_core", "lstta_core.plugins", "lstta_core.hookspecs"])
def test_light_modules_import_no_torch(module: str) -> None:
    code = (
        f"import sys, {module}; heavy = {{'torch', 'numpy', 'safetensors'}} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_testing_imports_no_pytest() -> None:
    code = "import sys, lstta_core.testing; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

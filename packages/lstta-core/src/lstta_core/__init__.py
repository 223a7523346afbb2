"""Long short-term trimodal adapters: interfaces, adapters, the lockstep model, plugins and adapter files.

Names are imported when they are first used, so that ``lstta_core.plugins`` loads no torch.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Adapter": "interfaces",
    "AdapterFile": "adapter_files",
    "AdapterFileError": "adapter_files",
    "AdapterOutput": "interfaces",
    "AudioSpec": "interfaces",
    "Bottleneck": "methods.bottleneck",
    "CoLA": "methods.cola",
    "DGSCT": "methods.dgsct",
    "Encoder": "interfaces",
    "EncoderChange": "interfaces",
    "EncoderState": "interfaces",
    "FeatureSpec": "interfaces",
    "FullFineTuning": "methods.full",
    "InputSpec": "interfaces",
    "Inputs": "interfaces",
    "LSTTA": "methods.lstta.adapter",
    "LSTTAAdapter": "methods.lstta.adapter",
    "LanguageSpec": "interfaces",
    "Lavish": "methods.lavish",
    "Layers": "methods.layers",
    "Layout": "streams",
    "Method": "interfaces",
    "MethodChoice": "methods.choice",
    "Modality": "interfaces",
    "MokA": "methods.moka",
    "NoAdapter": "methods.none",
    "PluginError": "plugins",
    "Prompt": "methods.prompt",
    "Readout": "readout",
    "Register": "hookspecs",
    "Size": "interfaces",
    "Stage": "interfaces",
    "Stream": "interfaces",
    "Streams": "interfaces",
    "TIMED": "interfaces",
    "TrimodalModel": "lockstep",
    "TrimodalOutput": "interfaces",
    "UnknownNameError": "plugins",
    "VisualSpec": "interfaces",
    "check_counts": "counts",
    "check_digests": "adapter_files",
    "check_streams": "interfaces",
    "create_method": "method",
    "hookimpl": "hookspecs",
    "installed_plugins": "plugins",
    "load_tensors": "adapter_files",
    "read_adapter": "adapter_files",
    "save_adapter": "adapter_files",
    "trained_tensors": "adapter_files",
}

__all__ = sorted(_HOME)
__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__

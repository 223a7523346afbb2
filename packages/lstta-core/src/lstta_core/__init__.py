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
    "Encoder": "interfaces",
    "EncoderOutput": "interfaces",
    "EncoderState": "interfaces",
    "LSTTA": "lstta",
    "LSTTAAdapter": "lstta",
    "LanguageSpec": "interfaces",
    "Layout": "layout",
    "Method": "interfaces",
    "Modality": "interfaces",
    "PluginError": "plugins",
    "Readout": "readout",
    "Stage": "interfaces",
    "Stream": "interfaces",
    "TrimodalModel": "trimodal",
    "TrimodalOutput": "trimodal",
    "UnknownNameError": "plugins",
    "VisualSpec": "interfaces",
    "hookimpl": "hookspecs",
    "installed_plugins": "plugins",
    "read_adapter": "adapter_files",
    "save_adapter": "adapter_files",
}

__all__ = sorted(_HOME)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__

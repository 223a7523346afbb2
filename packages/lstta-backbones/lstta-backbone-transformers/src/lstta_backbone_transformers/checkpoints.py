"""From a hub id or a local directory to the weights of one encoder. Safetensors only, and no code from the hub."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import ModelCard, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from torch import nn

from lstta_backbone_transformers.families import FAMILIES, LOADERS, NEEDS_TIMM, AnyFamily, parts_of, supported
from lstta_core.interfaces import Modality

TESTED = ("5.23", "5.24")
"""The minor versions of transformers that the block paths were checked with."""

FILES = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.model", "*.jinja", "README.md"]
"""What is fetched of a hub repository."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk.

    Attributes:
        name: the hub id, or the folder's name.
        revision: of the hub, None for local directories and where none was asked for.
        folder: where its files are.
        config: ``config.json``.
        settings: ``preprocessor_config.json``, empty where there is none.
        licence: of the weights, as the model card's header says it, or None.
    """

    name: str
    revision: str | None
    folder: Path
    config: Mapping[str, Any]
    settings: Mapping[str, Any]
    licence: str | None


@dataclass(frozen=True)
class Part:
    """One encoder of a checkpoint: the library's module and its family's declaration."""

    model: nn.Module
    family: AnyFamily


def locate(model: str | Path, revision: str | None) -> Checkpoint:
    """Find a checkpoint, downloading it where it is a hub id that is not cached.

    Raises:
        FileNotFoundError: a local path without a model in it.
        ConnectionError: the hub cannot be reached.
        PermissionError: the model is gated and no token gives access.
        ValueError: no such model or revision on the hub.
    """
    check_version()
    folder = Path(model).expanduser()
    if folder.is_dir():
        name, revision = folder.resolve().name, None
    elif _is_path(model):
        raise FileNotFoundError(f"{folder}: no such directory; give a hub id, or a directory with a config.json")
    else:
        name, folder = str(model), _download(str(model), revision)
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder / 'config.json'}: no such file; this is not the directory of a model")
    return Checkpoint(
        name=name,
        revision=revision,
        folder=folder,
        config=_json(folder / "config.json"),
        settings=_settings(folder),
        licence=_licence(folder / "README.md"),
    )


def check_version() -> None:
    """Raise an ImportError where the installed transformers is of a minor version that was not tested."""
    minor = ".".join(transformers.__version__.split(".")[:2])
    if minor not in TESTED:
        raise ImportError(
            f"lstta-backbone-transformers was tested with transformers {' and '.join(TESTED)} and not with "
            f"{transformers.__version__}: block paths are private and move between versions. "
            f"Install transformers=={TESTED[-1]}.*"
        )


def load_part(checkpoint: Checkpoint, modality: Modality, *, dtype: torch.dtype, attention: str | None = None) -> Part:
    """Load the encoder of one modality. The others of a bimodal checkpoint wait until they are asked for.

    Raises:
        ValueError: the architecture is not supported, has no encoder of this modality, or weights are missing.
    """
    _check_supported(checkpoint, modality)
    key = (checkpoint.folder, checkpoint.revision, dtype, attention)
    waiting = _WAITING.get(key, {})
    if modality not in waiting:
        waiting = _load(checkpoint, dtype, attention)
    part = waiting.pop(modality)
    _WAITING.pop(key, None)
    if waiting:
        _WAITING[key] = waiting
        while len(_WAITING) > MOST_WAITING:
            _WAITING.popitem(last=False)
    return part


SPEAKING = ("llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "smollm3", "gpt2")
"""The model types that speak. SmolLM of the first two series is a Llama."""


def load_speaking(checkpoint: Checkpoint, *, dtype: torch.dtype, attention: str | None = None) -> Part:
    """Load a causal language model, head included.

    Raises:
        ValueError: the architecture does not speak, or weights are missing.
    """
    model_type = str(checkpoint.config.get("model_type"))
    if model_type not in SPEAKING:
        raise ValueError(
            f"{checkpoint.name}: the architecture {model_type!r} does not speak here; those that do are "
            f"{', '.join(SPEAKING)}. As an encoder that answers nothing, load it with hf-language"
        )
    _check_supported(checkpoint, Modality.LANGUAGE)
    model, report = _from_files("AutoModelForCausalLM", checkpoint, dtype, attention)
    family = FAMILIES[model_type]
    _fill(checkpoint, model, family, list(report["missing_keys"]))
    return Part(model, family)


MOST_WAITING = 2
"""How many bimodal checkpoints are kept in memory for their other encoder; a fresh one is made after it is taken."""

_WAITING: OrderedDict[tuple[Path, str | None, torch.dtype, str | None], dict[Modality, Part]] = OrderedDict()


def _is_path(model: str | Path) -> bool:
    return isinstance(model, Path) or model.startswith((".", "/", "~")) or model.count("/") > 1


def _download(model: str, revision: str | None) -> Path:
    local = (
        "Download it where there is a hub, e.g. with\n"
        f"    hf download {model} --local-dir models/{model.split('/')[-1]}\n"
        f"and give that directory in place of the id: model='models/{model.split('/')[-1]}'"
    )
    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=FILES, ignore_patterns=["*/*"]))
    except GatedRepoError as error:
        raise PermissionError(
            f"{model} is gated: accept its terms on its page, then `hf auth login` or set HF_TOKEN. {local}"
        ) from error
    except RevisionNotFoundError as error:
        raise ValueError(f"{model} has no revision {revision!r} on the hub") from error
    except RepositoryNotFoundError as error:
        raise ValueError(
            f"there is no {model!r} on the hub, or it is private and there is no token for it; it is no local "
            "directory either"
        ) from error
    except HFValidationError as error:
        raise ValueError(f"{model!r} is neither a directory nor a hub id such as 'facebook/dinov2-base'") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError) as error:
        raise ConnectionError(f"no model hub can be reached, and {model} is not in the local cache. {local}") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON ({error}); the file is damaged") from error


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / "preprocessor_config.json"
    return _json(path) if path.is_file() else {}


def _licence(card: Path) -> str | None:
    return ModelCard.load(card).data.license if card.is_file() else None


def _check_supported(checkpoint: Checkpoint, modality: Modality) -> None:
    model_type = str(checkpoint.config.get("model_type"))
    parts = parts_of(model_type)
    if not parts:
        raise ValueError(
            f"{checkpoint.name}: the architecture {model_type!r} is not supported for {modality}; supported are "
            f"{', '.join(supported(modality))}. A new family is one row in lstta_backbone_transformers/families/, see "
            "'Adding a family' in the package's README"
        )
    if modality not in parts:
        raise ValueError(
            f"{checkpoint.name} ({model_type}) has no {modality} encoder, it has {', '.join(parts)}; load it with "
            + " or ".join(f"hf-{part}" for part in parts)
        )
    if not list(checkpoint.folder.glob("*.safetensors")):
        raise ValueError(
            f"{checkpoint.folder}: no *.safetensors; other formats can run code and are not read. Convert it once with "
            "save_pretrained of transformers, or choose a revision that has them"
        )


def _load(checkpoint: Checkpoint, dtype: torch.dtype, attention: str | None) -> dict[Modality, Part]:
    model_type = str(checkpoint.config["model_type"])
    if model_type in NEEDS_TIMM and find_spec("timm") is None:
        raise ImportError(f"{checkpoint.name} ({model_type}) holds a vision model of timm: pip install timm")
    model, report = _from_files(LOADERS.get(model_type, "AutoModel"), checkpoint, dtype, attention)
    parts = {}
    for modality, path in parts_of(model_type).items():
        module = model.get_submodule(path)
        prefix = f"{path}." if path else ""
        missing = [name.removeprefix(prefix) for name in report["missing_keys"] if name.startswith(prefix)]
        family = FAMILIES[module.config.model_type]
        _fill(checkpoint, module, family, missing)
        parts[modality] = Part(module, family)
    return parts


def _from_files(
    loader: str, checkpoint: Checkpoint, dtype: torch.dtype, attention: str | None
) -> tuple[Any, Mapping[str, Any]]:
    """The library's model in eval mode, and its report of what was missing."""
    model, report = getattr(transformers, loader).from_pretrained(
        checkpoint.folder,
        dtype=dtype,
        use_safetensors=True,
        attn_implementation=attention,
        trust_remote_code=False,
        local_files_only=True,
        output_loading_info=True,
    )
    return model.eval(), report


def _fill(checkpoint: Checkpoint, module: nn.Module, family: AnyFamily, missing: list[str]) -> None:
    """Leave nothing at random: the library initialises what a checkpoint lacks."""
    lacking = []
    for name in missing:
        pooler = next((p for p in family.poolers if name.startswith(f"{p}.")), None)
        if pooler is not None:
            setattr(module, pooler, None)
        elif name in family.unused:
            nn.init.zeros_(module.get_parameter(name))
        else:
            lacking.append(name)
    if lacking:
        raise ValueError(
            f"{checkpoint.folder}: the weights lack {', '.join(sorted(lacking)[:3])}"
            f"{' and more' if len(lacking) > 3 else ''}; the files are not those of a whole {family.model_type}"
        )

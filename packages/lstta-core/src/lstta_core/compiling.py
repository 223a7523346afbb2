"""Encoder blocks and adapters through ``torch.compile``, in place: same modules, same names, same state dicts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from inspect import signature
from typing import Any

import torch

from lstta_core.lockstep import TrimodalModel

COMPILERS = ("g++", "gcc", "clang++", "cl")
OLDEST = (2, 11)
"""Of torch, whose compiler was seen to work on adapters: that of 2.6 cannot trace a ParameterDict."""
COMPILED = 64
"""How often what torch has compiled for a block may be compiled anew, for blocks of other kinds and other shapes."""


def compile_parts(model: TrimodalModel, **options: Any) -> None:
    """Have torch compile every block of the encoders and every adapter, each when it first runs.

    Only how they run changes, and that within rounding. What torch has compiled for a block serves the other blocks of
    its kind; other shapes and evaluation are compiled anew. Our choice: parts instead of the whole model compile
    sooner, and what encoders do between blocks may be anything.

    Args:
        model: with its adapters; such as are added later are not compiled.
        options: of :func:`torch.compile`: ``mode``, ``dynamic``, ``backend`` and so on.

    Raises:
        ValueError: an encoder does not say which modules its blocks are, torch is too old or does not take an option,
            or there is no compiler on this machine.
    """
    _check_torch()
    modules = [adapter for placed in model.adapters.values() for adapter in placed.children()]
    for modality, encoder in model.by_modality().items():
        for index in range(encoder.depth):
            block = encoder.block(index)
            if block is None:
                raise ValueError(
                    f"the {modality} encoder {type(encoder).__name__} does not say which modules its blocks are, so "
                    "they cannot be compiled: give it the method block"
                )
            modules.append(block)
    if options.get("backend", "inductor") == "inductor":
        _check_compiler()
    for module in modules:
        try:
            module.compile(**{**_defaults(), **options})
        except (TypeError, RuntimeError) as error:
            raise ValueError(f"torch.compile does not take {options}: {error}") from error


def compile_options(given: object) -> dict[str, Any]:
    """The options of :func:`torch.compile` that a config's ``model.compile`` stands for: True, a mode, or options.

    Raises:
        ValueError: it is something else.
    """
    if given is True:
        return {}
    if isinstance(given, str):
        return {"mode": given}
    if isinstance(given, Mapping):
        return dict(given)
    raise ValueError(f"model.compile: True, a mode or a dict of torch.compile's options is wanted, got {given!r}")


def _defaults() -> dict[str, Any]:
    """Encoders whose blocks are of one kind share what is compiled, so there is more of it than torch expects.

    Past its limit torch says so once and runs what is over it uncompiled. Where :func:`torch.compile` has no option for
    the limit, as in torch 2.11, the process's own is raised; a higher one stays.
    """
    if "recompile_limit" in signature(torch.compile).parameters:
        return {"recompile_limit": COMPILED}
    from torch._dynamo import config  # takes seconds to import

    config.recompile_limit = max(COMPILED, config.recompile_limit)
    return {}


def torch_compiles() -> bool:
    """Whether this torch is new enough for adapters."""
    return tuple(int(number) for number in torch.__version__.split(".")[:2]) >= OLDEST


def _check_torch() -> None:
    """Raise a ValueError where torch would fail in the first step, with a trace of its own."""
    if not torch_compiles():
        oldest = ".".join(map(str, OLDEST))
        raise ValueError(
            f"torch.compile needs torch {oldest} or newer here, and this is {torch.__version__}: install a newer one, "
            "or leave compiling out"
        )


def _check_compiler() -> None:
    """Raise a ValueError where torch would fail in the first step, with a trace of its own."""
    if torch.cuda.is_available() and find_spec("triton") is None:
        raise ValueError("torch.compile needs Triton on a GPU, and it is not installed: leave compiling out")
    wanted = [os.environ["CXX"]] if "CXX" in os.environ else COMPILERS
    if not any(shutil.which(name) for name in wanted):
        raise ValueError(
            f"torch.compile needs a C++ compiler, none of {', '.join(wanted)} is there: install one, name it in CXX, "
            "or leave compiling out"
        )

"""What a plugin may implement. A plugin is a module named by an entry point in the group ``lstta``.

Its top module says ``LSTTA_API_VERSION = 2`` and implements at least one of these hooks. It imports nothing heavy:
what it registers are addresses, ``"package.module:attribute"``, that are imported when somebody asks for them.

    from lstta_core.hookspecs import hookimpl

    LSTTA_API_VERSION = 2

    @hookimpl
    def lstta_register_encoders(register):
        register("my-encoder", "my_package.encoder:MyEncoder", modality="audio", summary="what it is")
"""

from __future__ import annotations

from typing import Protocol

import pluggy

API_VERSION = 2

hookspec = pluggy.HookspecMarker("lstta")
hookimpl = pluggy.HookimplMarker("lstta")
"""Marks the functions of a plugin that register what it has."""


class Register(Protocol):
    """Registers one name."""

    def __call__(self, name: str, target: str, *, summary: str, modality: str | None = None) -> None:
        """Register ``target`` ("package.module:attribute") under ``name``; encoders give their modality."""


@hookspec
def lstta_register_encoders(register: Register) -> None:
    """Register factories of encoders: called with keyword arguments from the config, they return an Encoder."""


@hookspec
def lstta_register_methods(register: Register) -> None:
    """Register methods: called with keyword arguments from the config, they return a Method."""


@hookspec
def lstta_register_tasks(register: Register) -> None:
    """Register tasks: called with keyword arguments from the config, they return a Task."""

"""Finding plugins, and what they register. Imports no torch: listing plugins is quick.

Entry points are loaded one by one, so that a broken plugin is reported with its distribution and its traceback and
never takes the others down. This is the only registry of the system.
"""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

import lstta_core.hookspecs as hookspecs
from lstta_core.hookspecs import API_VERSION
from lstta_core.plugin_reports import (
    SELECTION,
    Kind,
    PluginError,
    PluginReport,
    UnknownNameError,
    selected,
    why_not_these_hooks,
    why_not_this_version,
    why_unknown,
)

__all__ = ["Kind", "PluginError", "PluginReport", "Plugins", "Registration", "UnknownNameError", "installed_plugins"]

GROUP = "lstta"
MODALITIES = ("visual", "audio", "language")


@dataclass(frozen=True)
class Registration:
    """One name that a plugin registers.

    Attributes:
        kind: what it is.
        name: what configs call it.
        target: ``"package.module:attribute"``.
        plugin: the entry point that registered it.
        summary: one line for people.
        modality: of an encoder.
    """

    kind: Kind
    name: str
    target: str
    plugin: str
    summary: str
    modality: str | None = None

    def load(self) -> Callable[..., Any]:
        """Import the factory.

        Raises:
            PluginError: it cannot be imported; the cause is chained.
        """
        module, _, attribute = self.target.partition(":")
        try:
            factory: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # a third party's module may raise anything while it is imported
            raise PluginError(
                f"{self.kind} {self.name!r} of plugin {self.plugin!r} points to {self.target}, which cannot be "
                f"imported: {type(error).__name__}: {error}"
            ) from error
        return factory


class Plugins:
    """All installed plugins and what they register.

    Args:
        points: the entry points of the group.
        selection: the value of ``LSTTA_PLUGINS``, None where it is unset.

    Raises:
        PluginError: the selection names an entry point that is not installed.
    """

    def __init__(self, points: Sequence[EntryPoint], selection: str | None = None) -> None:
        self.reports: list[PluginReport] = []
        self.registrations: dict[tuple[Kind, str], Registration] = {}
        allowed = None if selection is None else selected(selection, {point.name for point in points})
        distributions: dict[str, str] = {}
        for point in sorted(points, key=lambda point: (point.name, _distribution(point))):
            report = self._load(point, allowed, distributions)
            self.reports.append(report)
            self.registrations.update({(r.kind, r.name): r for r in report.registrations})

    def _load(self, point: EntryPoint, allowed: set[str] | None, distributions: dict[str, str]) -> PluginReport:
        distribution = _distribution(point)
        version = point.dist.version if point.dist else ""
        if allowed is not None and point.name not in allowed:
            return PluginReport(point.name, distribution, version, "disabled", f"not named in {SELECTION}")
        try:
            if point.name in distributions:
                other = distributions[point.name]
                raise PluginError(f"{other} has an entry point {point.name!r} too; uninstall one of the two")
            distributions[point.name] = distribution
            registrations = self._register(point)
        except PluginError as error:
            return PluginReport(point.name, distribution, version, "broken", str(error))
        except (Exception, SystemExit) as error:  # others' code may raise anything and must not take the rest down
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            return PluginReport(point.name, distribution, version, "broken", reason, traceback.format_exc())
        return PluginReport(point.name, distribution, version, "ok", registrations=tuple(registrations))

    def _register(self, point: EntryPoint) -> list[Registration]:
        module = point.load()
        version = getattr(module, "LSTTA_API_VERSION", None)
        if version != API_VERSION:
            raise PluginError(why_not_this_version(module, version))
        manager = pluggy.PluginManager("lstta")
        manager.add_hookspecs(hookspecs)
        manager.register(module, name=point.name)
        try:
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(why_not_these_hooks(module, error)) from error
        if not manager.get_hookcallers(module):
            raise PluginError("it implements none of lstta's hooks: decorate one with @hookimpl")
        registrations: list[Registration] = []
        manager.hook.lstta_register_encoders(register=self._register_into(registrations, "encoder", point.name))
        manager.hook.lstta_register_methods(register=self._register_into(registrations, "method", point.name))
        manager.hook.lstta_register_tasks(register=self._register_into(registrations, "task", point.name))
        return registrations

    def _register_into(self, registrations: list[Registration], kind: Kind, plugin: str) -> Callable[..., None]:
        def register(name: str, target: str, *, summary: str, modality: str | None = None) -> None:
            if ":" not in target:
                raise PluginError(f"{kind} {name!r}: the target must be 'package.module:attribute', got {target!r}")
            if kind == "encoder" and modality not in MODALITIES:
                raise PluginError(f"encoder {name!r}: modality must be one of {MODALITIES}, got {modality!r}")
            own = next((r for r in registrations if (r.kind, r.name) == (kind, name)), None)
            other = own or self.registrations.get((kind, name))
            if other is not None:
                raise PluginError(f"{kind} {name!r} is registered by plugin {other.plugin!r} already")
            registrations.append(Registration(kind, name, target, plugin, summary, modality))

        return register

    def names(self, kind: Kind) -> list[str]:
        """The registered names of this kind, sorted."""
        return sorted(name for registered, name in self.registrations if registered == kind)

    def find(self, kind: Kind, name: str) -> Registration:
        """What is registered under this name.

        Raises:
            UnknownNameError: nothing is; the message lists what exists, the nearest name and what is broken.
        """
        registration = self.registrations.get((kind, name))
        if registration is None:
            raise UnknownNameError(why_unknown(kind, name, self.names(kind), self.reports))
        return registration

    def create(self, kind: Kind, name: str, **options: Any) -> Any:
        """Call the factory that is registered under this name.

        Raises:
            UnknownNameError: see :meth:`find`.
            PluginError: the factory cannot be imported.
        """
        return self.find(kind, name).load()(**options)


@cache
def installed_plugins() -> Plugins:
    """The plugins of this environment, found once a process."""
    return Plugins(list(entry_points(group=GROUP)), os.environ.get(SELECTION))


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown distribution"

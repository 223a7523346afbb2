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
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import pluggy

from lstta_core import hookspecs
from lstta_core.hookspecs import API_VERSION

GROUP = "lstta"
SELECTION = "LSTTA_PLUGINS"
"""Environment variable: ``none``, or the names of the entry points to load, separated by commas; all where unset."""

Kind = Literal["encoder", "method", "task"]
State = Literal["ok", "broken", "disabled"]
MODALITIES = ("visual", "audio", "language")


class PluginError(ValueError):
    """A plugin breaks a rule; the message says which and what to do."""


class UnknownNameError(LookupError):
    """No plugin registers this name; the message lists what exists."""


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
            factory = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # a third party's module may raise anything while it is imported
            raise PluginError(
                f"{self.kind} {self.name!r} of plugin {self.plugin!r} points to {self.target}, which cannot be "
                f"imported: {type(error).__name__}: {error}"
            ) from error
        return factory


@dataclass(frozen=True)
class PluginReport:
    """What became of one entry point.

    Attributes:
        name: of the entry point.
        distribution: that installed it, with its version.
        version: of the distribution.
        state: whether it is in use.
        reason: why not, in one line; empty where it is.
        details: the traceback of a broken one.
        registrations: what it registers.
    """

    name: str
    distribution: str
    version: str
    state: State
    reason: str = ""
    details: str = ""
    registrations: tuple[Registration, ...] = ()


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
        allowed = None if selection is None else {name.strip() for name in selection.split(",")} - {"", "none"}
        self._check_selection(allowed or set(), {point.name for point in points})
        seen: dict[str, str] = {}
        for point in sorted(points, key=lambda point: (point.name, _distribution(point))):
            report = self._load(point, allowed, seen)
            self.reports.append(report)
            self.registrations.update({(r.kind, r.name): r for r in report.registrations})

    @staticmethod
    def _check_selection(allowed: set[str], installed: set[str]) -> None:
        unknown = sorted(allowed - installed)
        if unknown:
            raise PluginError(
                f"{SELECTION} names {', '.join(unknown)}, which no installed plugin is called; "
                f"installed: {', '.join(sorted(installed)) or 'none'}"
            )

    def _load(self, point: EntryPoint, allowed: set[str] | None, seen: dict[str, str]) -> PluginReport:
        distribution = _distribution(point)
        version = point.dist.version if point.dist else ""
        if allowed is not None and point.name not in allowed:
            return PluginReport(point.name, distribution, version, "disabled", f"not named in {SELECTION}")
        try:
            if point.name in seen:
                raise PluginError(f"{seen[point.name]} has an entry point {point.name!r} too; uninstall one of the two")
            seen[point.name] = distribution
            registrations = self._register(point)
        except PluginError as error:
            return PluginReport(point.name, distribution, version, "broken", str(error))
        except (Exception, SystemExit) as error:  # others' code may raise anything and must not take the rest down
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            return PluginReport(point.name, distribution, version, "broken", reason, traceback.format_exc())
        return PluginReport(point.name, distribution, version, "ok", registrations=tuple(registrations))

    def _register(self, point: EntryPoint) -> list[Registration]:
        module = point.load()
        api = getattr(module, "LSTTA_API_VERSION", None)
        if api != API_VERSION:
            raise PluginError(
                f"LSTTA_API_VERSION is {api!r}, this lstta-core speaks {API_VERSION}: "
                + ("update the plugin" if not isinstance(api, int) or api < API_VERSION else "update lstta-core")
            )
        manager = pluggy.PluginManager("lstta")
        manager.add_hookspecs(hookspecs)
        manager.register(module, name=point.name)
        try:
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(f"unknown hook: {error}") from error
        if not manager.get_hookcallers(module):
            raise PluginError("it implements none of lstta's hooks: decorate one with @hookimpl")
        found: list[Registration] = []
        manager.hook.lstta_register_encoders(register=self._register_into(found, "encoder", point.name))
        manager.hook.lstta_register_methods(register=self._register_into(found, "method", point.name))
        manager.hook.lstta_register_tasks(register=self._register_into(found, "task", point.name))
        return found

    def _register_into(self, found: list[Registration], kind: Kind, plugin: str) -> Callable[..., None]:
        def register(name: str, target: str, *, summary: str, modality: str | None = None) -> None:
            if ":" not in target:
                raise PluginError(f"{kind} {name!r}: the target must be 'package.module:attribute', got {target!r}")
            if kind == "encoder" and modality not in MODALITIES:
                raise PluginError(f"encoder {name!r}: modality must be one of {MODALITIES}, got {modality!r}")
            own = next((r for r in found if (r.kind, r.name) == (kind, name)), None)
            other = own or self.registrations.get((kind, name))
            if other is not None:
                raise PluginError(f"{kind} {name!r} is registered by plugin {other.plugin!r} already")
            found.append(Registration(kind, name, target, plugin, summary, modality))

        return register

    def names(self, kind: Kind) -> list[str]:
        """The registered names of this kind, sorted."""
        return sorted(name for k, name in self.registrations if k == kind)

    def find(self, kind: Kind, name: str) -> Registration:
        """What is registered under this name.

        Raises:
            UnknownNameError: nothing is; the message lists what exists, the nearest name and what is broken.
        """
        registration = self.registrations.get((kind, name))
        if registration is not None:
            return registration
        names = self.names(kind)
        near = get_close_matches(name, names, n=1)
        broken = [f"{r.distribution} ({r.reason})" for r in self.reports if r.state == "broken"]
        message = f"no {kind} is named {name!r}."
        message += f" Did you mean {near[0]!r}?" if near else ""
        message += f" Installed: {', '.join(names) or 'none'}."
        disabled = [r.name for r in self.reports if r.state == "disabled"]
        message += f" Disabled by {SELECTION}: {', '.join(disabled)}." if disabled else ""
        message += f" Broken plugins: {'; '.join(broken)}." if broken else ""
        raise UnknownNameError(f"{message} Others come with plugins: pip install the distribution that has it.")

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

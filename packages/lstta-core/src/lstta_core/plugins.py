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
from typing import Any, get_args

import pluggy

import lstta_core.hookspecs as hookspecs
from lstta_core.hookspecs import API_VERSION
from lstta_core.plugin_reports import (
    SELECTION,
    Kind,
    PluginError,
    PluginReport,
    UnknownNameError,
    distribution_of,
    is_built_in,
    plain_name,
    selected,
    why_ambiguous,
    why_not_these_hooks,
    why_not_this_version,
    why_refused,
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
        distribution: that installed the plugin.
        version: of the distribution.
    """

    kind: Kind
    name: str
    target: str
    plugin: str
    summary: str
    modality: str | None = None
    distribution: str = ""
    version: str = ""

    @property
    def full_name(self) -> str:
        """``distribution/name``, which a config may say too."""
        return f"{self.distribution}/{self.name}"

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
                f"imported: {type(error).__name__}: {error}; it is of {self.distribution} {self.version}".rstrip()
            ) from error
        return factory


class Plugins:
    """All installed plugins and what they register.

    Names that this repository's own distributions register are theirs: whoever else registers one is refused that name
    alone. A name that two others register is neither's: it is asked for as ``distribution/name``.

    Args:
        points: the entry points of the group.
        selection: the value of ``LSTTA_PLUGINS``, None where it is unset.

    Attributes:
        reports: one an entry point.
        packages: whose code each top-level package is: distribution and version, or None where it is ours.

    Raises:
        PluginError: the selection names an entry point that is not installed.
    """

    def __init__(self, points: Sequence[EntryPoint], selection: str | None = None) -> None:
        self.reports: list[PluginReport] = []
        self._named: dict[tuple[Kind, str], list[Registration]] = {}
        self.packages: dict[str, tuple[str, str] | None] = {}
        allowed = None if selection is None else selected(selection, points)
        for point in sorted(points, key=lambda p: (not is_built_in(p), p.name, distribution_of(p), p.value)):
            report = self._load(point, allowed is None or any(point is one for one in allowed))
            self.reports.append(report)
            owner = None if is_built_in(point) else (report.distribution, report.version)
            self.packages.setdefault(point.module.partition(".")[0], owner)
            for registration in report.registrations:
                self._named.setdefault((registration.kind, registration.name), []).append(registration)
                self.packages.setdefault(registration.target.partition(":")[0].partition(".")[0], owner)
        self.reports.sort(key=lambda report: (report.name, report.distribution))

    def _load(self, point: EntryPoint, allowed: bool) -> PluginReport:
        distribution, version = distribution_of(point), point.dist.version if point.dist else ""
        if not allowed:
            return PluginReport(point.name, distribution, version, "disabled", f"not named in {SELECTION}")
        refused: list[str] = []
        try:
            registrations = self._register(point, refused)
        except PluginError as error:
            return PluginReport(point.name, distribution, version, "broken", str(error))
        except (Exception, SystemExit) as error:  # others' code may raise anything and must not take the rest down
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            return PluginReport(point.name, distribution, version, "broken", reason, traceback.format_exc())
        return PluginReport(
            point.name, distribution, version, "ok", registrations=tuple(registrations), refused=tuple(refused)
        )

    def _register(self, point: EntryPoint, refused: list[str]) -> list[Registration]:
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
        manager.hook.lstta_register_encoders(register=self._register_into(registrations, refused, "encoder", point))
        manager.hook.lstta_register_methods(register=self._register_into(registrations, refused, "method", point))
        manager.hook.lstta_register_tasks(register=self._register_into(registrations, refused, "task", point))
        return registrations

    def _register_into(
        self, registrations: list[Registration], refused: list[str], kind: Kind, point: EntryPoint
    ) -> Callable[..., None]:
        distribution, version = distribution_of(point), point.dist.version if point.dist else ""

        def register(name: str, target: str, *, summary: str, modality: str | None = None) -> None:
            if ":" not in target:
                raise PluginError(f"{kind} {name!r}: the target must be 'package.module:attribute', got {target!r}")
            if kind == "encoder" and modality not in MODALITIES:
                raise PluginError(f"encoder {name!r}: modality must be one of {MODALITIES}, got {modality!r}")
            others = [
                *self._named.get((kind, name), ()),
                *(r for r in registrations if (r.kind, r.name) == (kind, name)),
            ]
            if (why := why_refused(kind, name, distribution, others)) is not None:
                refused.append(why)
                return
            registrations.append(Registration(kind, name, target, point.name, summary, modality, distribution, version))

        return register

    def names(self, kind: Kind) -> list[str]:
        """The registered names of this kind, sorted; one that several plugins share as ``distribution/name``."""
        shared = [registrations for (of, _), registrations in self._named.items() if of == kind]
        return sorted(r.name if len(some) == 1 else r.full_name for some in shared for r in some)

    @property
    def registrations(self) -> dict[tuple[Kind, str], Registration]:
        """All of them, by kind and the name that :meth:`names` gives."""
        return {(kind, name): self.find(kind, name) for kind in get_args(Kind) for name in self.names(kind)}

    def matches(self, kind: Kind, name: str) -> list[Registration]:
        """All that this name may mean: one, or several of as many distributions, or none."""
        if found := self._named.get((kind, name)):
            return list(found)
        distribution, _, own = name.partition("/")
        same = self._named.get((kind, own), ())
        return [r for r in same if plain_name(r.distribution) == plain_name(distribution)]

    def find(self, kind: Kind, name: str, *, among: str | None = None) -> Registration:
        """What is registered under this name.

        Args:
            kind: what is wanted.
            name: as it was registered, or ``distribution/name``.
            among: the distribution whose registration is meant where several have one.

        Raises:
            UnknownNameError: nothing is, and the message lists what exists, the nearest name and what is broken; or
                two distributions register it, and the message names both.
        """
        found = self.matches(kind, name)
        if len(found) > 1 and among is not None:
            found = [r for r in found if plain_name(r.distribution) == plain_name(among)] or found
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownNameError(why_ambiguous(kind, name, found))
        raise UnknownNameError(why_unknown(kind, name, self.names(kind), self.reports))

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

"""What is said of plugins: a report of each, and why one is broken or a name unknown. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from lstta_core.hookspecs import API_VERSION

if TYPE_CHECKING:
    from lstta_core.plugins import Registration

SELECTION = "LSTTA_PLUGINS"
"""Environment variable: ``none``, or the names of the entry points to load, separated by commas; all where unset."""
BUILT_IN = frozenset(
    f"lstta-{name}" for name in ("core", "tasks", "world", "method-peft", "backbone-tiny", "backbone-transformers")
)
"""This repository's distributions: whatever names they register are theirs."""

Kind = Literal["encoder", "method", "task"]
State = Literal["ok", "broken", "disabled"]

RENAMED = {
    "lstta_register_adapters": "rename the hook lstta_register_adapters to lstta_register_methods",
    "lstta_register_encoders": "have Encoder.finish return the tokens alone, without EncoderOutput",
}
"""What a plugin for version 1 has to do, by the hook that it implements."""


class PluginError(ValueError):
    """A plugin breaks a rule; the message says which and what to do."""


class UnknownNameError(LookupError):
    """No plugin registers this name; the message lists what exists."""


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
        refused: names that it cannot have, with the reason, one line each; its others are in use.
    """

    name: str
    distribution: str
    version: str
    state: State
    reason: str = ""
    details: str = ""
    registrations: tuple[Registration, ...] = ()
    refused: tuple[str, ...] = ()


def plain_name(distribution: str) -> str:
    """A distribution's name without what does not count: ``My_Plugin`` and ``my-plugin`` are one."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def distribution_of(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown distribution"


def is_built_in(point: EntryPoint) -> bool:
    """Whether this repository installed it."""
    return plain_name(distribution_of(point)) in BUILT_IN


def selected(selection: str, installed: Sequence[EntryPoint]) -> list[EntryPoint]:
    """The entry points that a value of ``LSTTA_PLUGINS`` allows.

    A name that one of ours has means that one; another's is ``distribution/name``, which any may be called.

    Raises:
        PluginError: it names one that is not installed.
    """
    allowed: list[EntryPoint] = []
    unknown = []
    for name in sorted({name.strip() for name in selection.split(",")} - {"", "none"}):
        same = [point for point in installed if point.name == name]
        meant = [point for point in same if is_built_in(point)] or same
        meant = meant or [point for point in installed if f"{plain_name(distribution_of(point))}/{point.name}" == name]
        allowed += meant
        unknown += [] if meant else [name]
    if unknown:
        names = sorted({point.name for point in installed})
        raise PluginError(
            f"{SELECTION} names {', '.join(unknown)}, which no installed plugin is called; "
            f"installed: {', '.join(names) or 'none'}"
        )
    return allowed


def why_refused(kind: Kind, name: str, distribution: str, others: Sequence[Registration]) -> str | None:
    """Why a distribution cannot have a name that others have registered; None where it can."""
    if "/" in name:
        return f"{kind} {name!r} has a slash in its name, which stands between distribution and name: take it out"
    for other in others:
        if plain_name(other.distribution) in BUILT_IN:
            return f"{kind} {name!r} is {other.distribution}'s own: register it under another name"
        if plain_name(other.distribution) == plain_name(distribution):
            return f"{kind} {name!r} is registered by plugin {other.plugin!r} of {other.distribution} already"
    return None


def why_ambiguous(kind: Kind, name: str, found: Sequence[Registration]) -> str:
    """What a config has to say where several distributions register a name."""
    by = " and ".join(f"{r.distribution} {r.version}".rstrip() for r in found)
    choices = " or ".join(f"name={r.full_name!r}" for r in found)
    return f"{kind} {name!r} is registered by {by}: say which with {choices}"


def why_not_this_version(module: ModuleType, version: object) -> str:
    """One line for a plugin of another version of the interface: what to do about it."""
    line = f"LSTTA_API_VERSION is {version!r}, this lstta-core speaks {API_VERSION}: "
    if version == 1:
        steps = [step for hook, step in RENAMED.items() if hook in vars(module)]
        return line + "; ".join([*steps, f"say LSTTA_API_VERSION = {API_VERSION}"])
    return line + ("update lstta-core" if isinstance(version, int) and version > API_VERSION else "update the plugin")


def why_not_these_hooks(module: ModuleType, error: Exception) -> str:
    """One line for a plugin that implements a hook which there is not, or not with these arguments."""
    renamed = "lstta_register_adapters"
    return f"unknown hook: {RENAMED[renamed] if renamed in vars(module) else error}"


def why_unknown(kind: Kind, name: str, names: Sequence[str], reports: Iterable[PluginReport]) -> str:
    """What there is in the place of an unknown name: what exists, the nearest name and what is broken."""
    near = get_close_matches(name, names, n=1)
    broken = [f"{r.distribution} ({r.reason})" for r in reports if r.state == "broken"]
    refused = [
        f"{r.distribution} ({line})" for r in reports for line in r.refused if repr(name.partition("/")[2]) in line
    ]
    disabled = [r.name for r in reports if r.state == "disabled"]
    message = f"no {kind} is named {name!r}."
    message += f" Did you mean {near[0]!r}?" if near else ""
    message += f" Installed: {', '.join(names) or 'none'}."
    message += f" Disabled by {SELECTION}: {', '.join(disabled)}." if disabled else ""
    message += f" Broken plugins: {'; '.join(broken)}." if broken else ""
    message += f" Refused: {'; '.join(refused)}." if refused else ""
    return f"{message} Others come with plugins: pip install the distribution that has it."

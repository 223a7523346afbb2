"""What is said of plugins: a report of each, and why one is broken or a name unknown. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from lstta_core.hookspecs import API_VERSION

if TYPE_CHECKING:
    from lstta_core.plugins import Registration

SELECTION = "LSTTA_PLUGINS"
"""Environment variable: ``none``, or the names of the entry points to load, separated by commas; all where unset."""

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
    """

    name: str
    distribution: str
    version: str
    state: State
    reason: str = ""
    details: str = ""
    registrations: tuple[Registration, ...] = ()


def selected(selection: str | None, installed: Iterable[str]) -> set[str] | None:
    """The entry points that a value of ``LSTTA_PLUGINS`` allows; None for all.

    Raises:
        PluginError: it names one that is not installed.
    """
    if selection is None:
        return None
    allowed = {name.strip() for name in selection.split(",")} - {"", "none"}
    if unknown := sorted(allowed - set(installed)):
        raise PluginError(
            f"{SELECTION} names {', '.join(unknown)}, which no installed plugin is called; "
            f"installed: {', '.join(sorted(installed)) or 'none'}"
        )
    return allowed


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
    disabled = [r.name for r in reports if r.state == "disabled"]
    message = f"no {kind} is named {name!r}."
    message += f" Did you mean {near[0]!r}?" if near else ""
    message += f" Installed: {', '.join(names) or 'none'}."
    message += f" Disabled by {SELECTION}: {', '.join(disabled)}." if disabled else ""
    message += f" Broken plugins: {'; '.join(broken)}." if broken else ""
    return f"{message} Others come with plugins: pip install the distribution that has it."

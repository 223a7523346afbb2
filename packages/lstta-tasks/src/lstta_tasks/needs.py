"""Whose code an adapter needs: the distributions, with their versions, that its record names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from typing import Any

from lstta_core.plugins import Kind, Registration, UnknownNameError, installed_plugins

Needs = dict[str, dict[str, str]]
KEY = "needs"


def needs_of(record: Mapping[str, Any], modalities: Iterable[str]) -> Needs:
    """Distribution and version of encoders, method, task and what holds them together, by their keys in the record."""
    found = {"model": {"distribution": "lstta-core", "version": version("lstta-core")}}
    for modality in modalities:
        found[f"encoders.{modality}"] = _home("encoder", record["encoders"][modality]["name"])
    for kind in ("method", "task"):
        found[kind] = _home(kind, record[kind]["name"])
    return {key: home for key, home in found.items() if home}


def registered_name(record: Mapping[str, Any], kind: Kind, key: str, name: str) -> str:
    """The name to ask plugins for: that of the recorded distribution, where several have it now.

    Raises:
        UnknownNameError: nobody has it; the message says who had.
    """
    plugins = installed_plugins()
    distribution, was = needed(record, key)
    try:
        found: Registration = plugins.find(kind, name, among=distribution)
    except UnknownNameError as error:
        if not distribution:
            raise
        raise UnknownNameError(f"{error} The adapter needs that of {distribution} {was}".rstrip()) from error
    return name if len(plugins.matches(kind, name)) == 1 else found.full_name


def needed(record: Mapping[str, Any], key: str) -> tuple[str | None, str]:
    """Distribution and version that a record names; None for the distribution where it names none."""
    needs = record.get(KEY)
    home = needs.get(key) if isinstance(needs, Mapping) else None
    if not isinstance(home, Mapping) or not isinstance(home.get("distribution"), str):
        return None, ""
    return home["distribution"], str(home.get("version", ""))


def _home(kind: Kind, name: str) -> dict[str, str]:
    """Of a plugin's name, or of a callable, which is recorded as ``module:name``; empty where nobody knows."""
    if ":" in name:
        package = name.partition(":")[0].partition(".")[0]
        # An editable installation tells no packages; then the two most often share a name.
        distribution = next(iter(_distributions().get(package, ())), package.replace("_", "-"))
        try:
            return {"distribution": distribution, "version": version(distribution)}
        except PackageNotFoundError:
            return {}
    found = installed_plugins().matches(kind, name)
    return {"distribution": found[0].distribution, "version": found[0].version} if len(found) == 1 else {}


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Of each package. This reads about all that is installed: a third of a second, and each best adapter asks."""
    return packages_distributions()

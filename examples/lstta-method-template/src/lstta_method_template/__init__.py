"""Registers the method. Nothing heavy is imported here, so that listing plugins stays quick."""

from __future__ import annotations

from lstta_core import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_methods(register: Register) -> None:
    register(
        "clip-mean",
        "lstta_method_template.clip_mean:ClipMean",
        summary="bottlenecks that hear the mean of the whole clip",
    )

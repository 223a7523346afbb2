"""The methods of lstta-core, registered through the hook that is everybody's."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 1


@hookimpl
def lstta_register_adapters(register: Register) -> None:
    register("lstta", "lstta_core.lstta:LSTTA", summary="long short-term trimodal adapters")

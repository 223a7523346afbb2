"""The plugin: registers ``lora``. Imports nothing heavy."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_methods(register: Register) -> None:
    register("lora", "lstta_method_peft.lora:LoRA", summary="low-rank updates of queries and values, through peft")

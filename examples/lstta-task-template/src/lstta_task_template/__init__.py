"""Registers the task. Nothing heavy is imported here, so that listing plugins stays quick."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_tasks(register: Register) -> None:
    register("tags", "lstta_task_template.tags:Tags", summary="any number of tags for a video, from a CSV file")

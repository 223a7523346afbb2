"""Keys of configs that have another name now. The old ones still work, and whoever uses one is told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config

RENAMED = {"clips.features": "clips.prefix"}


def rename(config: Config, old: str) -> None:
    """Give what a config says under an old key the name it has now."""
    section, key = old.split(".")
    config[section][renamed(old).removeprefix(f"{section}.")] = config[section].pop(key)


def renamed(old: str) -> str:
    """The name of an old key now."""
    print(f"{old} is called {RENAMED[old]} now", file=sys.stderr)
    return RENAMED[old]

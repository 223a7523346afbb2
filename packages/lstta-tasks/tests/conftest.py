"""Fixtures of the tests of lstta-tasks."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from shared import few_pictures, run, world

__all__ = ["few_pictures", "run", "world"]

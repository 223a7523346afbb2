#!/usr/bin/env python3
"""Generate built-in clips: ``tools/generate.py avqa --out data/built-in/avqa``."""

from lstta_world.command import main

if __name__ == "__main__":
    raise SystemExit(main())

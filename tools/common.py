"""Imported first by every tool: a script's folder comes first in the search for modules, where profile.py and test.py
would hide the standard library's. It goes last."""

import sys
from pathlib import Path

for entry in list(sys.path):
    if Path(entry).resolve() == Path(__file__).resolve().parent:
        sys.path.remove(entry)
        sys.path.append(entry)

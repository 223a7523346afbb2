"""Whether there is a file to open, before anything opens it."""

from __future__ import annotations

import stat
from pathlib import Path


def missing(path: Path) -> str | None:
    """Why there is nothing to open at a path, or None."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return f"{path}: there is no such file"
    except OSError as error:  # such as a loop of links, a closed folder, or a name that is too long
        return f"{path}: it cannot be looked at ({error.strerror})"
    except ValueError as error:  # of a null byte Pythons say each something else
        return f"{str(path)!r}: not a path ({'it contains a null byte' if chr(0) in str(path) else error})"
    if not stat.S_ISREG(found.st_mode):
        return f"{path}: not a file"
    if found.st_size == 0:
        return f"{path}: the file is empty (0 bytes)"
    return None

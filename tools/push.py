#!/usr/bin/env python3
"""``lstta push``, in a checkout."""

import common  # noqa: F401  # first: it puts this folder behind the standard library

from lstta_tasks.cli.options import user_errors
from lstta_tasks.cli.push import main

if __name__ == "__main__":
    with user_errors():
        raise SystemExit(main())

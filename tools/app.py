#!/usr/bin/env python3
"""``lstta app``, in a checkout."""

import common  # noqa: F401  # first: it puts this folder behind the standard library

from lstta_tasks.cli.app import main
from lstta_tasks.cli.options import user_errors

if __name__ == "__main__":
    with user_errors():
        raise SystemExit(main())

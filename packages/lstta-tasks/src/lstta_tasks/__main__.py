"""``python -m lstta_tasks`` is ``lstta``."""

from lstta_tasks.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())

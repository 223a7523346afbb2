"""``python -m lstta_world avqa --out FOLDER``."""

from lstta_world.command import main

if __name__ == "__main__":
    raise SystemExit(main(prog="python -m lstta_world"))

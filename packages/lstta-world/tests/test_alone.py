"""The world stands alone: it imports nothing of ours, and every package that it imports is one it asks for."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
DISTRIBUTIONS = {"PIL": "pillow"}


def imported() -> Iterator[str]:
    """The first names of all modules that its source imports, at the top of a file or anywhere in it."""
    for path in sorted((PACKAGE / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}:{node.lineno}: a relative import"
                yield str(node.module).split(".")[0]


def test_nothing_of_ours_and_what_it_asks_for() -> None:
    names = set(imported())
    assert "lstta_world" in names
    foreign = names - {"lstta_world"} - sys.stdlib_module_names
    with (PACKAGE / "pyproject.toml").open("rb") as file:
        wanted = {line.split(">")[0] for line in tomllib.load(file)["project"]["dependencies"]}
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} == wanted


def test_modules_that_are_imported_by_name_are_its_own() -> None:
    """The one place is ``generate.py``."""
    calls = [
        ast.unparse(node.args[0])
        for path in sorted((PACKAGE / "src").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module")
    ]
    assert calls == ["f'lstta_world.{entry.module}'"]

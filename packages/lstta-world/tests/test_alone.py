"""The world stands alone: it imports nothing of ours, and every package that it imports is one it asks for."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
DISTRIBUTIONS = {"PIL": "pillow", "espeakng_loader": "espeakng-loader"}
OPTIONAL = "import espeakng_loader"


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
        project = tomllib.load(file)["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    wanted = {line.split(">")[0] for line in [*project["dependencies"], *extras]}
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} == wanted


def test_the_synthesiser_is_loaded_in_a_program_of_its_own() -> None:
    """Its licence is the GPL; no module imports the program."""
    sources = {path.stem: path.read_text(encoding="utf-8") for path in (PACKAGE / "src").rglob("*.py")}
    assert [name for name, source in sources.items() if OPTIONAL in source] == ["say"]
    assert not any(line.endswith(" say") for source in sources.values() for line in source.splitlines())


def test_modules_that_are_imported_by_name_are_its_own() -> None:
    """The one place is ``generate.py``."""
    calls = [
        ast.unparse(node.args[0])
        for path in sorted((PACKAGE / "src").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module")
    ]
    assert calls == ["f'lstta_world.{entry.module}'"]

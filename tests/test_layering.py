"""Dependencies point one way: tools → tasks → core ← backbones. Read from the source, whatever is imported when."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = REPOSITORY / "packages"
OURS = ("lstta_core", "lstta_tasks", "lstta_backbone_tiny", "lstta_backbone_transformers", "lstta_method_peft")


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, at its top or anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield str(node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            yield from (str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant))


def sources(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)
    assert found, folder
    return found


def forbidden(folder: Path, *names: str) -> list[str]:
    """Where a folder's files import one of these packages."""
    return [
        f"{path.relative_to(REPOSITORY)} imports {module}"
        for path in sources(folder)
        for module in imports(path)
        if module.split(".")[0] in names
    ]


def others(*allowed: str) -> tuple[str, ...]:
    return tuple(name for name in OURS if name not in allowed)


def test_core_knows_nobody() -> None:
    core = PACKAGES / "lstta-core" / "src"
    outside = ("mmengine", "transformers", "lmdb", "peft", "av", "tensorboard")
    assert forbidden(core, *others("lstta_core"), *outside) == []


@pytest.mark.parametrize("folder", sorted((PACKAGES / "lstta-backbones").iterdir()), ids=lambda path: path.name)
def test_backbones_know_core_alone(folder: Path) -> None:
    own = folder.name.replace("-", "_")
    assert forbidden(folder / "src", *others("lstta_core", own), "mmengine", "lmdb") == []


def test_the_adapter_from_peft_knows_core_alone() -> None:
    folder = PACKAGES / "lstta-method-peft" / "src"
    assert forbidden(folder, *others("lstta_core", "lstta_method_peft"), "mmengine", "lmdb") == []


def test_tasks_know_core_alone_and_mmengine_in_the_engine_only() -> None:
    tasks = PACKAGES / "lstta-tasks" / "src" / "lstta_tasks"
    assert forbidden(tasks, *others("lstta_core", "lstta_tasks"), "transformers", "peft") == []
    outside = [line for line in forbidden(tasks, "mmengine") if "/lstta_tasks/engine/" not in line]
    assert outside == []
    outside = [
        f"{path.relative_to(tasks)} imports {module}"
        for path in sources(tasks)
        if "engine" not in path.relative_to(tasks).parts
        for module in imports(path)
        if module.startswith("lstta_tasks.experiment")
    ]
    assert outside == []


def test_nobody_imports_the_tools() -> None:
    assert forbidden(PACKAGES, "tools", "common") == []


def test_the_check_sees_imports_of_every_kind(tmp_path: Path) -> None:
    text = "import a.b\ndef f():\n    from c.d import e\n    importlib.import_module('g.h')\n"
    (tmp_path / "module.py").write_text(text)
    assert sorted(imports(tmp_path / "module.py")) == ["a.b", "c.d", "g.h"]

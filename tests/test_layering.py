"""Dependencies point one way: tools → tasks → core ← backbones, methods; the world stands alone.

Read from the source of everything in the repository, whatever is imported when. What is imported for types alone counts
too, but for mmengine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = REPOSITORY / "packages"
TASKS = PACKAGES / "lstta-tasks" / "src" / "lstta_tasks"
WORLD = "lstta_world"
OURS = (
    "lstta_core",
    "lstta_tasks",
    "lstta_backbone_beats",
    "lstta_backbone_tiny",
    "lstta_backbone_transformers",
    "lstta_method_peft",
    WORLD,
)
MMENGINE = {
    "experiment/__init__.py",  # keeps it from loading transformers
    "experiment/batches.py",  # which device, which rank
    "experiment/config.py",  # its configs
    "experiment/distributed.py",  # its start and its wrapping, what ranks tell each other
    "experiment/factories.py",  # its configs
    "experiment/float16.py",  # its optimizer's wrapper
    "experiment/hooks.py",  # its hooks and backends, by their names
    "experiment/loader.py",  # its sampler
    "experiment/parts.py",  # its configs
    "experiment/runner.py",  # its model, metric, optimizer and schedulers
    "experiment/second_pass.py",  # gathering from ranks
    "experiment/sections.py",  # what of it a config sets
    "training/average.py",
    "training/checkpoint_file.py",
    "training/checkpoint_hook.py",
    "training/checkpoints.py",
    "training/early_stop.py",
    "training/events.py",
    "training/guards.py",
    "training/habits.py",
    "training/hook_states.py",
    "training/local_files.py",
    "training/mlflow_runs.py",
    "training/log.py",
    "training/loop.py",
    "training/pictures.py",
    "training/resume.py",
    "training/runner.py",
    "training/steps_loop.py",
    "training/train.py",
    "training/warm_up.py",
    "training/watch.py",
}
"""Where ``lstta_tasks`` imports mmengine when it runs, and what for."""
ROOMS = ("training", "study", "importances", "costs", "explain", "doctor", "demo", "significance", "cli")
"""Features of ``lstta_tasks`` that are made of experiments: ``experiment/`` and what is below it know none of them."""


def imports(path: Path, *, types: bool = True) -> Iterator[str]:
    """The modules that a file imports, at its top or anywhere in it; those for types alone where they are asked for.

    ``from a import b`` gives ``a`` and ``a.b``, since b may be a module.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    branches = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    for_types = [part for node in branches if "TYPE_CHECKING" in ast.unparse(node.test) for part in node.body]
    skipped = set() if types else {inner for part in for_types for inner in ast.walk(part)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            yield from (str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant))


def sources(folder: Path) -> list[Path]:
    """A folder's files, but for shipped configs: these are read, not imported, and build on each other."""
    files = [path for path in sorted(folder.rglob("*.py")) if not {"__pycache__", "configs"} & set(path.parts)]
    assert files, folder
    return files


def forbidden(folder: Path, *names: str, types: bool = True) -> list[str]:
    """Where a folder's files import one of these packages or modules, or something in them."""
    return [
        f"{path.relative_to(REPOSITORY)} imports {module}"
        for path in sources(folder)
        for module in imports(path, types=types)
        if any(f"{module}.".startswith(f"{name}.") for name in names)
    ]


def others(*allowed: str) -> tuple[str, ...]:
    return tuple(name for name in OURS if name not in allowed)


def test_core_knows_nobody() -> None:
    core = PACKAGES / "lstta-core" / "src"
    outside = ("mmengine", "transformers", "lmdb", "peft", "av", "tensorboard")
    assert forbidden(core, *others("lstta_core"), *outside) == []


def test_the_world_knows_nothing_of_ours() -> None:
    assert forbidden(PACKAGES / "lstta-world" / "src", *others(WORLD), "mmengine", "torch", "transformers") == []


@pytest.mark.parametrize("folder", sorted((PACKAGES / "lstta-backbones").iterdir()), ids=lambda path: path.name)
def test_backbones_know_core_alone(folder: Path) -> None:
    own = folder.name.replace("-", "_")
    assert forbidden(folder / "src", *others("lstta_core", own), "mmengine", "lmdb") == []


@pytest.mark.parametrize(
    "folder", sorted((PACKAGES / "lstta-backbones").glob("*/pretraining")), ids=lambda path: path.parent.name
)
def test_pretraining_makes_weights_of_the_world_and_our_tasks(folder: Path) -> None:
    own = folder.parent.name.replace("-", "_")
    assert forbidden(folder, *others("lstta_core", "lstta_tasks", WORLD, own), "mmengine") == []


def test_the_method_from_peft_knows_core_alone() -> None:
    folder = PACKAGES / "lstta-method-peft" / "src"
    assert forbidden(folder, *others("lstta_core", "lstta_method_peft"), "mmengine", "lmdb") == []


def test_tasks_know_core_alone() -> None:
    assert forbidden(TASKS, *others("lstta_core", "lstta_tasks", WORLD), "transformers", "peft") == []
    assert importing(WORLD) == {"cli/generate.py"}


def test_mmengine_is_imported_where_its_runner_its_config_or_its_ranks_are_needed() -> None:
    assert importing("mmengine", types=False) == MMENGINE


def importing(*names: str, types: bool = True) -> set[str]:
    """The files of ``lstta_tasks``, relative to it, that import one of these."""
    return {
        str(path.relative_to(TASKS))
        for path in sources(TASKS)
        for module in imports(path, types=types)
        if any(f"{module}.".startswith(f"{name}.") for name in names)
    }


def test_who_imports_mmengine_has_imported_experiment_before() -> None:
    """Else it loads transformers: see ``experiment/__init__.py``. Packages are imported before what is in them."""
    folders = {TASKS / Path(path).parent for path in MMENGINE} - {TASKS / "experiment"}
    for folder in folders:
        assert "lstta_tasks.experiment" in imports(folder / "__init__.py"), folder


def test_training_is_for_the_command_line_and_for_studies() -> None:
    users = {path for path in importing("lstta_tasks.training") if not path.startswith(("training/", "cli/"))}
    assert users == {"study/run.py"}


def test_experiments_know_no_feature_that_is_made_of_them() -> None:
    features = [*(f"lstta_tasks.{room}" for room in ROOMS), "lstta_tasks.retrieval.embed", "lstta_tasks.prefix.build"]
    below = ("experiment", "prefix", "data", "tasks", "annotations", "answers")
    assert [line for folder in below for line in forbidden(TASKS / folder, *features)] == []


def test_data_and_tasks_know_no_experiment() -> None:
    upwards = ("lstta_tasks.experiment", "lstta_tasks.prefix", "lstta_tasks.adapters")
    assert [line for folder in ("data", "tasks", "annotations") for line in forbidden(TASKS / folder, *upwards)] == []


def test_nobody_imports_the_tools() -> None:
    assert forbidden(PACKAGES, "tools", "common") == []


def test_benchmarks_may_import_what_they_measure_and_the_world() -> None:
    benchmarks = REPOSITORY / "benchmarks"
    assert forbidden(benchmarks, *others("lstta_core", "lstta_tasks", "lstta_backbone_transformers", WORLD)) == []


def test_studies_import_nothing_of_ours() -> None:
    assert forbidden(TASKS / "studies", *OURS) == []


@pytest.mark.parametrize("folder", sorted((REPOSITORY / "examples").iterdir()), ids=lambda path: path.name)
def test_examples_import_what_a_plugin_of_somebody_else_may(folder: Path) -> None:
    allowed = ("lstta_core", "lstta_tasks") if "task" in folder.name else ("lstta_core",)
    assert forbidden(folder, *others(*allowed), "mmengine", "transformers") == []


def test_the_check_sees_imports_of_every_kind(tmp_path: Path) -> None:
    text = (
        "import a.b\ndef f():\n    from c.d import e\n    importlib.import_module('g.h')\n"
        "if TYPE_CHECKING:\n    from i import j\n"
    )
    (tmp_path / "module.py").write_text(text)
    assert sorted(imports(tmp_path / "module.py")) == ["a.b", "c.d", "c.d.e", "g.h", "i", "i.j"]
    assert sorted(imports(tmp_path / "module.py", types=False)) == ["a.b", "c.d", "c.d.e", "g.h"]


def test_no_file_is_longer_than_a_reader_likes() -> None:
    folders = [REPOSITORY / name for name in ("packages", "benchmarks", "examples", "studies", "tests", "tools")]
    files = [path for folder in folders for path in folder.rglob("*.py") if "__pycache__" not in path.parts]
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in files}
    assert {str(path.relative_to(REPOSITORY)): lines for path, lines in lengths.items() if lines > 350} == {}

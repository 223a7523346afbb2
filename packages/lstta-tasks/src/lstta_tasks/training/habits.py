"""What a config has of MMEngine's habits besides, made: hooks, options of the logger, further backends."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.visualization.vis_backend import BaseVisBackend

from lstta_tasks.experiment.factories import call, callable_of, plain
from lstta_tasks.training.checkpoints import Checkpoint
from lstta_tasks.training.local_files import LocalFiles
from lstta_tasks.training.mlflow_runs import MLflowVisBackend

NEEDS = {
    "WandbVisBackend": "wandb",
    "MLflowVisBackend": "mlflow",
    "ClearMLVisBackend": "clearml",
    "NeptuneVisBackend": "neptune",
    "DVCLiveVisBackend": "dvclive",
    "AimVisBackend": "aim",
}
"""What MMEngine's backends import, by the name of the distribution too."""


def habits_of(
    config: Config, work_dir: Path, checkpoint: Checkpoint | None
) -> tuple[list[Hook], dict[str, Any], list[BaseVisBackend]]:
    """Hooks, options of MMEngine's LoggerHook, and backends, of a config that was checked.

    Args:
        config: whose.
        work_dir: the run folder.
        checkpoint: that the run goes on from.

    Raises:
        ValueError: a hook or a backend refuses its options, or what it needs is not installed.
    """
    sections = {key: plain(config.get(key)) for key in ("custom_hooks", "default_hooks", "vis_backends")}
    hooks = [_made(f"custom_hooks.{place}", one) for place, one in enumerate(sections["custom_hooks"] or ())]
    logger = (sections["default_hooks"] or {}).get("logger", {})
    backends = []
    for place, settings in enumerate(sections["vis_backends"] or ()):
        name = callable_of(f"vis_backends.{place}", settings["type"]).__name__
        if find_spec(NEEDS.get(name, "mmengine")) is None:
            raise ValueError(f"vis_backends.{place}: {name} needs {NEEDS[name]}: pip install {NEEDS[name]}")
        if name != "TensorboardVisBackend":  # which every training has as RunEvents
            backends.append(_made(f"vis_backends.{place}", {"save_dir": str(work_dir / "vis_data"), **settings}))
    for backend in backends:
        if isinstance(backend, MLflowVisBackend):
            backend.work_dir = work_dir
        if isinstance(backend, LocalFiles) and checkpoint is not None:
            backend.steps, backend.validated = checkpoint.meta["iter"], checkpoint.validated
    return hooks, {key: value for key, value in logger.items() if key != "type"}, backends


def _made(section: str, settings: dict[str, Any]) -> Any:
    found = callable_of(section, settings["type"])
    try:
        made = call(found, section, {key: value for key, value in settings.items() if key not in ("type", "priority")})
    except AssertionError as error:  # as MMEngine's classes refuse values
        raise ValueError(f"{section}: {found.__name__} refuses its options: {error}") from error
    if "priority" in settings:
        made.priority = settings["priority"]
    return made

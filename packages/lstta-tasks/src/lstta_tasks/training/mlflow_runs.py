"""MLflow's run of a training: MMEngine's backend, where it fails with MLflow of today or copies what it has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mmengine.visualization
import numpy as np


class MLflowVisBackend(mmengine.visualization.MLflowVisBackend):
    """MMEngine's, with a database file in place of a folder of files, which MLflow 3 refuses.

    Args:
        save_dir: where ``mlflow.db`` and ``artifacts/`` are, unless ``options`` have ``tracking_uri``.
        options: MMEngine's.
    """

    def __init__(self, save_dir: str, **options: Any) -> None:
        super().__init__(save_dir, **options)
        self._folder = Path(save_dir).resolve()
        if self._tracking_uri is None:
            self._tracking_uri = f"sqlite:///{(self._folder / 'mlflow.db').as_posix()}"
            self._artifact_location = self._artifact_location or (self._folder / "artifacts").as_uri()

    def add_image(self, name: str, image: np.ndarray[Any, Any], step: int = 0, **kwargs: Any) -> None:
        """As MMEngine's, whose name says neither the format nor the step, so that MLflow takes no picture."""
        super().add_image(f"{name}_{step}.png", image, step, **kwargs)

    def close(self) -> None:
        """Give MLflow the run folder's texts, but none of its own, and end the run."""
        if not hasattr(self, "_mlflow"):
            return
        work_dir = Path(self.cfg.work_dir).resolve()
        for path in sorted(work_dir.rglob("*")):
            if path.name.endswith(self._artifact_suffix) and self._folder not in path.parents:
                self._mlflow.log_artifact(str(path), path.parent.relative_to(work_dir).as_posix())
        self._mlflow.end_run()

"""MLflow's run of a training: MMEngine's backend, where it fails with MLflow of today or copies what it has written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mmengine.visualization
import numpy as np


class MLflowVisBackend(mmengine.visualization.MLflowVisBackend):
    """MMEngine's, with a database file in place of a folder of files, which MLflow 3 refuses.

    Args:
        save_dir: where ``mlflow.db`` and ``artifacts/`` are, unless ``tracking_uri`` is given.
        tracking_uri: of a server, or a database file elsewhere.
        artifact_location: of pictures and texts.
        options: MMEngine's.

    Attributes:
        work_dir: the run folder, whose texts MLflow is given; None for none.
    """

    def __init__(
        self, save_dir: str, tracking_uri: str | None = None, artifact_location: str | None = None, **options: Any
    ) -> None:
        folder = Path(save_dir).resolve()
        if tracking_uri is None:
            tracking_uri = f"sqlite:///{(folder / 'mlflow.db').as_posix()}"
            artifact_location = artifact_location or (folder / "artifacts").as_uri()
        super().__init__(save_dir, tracking_uri=tracking_uri, artifact_location=artifact_location, **options)
        self.work_dir: Path | None = None
        self._folder = folder

    def add_image(self, name: str, image: np.ndarray[Any, Any], step: int = 0, **kwargs: Any) -> None:
        """As MMEngine's, whose name says neither the format nor the step, so that MLflow takes no picture."""
        super().add_image(f"{name}_{step}.png", image, step, **kwargs)

    def close(self) -> None:
        """Give MLflow the run folder's texts, but none of its own, and end the run."""
        if not hasattr(self, "_mlflow"):
            return
        if self.work_dir is not None:
            for path in sorted(self.work_dir.rglob("*")):
                if path.name.endswith(self._artifact_suffix) and self._folder not in path.resolve().parents:
                    within = path.parent.relative_to(self.work_dir).as_posix()
                    self._mlflow.log_artifact(str(path), None if within == "." else within)
        self._mlflow.end_run()

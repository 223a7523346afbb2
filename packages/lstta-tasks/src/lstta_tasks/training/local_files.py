"""MMEngine's local files of a run, ``vis_data/``, which say each step once, however often the run was resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.visualization import LocalVisBackend

from lstta_core.whole_files import write_text
from lstta_tasks.training.events import VALIDATION


class LocalFiles(LocalVisBackend):
    """MMEngine's, from a step on: lines of later ones, which a killed run has written, are taken away.

    Args:
        save_dir: of the files; ``vis_data`` in the run folder unless a config says otherwise.
        options: MMEngine's.

    Attributes:
        steps: of the training that are done when this one begins.
        validated: epochs of it, or steps, that are validated then.
    """

    def __init__(self, save_dir: str, **options: Any) -> None:
        super().__init__(save_dir, **options)
        self.steps, self.validated = 0, 0

    def _init_env(self) -> None:
        super()._init_env()
        for path in sorted(Path(self._save_dir).glob("*.json")):
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _stays(line, self.steps, self.validated)]
            if kept != lines:
                write_text(path, "".join(f"{line}\n" for line in kept))

    def add_image(self, name: str, image: np.ndarray[Any, Any], step: int = 0, **kwargs: Any) -> None:
        """As MMEngine's, which loses a picture in silence where its name has a folder that is not there."""
        _ = self.experiment  # makes the folder's whole name
        (Path(self._img_save_dir) / name).parent.mkdir(parents=True, exist_ok=True)
        super().add_image(name, image, step, **kwargs)


def _stays(line: str, steps: int, validated: int) -> bool:
    """Whether a line is whole and of a step that is done."""
    try:
        said = json.loads(line)
    except ValueError:  # cut by a kill
        return False
    if not isinstance(said, dict) or not isinstance(said.get("step"), int):
        return True
    of_validation = any(name.startswith(VALIDATION) for name in said)
    return bool(said["step"] <= (validated if of_validation else steps))

"""The demo's picture, of any clip and any questions about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from small_world import write_film
from untrained import TOY, predictor

from lstta_core.interfaces import Modality
from lstta_tasks.demo.picture import Asked, save_picture
from lstta_tasks.explain.excerpt import read_media
from lstta_tasks.explain.explain import explain
from lstta_tasks.importances.relevance_file import RelevantSeconds
from lstta_tasks.tasks.avqa import AVQA


def test_relevant_seconds_are_shaded_in_every_question(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_film(film)
    asked = explain(predictor(AVQA(answers=["left", "right", "middle"])), film, ["Which is loud?", "And now?"])
    media = read_media(asked[0].source, TOY, asked[0].duration)

    def drawn(relevant: RelevantSeconds) -> np.ndarray:
        rows = [Asked(explanation, "left", "right", relevant) for explanation in asked]
        save_picture(media, rows, tmp_path / "drawn.png")
        return np.asarray(Image.open(tmp_path / "drawn.png").convert("RGB"))

    plain = drawn(RelevantSeconds({}))
    shaded = drawn(RelevantSeconds({Modality.VISUAL: [(0.0, 0.5)], Modality.AUDIO: [(0.5, 1.0)]}))
    assert plain.shape == shaded.shape
    changed = (plain != shaded).any(-1).any(1)
    assert np.flatnonzero(np.diff(changed.astype(int)) == 1).size == 2  # a band in each of both panels

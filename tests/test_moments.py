"""The built-in moments, from the command to batches: the task `avqa` reads their questions, and every clip decodes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lstta_tasks.cli.main import main
from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.cache import open_cache
from lstta_tasks.data.preprocessing import Preprocessing
from lstta_tasks.importances.relevance_file import check_within_clips, read_relevant_seconds
from lstta_tasks.tasks.avqa import AVQA
from lstta_world.moment_film import draw_picture
from lstta_world.moments import plan
from lstta_world.relevant_seconds import RELEVANT_SECONDS

pytestmark = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason="the speech synthesiser is not installed: lstta-world[speech]"
)
PREPROCESSING = Preprocessing(
    segments=8, frame_size=(56, 84), frames_per_segment=1, fit="squash", sample_rate=16000, sound_seconds=1.0
)


def test_they_are_read_and_decoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "moments"
    arguments = ["--train", "9", "--val", "1", "--test", "2", "--seed", "3", "--workers", "1"]
    assert main(["generate", "moments", "--out", str(root), *arguments]) == 0
    assert "test        2 clips      16 questions" in capsys.readouterr().out

    task = AVQA(root=root)
    assert len(task.samples("train")) == 72
    test = task.samples("test")
    assert all(sample.text.endswith("?") and "<" not in sample.text for sample in test if sample.text)
    relevant = read_relevant_seconds(root / RELEVANT_SECONDS, "test", [sample.id for sample in test])
    assert set(relevant) == {sample.id for sample in test}

    cache = tmp_path / "cache"
    build_cache(cache, task.clips("test"), PREPROCESSING, codec="raw", workers=1)
    reader = open_cache(cache)
    check_within_clips(root / RELEVANT_SECONDS, relevant, {sample.id: 8.0 for sample in test})
    for source, (clip, _) in zip(task.clips("test"), plan("test", 2, 3), strict=True):
        decoded = reader.read(source.id)
        assert decoded.sound is not None
        assert decoded.sound.shape == (8, 16000)
        for frame, picture in zip(decoded.frames[:, 0], clip.pictures, strict=True):
            assert np.abs(frame.mean((0, 1)) - draw_picture(picture).mean((0, 1))).max() < 6

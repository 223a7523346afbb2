"""A task learnt from features alone reaches the score that the same encoders reach on videos."""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path

import pytest
import small_world

from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.features.extract import extract
from lstta_tasks.training.train import train

SEEDS = (0, 1, 2)
COURSE = {"model.adapted": 1, "optim_wrapper.optimizer.lr": 1e-2, "train_cfg.max_epochs": 1}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_score_is_that_of_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adapters stand behind the encoders' last block in both; on videos, before their last norm."""
    monkeypatch.setattr(small_world, "CLIPS", {"train": 23, "val": 5, "test": 23})
    world = small_world.make(tmp_path)
    read = extract(Experiment(load_config(world.config)), tmp_path / "files")
    files = {f"encoders.{one.modality}": {"_delete_": True, **one.settings} for one in read}
    scores: dict[str, list[float]] = {}
    for what, options in (("videos", {}), ("features", files)):
        if what == "features":
            shutil.rmtree(world.root / "videos")
            shutil.rmtree(world.cache)
        for seed in SEEDS:
            config = load_config(world.config, {**COURSE, **options, "seed": seed})
            work_dir = tmp_path / f"{what}_{seed}"
            train(config, work_dir=work_dir)
            report, _ = evaluate(config, work_dir / "best", "test")
            scores.setdefault(what, []).append(report.score("overall").value)
            trivial = report.score("overall").baseline
    means = {what: statistics.mean(values) for what, values in scores.items()}
    deviation = max(map(statistics.stdev, scores.values()))
    sys.stderr.write(f"{scores}, means {means}, deviation of seeds {deviation:.3f}, trivial {trivial:.3f}\n")
    assert trivial is not None
    assert min(means.values()) > trivial
    assert abs(means["videos"] - means["features"]) <= max(deviation, 0.02)

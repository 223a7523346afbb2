"""Real data are ragged: clips without sound or words or with one picture, long texts, any script. All train."""

from __future__ import annotations

import csv
import math
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_world import World, write_film

from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.training.train import train

FILMS: list[dict[str, Any]] = [{}, {"sound": False}, {"pictures": 1}, {"sound": False, "pictures": 1}, {"loud": False}]
TEXTS = ["It is 🙂🎺.", "", "זה טוב مرحبا", " ".join(["word"] * 200), "?"]
SPLITS = {"train": 0, "valid": 1, "test": 2}


def film(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_film(path, **FILMS[number])


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def everything() -> Iterator[tuple[str, int, int]]:
    """Split, number in the split, number in all."""
    for split, first in SPLITS.items():
        for number in range(len(FILMS)):
            yield split, number, first * len(FILMS) + number


def sentiment(root: Path) -> None:
    rows = []
    for split, number, serial in everything():
        film(root / "Raw" / f"v{serial}" / "1.mp4", number)
        label = (number - 2) * 1.5
        rows.append({"video_id": f"v{serial}", "clip_id": 1, "text": TEXTS[number], "label": label, "mode": split})
    write_rows(root / "label.csv", rows)


def emotion(root: Path) -> None:
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "valid": [], "test": []}
    for split, number, _ in everything():
        name = split.replace("valid", "dev")
        film(root / name / f"dia{number // 3}_utt{number % 3}.mp4", number)
        rows[split].append(
            {
                "Utterance": TEXTS[number],
                "Speaker": "Ana",
                "Emotion": ("joy", "anger")[number % 2],
                "Dialogue_ID": number // 3,
                "Utterance_ID": number % 3,
                "StartTime": "00:00:01,000",
                "EndTime": "00:00:02,000",
            }
        )
        write_rows(root / f"{name}_sent_emo.csv", rows[split])


def humor(root: Path) -> None:
    language, folds = {}, {"train": [], "dev": [], "test": []}  # type: ignore[var-annotated]
    for split, number, serial in everything():
        film(root / "urfunny2_videos" / f"{serial}.mp4", number)
        language[serial] = {"punchline_sentence": TEXTS[number] or " ", "context_sentences": TEXTS[:number]}
        folds[split.replace("valid", "dev")].append(serial)
    labels = {serial: serial % 2 for serial in language}
    for name, content in (("data_folds", folds), ("language_sdk", language), ("humor_label_sdk", labels)):
        (root / f"{name}.pkl").write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("write", [sentiment, emotion, humor], ids=lambda write: write.__name__)
def test_ragged_clips_train_and_evaluate(world: World, tmp_path: Path, write: Callable[[Path], None]) -> None:
    root = tmp_path / "data"
    root.mkdir()
    write(root)
    missing = sorted(root.rglob("*.mp4"))[0]
    missing.unlink()
    options = {
        "task": {"_delete_": True, "name": write.__name__, "root": str(root)},
        "clips.cache": str(tmp_path / "cache"),
        "train_cfg.max_epochs": 1,
    }
    config = load_config(world.config, options)
    experiment = Experiment(config)
    built = build_cache(tmp_path / "cache", experiment.task.sources(), experiment.preprocessing, workers=1)
    assert len(built.failed) == 1
    silent = [name for name in experiment.cache.ids() if not experiment.cache.header(name)["has_sound"]]
    assert len(silent) in (5, 6)
    train(config, work_dir=tmp_path / "run")
    left_out = 0
    for split in ("val", "test", "train"):
        report, details = evaluate(config, tmp_path / "run" / "best", split)
        assert all(math.isfinite(score.value) for score in report.scores)
        assert len(details["predictions"]) == len(FILMS) - len(details["missing_clips"])
        left_out += len(details["missing_clips"])
    assert left_out == 1

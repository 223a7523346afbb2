"""A dry run takes a step, says what the run will cost, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_world import World

from lstta_tasks.cli.main import main
from lstta_tasks.experiment.config import load_config
from lstta_tasks.how_long import HowLong, in_words
from lstta_tasks.training.dry_run import dry_run


def test_it_says_what_the_run_will_cost_and_writes_nothing(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["train", str(world.config), "--work-dir", "run", "--dry-run", "--cfg-options", "train_cfg.max_epochs=5"])
    said = capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    for wanted in ("trainable parameters: ", "5 epochs of 6 steps, 30 steps in all; 5 validations of 4 batches",
                   "a step: ", "MB of weights and optimizer", "the whole training: about "):  # fmt: skip
        assert wanted in said


def test_what_it_counts_is_what_a_training_has(world: World, tmp_path: Path) -> None:
    cost = dry_run(load_config(world.config), work_dir=tmp_path / "run")
    assert (cost.left, cost.steps, cost.batches, cost.validations) == (18, 6, 4, 3)
    assert cost.seconds == pytest.approx(18 * cost.step + 12 * cost.batch)
    assert 0 < cost.trainable < cost.parameters
    assert cost.step > 0
    assert cost.step_bytes > 0
    assert cost.resident_bytes >= 4 * cost.parameters + 8 * cost.trainable  # AdamW keeps two numbers for each


def test_of_a_training_by_steps_it_counts_steps(world: World, tmp_path: Path) -> None:
    by_steps = {"train_cfg": {"_delete_": True, "by_epoch": False, "max_iters": 17, "val_interval": 7}}
    cost = dry_run(load_config(world.config, by_steps), work_dir=tmp_path / "run")
    assert (cost.left, cost.steps, cost.validations) == (17, 6, 3)
    assert "2.83 epochs of 6 steps, 17 steps in all; 3 validations" in str(cost)


def test_of_a_run_that_goes_on_it_counts_what_is_left(world: World, run: Path) -> None:
    before = sorted(run.rglob("*"))
    config = load_config(world.config, {"train_cfg.max_epochs": 4})
    assert dry_run(config, work_dir=run, resume=True).left == 6
    assert sorted(run.rglob("*")) == before
    with pytest.raises(ValueError, match="holds a run: give --resume"):
        dry_run(load_config(world.config), work_dir=run)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (89, "89 s"), (91, "2 min"), (5_399, "1 h 30 min"), (12_000, "3 h 20 min"), (200_000, "2 days 7 h")],
)
def test_durations(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_long_run_says_how_long_it_will_take_and_again_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 1_000, 7))
    monkeypatch.setattr("lstta_tasks.how_long.time.monotonic", lambda: next(clock))
    watch = HowLong("cache", 11, "clips")
    for _ in range(11):
        watch.update()
    assert capsys.readouterr().err.splitlines() == [
        "cache: 3 of 11 clips in 21 s, about 56 s to go",
        "cache: 6 of 11 clips in 42 s, about 35 s to go",
    ]

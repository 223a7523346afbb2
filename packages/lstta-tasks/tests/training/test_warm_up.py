"""What is told of a compiled training's first steps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lstta_tasks.training import warm_up
from lstta_tasks.training.warm_up import WarmUpHook


def test_the_first_steps_beyond_the_fastest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Steps of 31, 7, 2, 2, 3 and 1 s: 45 s in the first five, where five of 2 s take 10."""
    clock = iter([0.0, 31.0, 40.0, 47.0, 50.0, 52.0, 60.0, 62.0, 70.0, 73.0, 80.0, 81.0])
    monkeypatch.setattr(warm_up.time, "perf_counter", lambda: next(clock))
    said: list[str] = []
    runner: Any = SimpleNamespace(logger=SimpleNamespace(info=said.append))
    hook = WarmUpHook()
    for step in range(6):
        hook.before_train_iter(runner, step)
        if step < 5:
            assert said == []
            hook.after_train_iter(runner, step)
    assert len(said) == 1
    assert said[0].startswith("warm-up of model.compile: 35.0 s in the first 5 steps (31.00, 7.00, 2.00, 2.00, 3.00 s)")
    assert capsys.readouterr().out.strip() == said[0]
    hook.after_train_iter(runner, 6)
    assert len(said) == 1

"""The demos: their configs read the clips they generate, and captions are half a run of the study `words`."""

from __future__ import annotations

from typing import Any

import pytest

from lstta_tasks.cli.demo import CAPTIONS, MOMENTS, Demo, _show_captions
from lstta_tasks.experiment.config import load_config
from lstta_tasks.study.definition import Run, load_study
from lstta_tasks.study.run_config import configured


@pytest.mark.parametrize("demo", [MOMENTS, CAPTIONS], ids=["moments", "captions"])
def test_clips_lie_where_the_config_reads_them(demo: Demo) -> None:
    assert load_config(demo.config).task.root == demo.data.as_posix()


def test_captions_are_those_of_the_study() -> None:
    study = load_study("words")

    def apart_from_places(config: Any) -> dict[str, Any]:
        parts = {key: dict(config[key]) for key in ("encoders", "task", "method", "model", "clips", "loader")}
        for part, keys in (("task", ("root",)), ("clips", ("cache", "prefix"))):
            for key in keys:
                del parts[part][key]
        return {**parts, "optim_wrapper": config.optim_wrapper, "schedule": config.get("schedule"), "seed": config.seed}

    (generate,) = [line for line in study.tasks["more_clips"].prepare if line.startswith("generate")]
    sizes = " ".join(f"--{split} {count}" for split, count in CAPTIONS.clips.items())
    assert sizes in generate
    run = configured(study, Run("more_clips", "lstta", 0, None))
    assert apart_from_places(load_config(CAPTIONS.config)) == apart_from_places(run)


def test_what_is_said_stands_beside_what_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"clip": f"video{n}", "prediction": f"a drum, {n}", "truth": f"a flute, {n}"} for n in range(5)]
    _show_captions({"rows": rows})
    said = capsys.readouterr().out
    assert "video3\n  said:  a drum, 3\n  truth: a flute, 3\n" in said
    assert "video4" not in said

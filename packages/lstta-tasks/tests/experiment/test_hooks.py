"""Hooks and backends in configs: what is meant by a name, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_world import World

from lstta_core.adapter_files import AdapterFileError
from lstta_tasks.adapters import load
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.settings import WHERE, as_python, settings_of


@pytest.mark.parametrize(
    ("hook", "meant"),
    [
        ({"type": "EMAHook"}, "lstta_tasks.training.average.AverageHook"),
        ({"type": "mmengine.hooks.EMAHook"}, "lstta_tasks.training.average.AverageHook"),
        ({"type": "EarlyStoppingHook", "patience": 2}, "lstta_tasks.training.early_stop.EarlyStopHook"),
        ({"type": "EmptyCacheHook", "priority": "LOW"}, "mmengine.hooks.empty_cache_hook.EmptyCacheHook"),
        ({"type": "some_hooks.Noise", "size": 0.5, "priority": 30}, "some_hooks.Noise"),
    ],
)
def test_what_a_name_means_and_that_it_can_be_written(
    world: World, tmp_path: Path, hook: dict[str, Any], meant: str
) -> None:
    config = load_config(world.config, {"custom_hooks": [dict(hook)]})
    assert settings_of(config)["custom_hooks.0.type"] == meant
    (tmp_path / "again.py").write_text(as_python(config))
    assert settings_of(load_config(tmp_path / "again.py")) == settings_of(config)


def test_a_class_itself_in_a_file(world: World, tmp_path: Path) -> None:
    text = "from mmengine.hooks import EarlyStoppingHook\n" + world.config.read_text()
    text += "custom_hooks = [dict(type=EarlyStoppingHook, monitor='val/loss', patience=3)]\n"
    (tmp_path / "own.py").write_text(text)
    config = load_config(tmp_path / "own.py", {"custom_hooks.0.patience": 4})
    assert settings_of(config)["custom_hooks.0.type"] == "lstta_tasks.training.early_stop.EarlyStopHook"
    assert settings_of(config)["custom_hooks.0.patience"] == 4


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ({"type": "EMAHok"}, r"custom_hooks.0.type: MMEngine has no 'EMAHok' for this place; did you mean 'EMAHook'\?"),
        (
            {"type": "Nothing"},
            r"no 'Nothing' for this place; there are .*EMAHook.* \(a class of your own is named by itself",
        ),
        ({"type": "some_hooks.Nois"}, r"custom_hooks.0.type: 'some_hooks.Nois' cannot be imported"),
        ({"type": "some_hooks.NoHook"}, r"custom_hooks.0.type: a class that inherits from Hook is wanted"),
        ({"momentum": 0.1}, r"custom_hooks.0: a dict with type=, a class or its name, is wanted"),
        ({"type": "some_hooks.Noise", "sise": 1}, r"custom_hooks.0.sise: nothing reads it; did you mean 'size'\?"),
        ({"type": "some_hooks.Meddler"}, r"custom_hooks.0.key: it is missing"),
        ({"type": "some_hooks.Noise", "priority": "SOON"}, r"custom_hooks.0.priority: one of MMEngine's"),
        ({"type": "EMAHook", "momentun": 0.1}, r"custom_hooks.0.momentun: nothing reads it; did you mean 'momentum'\?"),
        ({"type": "EMAHook", "momentum": 1.0}, r"EMAHook.momentum: a number between 0 and 1 is wanted.*got 1.0"),
        ({"type": "EMAHook", "begin_iter": 2, "begin_epoch": 1}, r"begin_iter=2 and begin_epoch=1: give one"),
        ({"type": "EMAHook", "priority": "LOW"}, r"custom_hooks.0.priority: nothing reads it"),
        ({"type": "EMAHook", "ema_type": "x"}, r"custom_hooks.0.ema_type: nothing reads it"),
        ({"type": "EarlyStoppingHook", "patience": 0}, r"EarlyStoppingHook.patience: a whole number, 1 or more"),
        ({"type": "EarlyStoppingHook", "rule": "more"}, r"custom_hooks.0.rule: one of greater, less or None"),
        ({"type": "CheckpointHook"}, r"CheckpointHook cannot be among custom_hooks: checkpoints and best/ are written"),
        ({"type": "mmengine.hooks.LoggerHook"}, r"LoggerHook cannot be among custom_hooks: it is one of default_hooks"),
        ({"type": "SyncBuffersHook"}, r"SyncBuffersHook cannot be among custom_hooks"),
    ],
)
def test_hooks_that_are_refused(world: World, hook: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_config(world.config, {"custom_hooks": [hook]})


@pytest.mark.parametrize(
    ("hooks", "said"),
    [
        ({"checkpoint": {"type": "CheckpointHook"}}, r"default_hooks.checkpoint: checkpoints and best/ are written"),
        ({"loger": {}}, r"default_hooks.loger: nothing reads it; did you mean 'logger'\?"),
        ({"timer": None}, r"default_hooks.timer: a dict with type=, a class or its name, is wanted, got None"),
        ({"timer": {"type": "some_hooks.Noise"}}, r"default_hooks.timer: Noise: a hook in the place of IterTimerHook"),
        ({"timer": {"type": "IterTimerHook", "x": 1}}, r"default_hooks.timer.x: nothing reads it"),
        ({"logger": {"type": "LoggerHook", "interval": 5}}, r"default_hooks.logger.interval: log_interval says it"),
        ({"logger": {"ignore_lst": True}}, r"logger.ignore_lst: nothing reads it; did you mean 'ignore_last'\?"),
        ({"logger": {"ignore_last": 3}}, r"default_hooks.logger.ignore_last: bool is wanted, got 3"),
        ({"visualization": {}}, r"default_hooks.visualization: nothing reads it"),
    ],
)
def test_default_hooks_that_are_refused(world: World, hooks: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_config(world.config, {"default_hooks": hooks})


@pytest.mark.parametrize(
    ("backends", "said"),
    [
        ([{"type": "WandbBackend"}], r"vis_backends.0.type: .*did you mean 'WandbVisBackend'\?"),
        (
            [{"type": "WandbVisBackend", "init_kwarg": {}}],
            r"init_kwarg: nothing reads it; did you mean 'init_kwargs'\?",
        ),
        ([{"type": "some_hooks.Noise"}], r"a class that inherits from BaseVisBackend is wanted"),
        ([{"type": "TensorboardVisBackend", "save_dir": "x"}], r"events are in tensorboard/ .* leave out save_dir"),
        ([{"type": "LocalVisBackend"}] * 2, r"vis_backends.1: LocalFiles is there already, as vis_backends.0"),
    ],
)
def test_backends_that_are_refused(world: World, backends: list[Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_config(world.config, {"vis_backends": backends})


def test_two_averages_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match=r"custom_hooks.2: AverageHook is there already, as custom_hooks.0"):
        load_config(
            world.config, {"custom_hooks": [{"type": name} for name in ("EMAHook", "EmptyCacheHook", "EMAHook")]}
        )


def test_what_only_watches_is_no_setting_of_a_run(world: World) -> None:
    defaults = {"logger": {"type": "LoggerHook", "ignore_last": False}, "timer": {"type": "IterTimerHook"}}
    more = {"vis_backends": [{"type": "LocalVisBackend"}], "default_hooks": defaults}
    one, other = settings_of(load_config(world.config)), settings_of(load_config(world.config, more))
    assert {key: value for key, value in other.items() if not WHERE.fullmatch(key)} == {
        key: value for key, value in one.items() if not WHERE.fullmatch(key)
    }
    assert settings_of(load_config(world.config, {"custom_hooks": []})) == one


def test_an_adapter_folder_brings_no_hooks(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "best", tmp_path / "best")
    record = json.loads((run / "best" / "adapter.json").read_text())
    record["custom_hooks"] = [{"type": "some_hooks.Noise"}]
    (tmp_path / "best" / "adapter.json").write_text(json.dumps(record))
    with pytest.raises(AdapterFileError, match="custom_hooks"):
        load(tmp_path / "best")


def examples() -> list[str]:
    """The Python of the page about MMEngine's habits."""
    page = (Path(__file__).parents[4] / "docs" / "configs.md").read_text(encoding="utf-8")
    section = page.split("## MMEngine's habits")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize("example", examples(), ids=lambda text: re.sub(r"\W+", " ", text)[:50])
def test_what_the_page_says_is_a_config(world: World, tmp_path: Path, example: str) -> None:
    text = world.config.read_text()
    if "train_cfg" in example:
        text = text.split("param_scheduler")[0] + "schedule = dict(warmup_steps=3)\n"
    (tmp_path / "example.py").write_text(text + example)
    config = load_config(tmp_path / "example.py")
    assert settings_of(config) != settings_of(load_config(world.config)) or "hooks" in example or "vis_" in example

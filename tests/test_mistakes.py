"""Typical mistakes on the command line: each is answered in one line that names key, value and way out."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cached_world
import pytest
from small_world import World

from lstta_tasks.cli.main import main

Say = Callable[..., str]
WHOLE = "a whole number, 1 or more is wanted, got"


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A data set and its cache that nothing was decoded for; not to be changed."""
    return cached_world.make(tmp_path_factory.mktemp("noise"))


@pytest.fixture
def said(noise: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """What the command answers to a mistake, in an empty folder: one line and exit status 2, and nothing written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lstta_tasks.training.train.run_or_stop", _nothing_is_trained)

    def call(*arguments: object) -> str:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        assert ended.value.code == 2
        err = capsys.readouterr().err.splitlines()
        messages = [line for line in err if "have another path or time" not in line]
        assert len(messages) == 1, messages
        assert messages[0].startswith("error: ")
        assert not (tmp_path / "run").exists()
        return (
            messages[0].removeprefix("error: ").replace(str(noise.root.parent), "DATA").replace(str(tmp_path), "HERE")
        )

    return call


def _nothing_is_trained(*_: object) -> None:
    raise AssertionError("the mistake was accepted")


OPTIONS = {
    # numbers that are none, or too small
    "train_cfg.max_epochs=two": f"train_cfg.max_epochs: {WHOLE} 'two'",
    "train_cfg.max_epochs=0": f"train_cfg.max_epochs: {WHOLE} 0",
    "train_cfg.max_epochs=2.5": f"train_cfg.max_epochs: {WHOLE} 2.5",
    "train_cfg.val_interval=0": f"train_cfg.val_interval: {WHOLE} 0",
    "method.width=0": f"method.width: {WHOLE} 0",
    "method.width=-1": f"method.width: {WHOLE} -1",
    "method.width=x": "method.width: int is wanted, got 'x'",
    "method.width=None": "method.width: int is wanted, got None",
    "method.heads=0": f"method.heads: {WHOLE} 0",
    "method.latents=-2": f"method.latents: {WHOLE} -2",
    "method.window=2": "method.window must be a positive odd number of segments, got 2",
    "method.dropout=2": "method.dropout probability has to be between 0 and 1, but got 2",
    "method.long_term=no": "method.long_term: bool is wanted, got 'no'",
    "method.budget=-3": f"method.budget: {WHOLE} -3",
    "model.readout.width=0": f"model.readout.width: {WHOLE} 0",
    "model.readout.width=x": "model.readout.width: int is wanted, got 'x'",
    "model.readout.heads=0": f"model.readout.heads: {WHOLE} 0",
    "model.readout.heads=5": "model.readout.heads must divide the width: got heads=5, width=12",
    "model.readout.guided=maybe": "model.readout.guided: bool is wanted, got 'maybe'",
    "model.stages=0": "model: stages=0 must lie between 1 and the smallest depth; the depths are {'visual': 2, "
    "'audio': 3, 'language': 2}",
    "model.adapted=9": "model: adapted=9 must lie between 0 and stages=2",
    "model.modalities=visual": "model.modalities: list of str or None is wanted, got 'visual'",
    "model.modalities=['video']": "model.modalities: some of visual, audio, language are wanted, each once, got "
    "['video']",
    "model.frozen_dtype=half": "model.frozen_dtype: one of float32, bfloat16, float16, int8, nf4 is wanted, got 'half'",
    "model.checkpointing=maybe": "model.checkpointing: bool is wanted, got 'maybe'",
    "clips.segments=0": "clips.segments must be a whole number of at least 1, got 0",
    "clips.segments=x": "clips.segments: int is wanted, got 'x'",
    "clips.sound_seconds=-1": "clips.sound_seconds must give at least one sample at 47 Hz, got -1.0",
    "clips.sound_seconds=x": "clips.sound_seconds: float is wanted, got 'x'",
    "clips.frame_size=12": "clips.frame_size: list of int, int is wanted, got 12",
    "clips.fit=stretch": "clips.fit: one of crop, squash, pad is wanted, got 'stretch'",
    "clips.codec=png": "clips.codec: one of raw, jpeg is wanted, got 'png'",
    "clips.cache=3": "clips.cache: the path of a folder is wanted, got 3",
    "loader.batch_size=0": f"loader.batch_size: {WHOLE} 0",
    "loader.workers=-1": "loader.workers: a whole number, 0 or more is wanted, got -1",
    "loader.timeout=x": "loader.timeout: a number, 0.001 or more is wanted, got 'x'",
    "loader.train_share=2": "loader.train_share: a number above 0 and at most 1, which is all, is wanted, got 2",
    "optim_wrapper.optimizer.lr=fast": "optim_wrapper.optimizer.lr: a number, 0 or more is wanted, got 'fast'",
    "optim_wrapper.optimizer.lr=-1": "optim_wrapper.optimizer.lr: a number, 0 or more is wanted, got -1",
    "optim_wrapper.optimizer.betas=(2,3)": "optim_wrapper.optimizer: Invalid beta parameter at index 0: 2",
    "optim_wrapper.clip_grad=1": "optim_wrapper.clip_grad: a dict is wanted, got 1",
    "param_scheduler.0.end=x": "param_scheduler.0.end: int is wanted, got 'x'",
    "param_scheduler.0.start_factor=0": "param_scheduler.0.start_factor: a number above 0 is wanted, got 0: such a "
    "rate never rises",
    "seed=x": "seed: a value of type int is wanted, got 'x'",
    # names that nobody has
    "method.name=lsta": "no method is named 'lsta'. Did you mean 'lstta'? Installed: bottleneck, cola, dgsct, full, "
    "lavish, layers, lora, lstta, means, moka, none, prompt. Others come with plugins: pip install the distribution "
    "that has it.",
    "method.name=3": "method.name: a text is wanted, got 3",
    "method=lora": "method: a value of type dict is wanted, got 'lora'",
    "optim_wrapper.optimizer.type=AdamX": "optim_wrapper.optimizer.type: 'AdamX' cannot be imported (No module named "
    "'AdamX'); did you mean 'torch.optim.Adam'?",
    "optim_wrapper.optimizer.type=torch.optim.AdamX": "optim_wrapper.optimizer.type: 'torch.optim.AdamX' cannot be "
    "imported (module 'torch.optim' has no attribute 'AdamX'); did you mean 'torch.optim.Adam'?",
    "param_scheduler.0.type=LinearLr": "param_scheduler.0.type: 'LinearLr' cannot be imported (No module named "
    "'LinearLr'); did you mean 'mmengine.optim.LinearLR'?",
    "encoders.visual=tiny-visual": "encoders.visual: a dict with the name of an encoder is wanted, got 'tiny-visual'",
    "encoders.visual.seed=x": "encoders.visual.seed: int is wanted, got 'x'",
    # keys
    "methd.width=3": "--cfg-options methd.width: nothing reads 'methd'; did you mean 'method'?",
    "method.widht=3": "method.widht: LSTTA does not take it; did you mean 'width'?",
    "method.width": "--cfg-options wants KEY=VALUE, got 'method.width'",
    # places
    "task.root=nowhere": "nowhere: no such folder; set task.root to the folder of the data set",
    "task.root=3": "task.root: str or Path or None is wanted, got 3",
    "task.answers=yes": "task.answers: list of str or None is wanted, got 'yes'",
    "clips.cache=nowhere": "there is no cache at nowhere: build it first (lstta cache build), or set clips.cache to "
    "where it is",
    "clips.prefix=nowhere": "there is no prefix cache at nowhere: build it first (lstta cache prefix), or set "
    "clips.prefix to where it is",
}


@pytest.mark.parametrize("option", OPTIONS)
def test_options(option: str, said: Say, noise: World) -> None:
    assert said("train", noise.config, "--work-dir", "run", "--cfg-options", option) == OPTIONS[option]


CONFIGS = {
    "a base that is not there": (
        "from mmengine.config import read_base\n\nwith read_base():\n    from .base.gone import *\n",
        "mine.py: it builds on base/gone.py, which is not there; shipped configs are lstta_tasks.configs.avqa."
        "tiny_lstta and so on (lstta configs lists them)",
    ),
    "a package that is not there": (
        "from mmengine.config import read_base\n\nwith read_base():\n    from lstta_taks.configs.avqa.tiny import *\n",
        "mine.py: not a config: ValueError: with read_base(): there is no package 'lstta_taks'",
    ),
    "nothing but a seed": (
        "seed = 0\n",
        "mine.py: the config lacks task, encoders, method, model, clips, loader, optim_wrapper, train_cfg, "
        "log_interval, schedule or param_scheduler; shipped ones have defaults to build on, as in docs/configs.md",
    ),
    "a program": (
        "import torch\nseed = torch.initial_seed()\n",
        "mine.py: not a config: RuntimeError: it calls what it imports: a config is read, not run, and has plain "
        "values, and classes as type=",
    ),
    "half a program": ("task = dict(\n", "mine.py: not a config: SyntaxError: "),
}


@pytest.mark.parametrize("what", CONFIGS)
def test_configs_outside_the_checkout(what: str, said: Say) -> None:
    program, message = CONFIGS[what]
    Path("mine.py").write_text(program)
    answer = said("train", "mine.py", "--work-dir", "run").replace("HERE/", "")
    assert answer == message or (message.endswith(": ") and answer.startswith(message))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train gone.py", "gone.py: no such file, and no shipped config has this name; lstta configs lists them"),
        ("train avqa/tiny", "avqa/tiny: no such file, and no shipped config has this name; did you mean "
         "'avqa/tiny_lstta'? lstta configs lists them"),
        ("train empty", "empty: a folder; the file or the name of a config is wanted; lstta configs lists them"),
        ("train CONFIG --work-dir run --from empty",
         "empty/adapter.json: no such file; an adapter folder holds adapter.json and adapter.safetensors"),
        ("train CONFIG --work-dir file", "HERE/file: something else has this name: name another"),
        ("train CONFIG --work-dir run --seed=-1",
         "seed must be at least 0, log_interval at least 1; got seed=-1, log_interval=2"),
        ("test CONFIG empty",
         "empty/adapter.json: no such file; an adapter folder holds adapter.json and adapter.safetensors"),
        ("cache build CONFIG --skip gone.txt --cfg-options clips.cache=new",
         "gone.txt: no such file; a list of clip ids to leave out is wanted, one a line"),
        ("cache build CONFIG --workers 0 --cfg-options clips.cache=new",
         "a build needs workers and time, got workers=0, time_limit=120.0"),
        ("cache build CONFIG --cfg-options clips.cache=file",
         "file is there already and is no cache: pass another path"),
        ("cache build CONFIG --cfg-options task.root=empty",
         "neither empty/avqa-train.json nor empty/json/avqa-train.json is there; set task.root to the folder of the "
         "data set"),
        ("cache prefix CONFIG", "clips.prefix: it is missing; the path of the prefix cache's folder is wanted"),
        ("cache info empty",
         "there is no cache at empty: build it first (lstta cache build), or set clips.cache to where it is"),
        ("infer empty clip.mp4 what",
         "empty/adapter.json: no such file; an adapter folder holds adapter.json and adapter.safetensors"),
        ("train custom/csv_classification --work-dir run", "my.csv: no such file; set task.path to a CSV file"),
        ("train custom/csv_classification --work-dir run --cfg-options task.path=empty",
         "empty: a folder; set task.path to a CSV file"),
        ("cache build custom/csv_classification --cfg-options task.path=file",
         "file: the header must name video and label (it may name video, label, text, split, start, end), got nothing"),
        ("compare man --list",
         "man: no such file, and no shipped study has this name; did you mean 'main'? lstta configs --studies lists "
         "them"),
    ],
)  # fmt: skip
def test_arguments(arguments: str, message: str, said: Say, noise: World) -> None:
    Path("empty").mkdir()
    Path("file").touch()
    assert said(*(noise.config if word == "CONFIG" else word for word in arguments.split())) == message


def test_the_cache_of_another_data_set(said: Say, noise: World, tmp_path: Path) -> None:
    other = cached_world.make(tmp_path / "other")
    for path in other.root.glob("avqa-*.json"):
        path.write_text(path.read_text().replace('"video_id": "0', '"video_id": "9'))
    answer = said("train", other.config, "--work-dir", "run", "--cfg-options", f"clips.cache={noise.cache}")
    assert answer == (
        "none of the 7 clips of this split is in the cache DATA/cache (clips.cache): build it from the same config "
        "with lstta cache build, and see its list of failures with lstta cache info"
    )


def test_a_cache_of_clips_for_one_of_states(said: Say, noise: World) -> None:
    answer = said("train", noise.config, "--work-dir", "run", "--cfg-options", f"clips.prefix={noise.cache}")
    assert answer.startswith(
        "DATA/cache is a cache of clips (codec 'raw'), a prefix cache (codec 'features') is wanted"
    )


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "HERE: no space is left on the device: make room, or name a folder elsewhere"),
        (errno.EDQUOT, "HERE: no space is left to you there: make room, or name a folder elsewhere"),
        (errno.EACCES, "HERE: no permission: change the permissions, or name a folder of your own"),
        (errno.EROFS, "HERE: its file system is for reading alone: name a folder elsewhere"),
    ],
)
def test_what_the_system_refuses(
    number: int, message: str, said: Say, noise: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert said("train", noise.config, "--work-dir", "run") == message

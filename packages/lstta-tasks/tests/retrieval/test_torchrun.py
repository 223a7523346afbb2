"""Two processes, started by torchrun over gloo, give the metrics of one, second pass included, and they train."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate

REPOSITORY = Path(__file__).parents[4]
SUPPORT = Path(__file__).parents[1] / "support"


def torchrun(tool: str, *arguments: object) -> None:
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = REPOSITORY / "tools" / f"{tool}.py"
    subprocess.run([*command, script, *map(str, arguments), "--launcher", "pytorch"], check=True, env=environment)


@pytest.mark.slow
def test_two_evaluate_as_one(msrvtt: World, joint: Path, tmp_path: Path) -> None:
    """Of 5 clips, which two does not divide; and 5 texts, of which each ranks two clips again."""
    torchrun("test", msrvtt.config, joint / "best", "--json", tmp_path / "two.json")
    two = json.loads((tmp_path / "two.json").read_text())
    one = json.loads(json.dumps(evaluate(load_config(msrvtt.config), joint / "best", "test")[1]))
    assert two["scores"] == one["scores"]
    assert two["predictions"].keys() == one["predictions"].keys()
    for name, found in one["predictions"].items():
        for key in ("text_to_video", "video_to_text", "dual", "top"):
            assert two["predictions"][name][key] == found[key]


@pytest.mark.slow
def test_two_train_one_network(msrvtt: World, tmp_path: Path) -> None:
    options = ["--cfg-options", "train_cfg.max_epochs=2", "task.joint=True"]
    torchrun("train", msrvtt.config, "--work-dir", tmp_path / "run", *options)
    saved = torch.load(tmp_path / "run" / "epoch_2.pth", weights_only=True)
    assert saved["meta"]["iter"] == 2 * 2  # of 10 captions each gets 5, in batches of 4
    record = read_adapter(tmp_path / "run" / "best").record
    report, _ = evaluate(load_config(msrvtt.config), tmp_path / "run" / "best", "val")
    assert report.value(report.primary) == record["selected"][report.primary]

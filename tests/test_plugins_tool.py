"""``lstta plugins``: the list, and the conformance suite on whatever is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from lstta_core.plugins import Plugins
from lstta_tasks.cli import plugins
from lstta_tasks.cli.main import main

Run = Callable[..., int]

PLUGIN = """
from lstta_core.hookspecs import hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_encoders(register):
    module = "plugin_under_test"
    register("good", f"{module}:make_good", modality="visual", summary="keeps every rule")
    register("blind", f"{module}:make_good", modality="audio", summary="registered as what it is not")
    register("leaky", f"{module}:make_leaky", modality="visual", summary="block 0 forgets its widths")
    register("sized", f"{module}:make_sized", modality="visual", summary="needs an argument")
    register("nothing", f"{module}:make_nothing", modality="visual", summary="gives no encoder")
    register("both", f"{module}:make_good", modality="visual", summary="as the method")


@hookimpl
def lstta_register_methods(register):
    register("both", "lstta_core.methods.none:NoAdapter", summary="as the encoder")


@hookimpl
def lstta_register_tasks(register):
    register("rows", "lstta_tasks.tasks.classification:Classification", summary="needs its files")


def make_good():
    from lstta_core.testing import ToyVisual

    return ToyVisual()


def make_leaky():
    encoder = make_good()
    encoder.widths = (11, 12)
    return encoder


def make_sized(*, size):
    assert size == 3
    return make_good()


def make_nothing():
    return None
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the verb in this process, where one plugin is installed beside a broken one."""
    (tmp_path / "plugin_under_test.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "plugin_under_test", raising=False)
    points = [EntryPoint("mine", "plugin_under_test", "lstta"), EntryPoint("torn", "no_such_module", "lstta")]
    installed = Plugins(points)
    monkeypatch.setattr(plugins, "installed_plugins", lambda: installed)

    def call(*arguments: str) -> int:
        try:
            return main(["plugins", *arguments])
        except SystemExit as stopped:
            return int(stopped.code or 0)

    return call


def test_the_list_imports_no_torch() -> None:
    script = "import sys; from lstta_tasks.cli.main import main; main(['plugins']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["plugin", "distribution", "state"]
    assert lines[-1] == "False"


def test_the_list_has_broken_plugins_too(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    table = capsys.readouterr().out
    assert "good" in table
    assert "no_such_module" in table
    assert run("--json") == 0
    reports = {report["name"]: report for report in json.loads(capsys.readouterr().out)}
    assert reports["torn"]["state"] == "broken"
    assert "Traceback" in reports["torn"]["details"]


def test_a_good_encoder_passes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "good") == 0
    out = capsys.readouterr().out
    assert "is_deterministic" in out
    assert "no reference_output is given" in out
    assert ", 0 failed, 3 skipped" in out


def test_what_fails_is_named_with_the_reason(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "leaky") == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if " failed " in line]
    assert any("states_have_the_declared_widths" in line and "the width is 12" in line for line in failed)


def test_an_encoder_registered_as_what_it_is_not(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "check", "blind") == 1
    results = json.loads(capsys.readouterr().out)
    (failed,) = [result for result in results if result["state"] == "failed"]
    assert failed["name"] == "test_is_of_the_registered_modality"
    assert "registered as audio, the encoder says visual" in failed["reason"]


def test_arguments_reach_the_factory(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "sized") == 2
    assert "'size'" in capsys.readouterr().err
    assert run("check", "sized", "--cfg-options", "size=3") == 0
    assert run("check", "sized", "--cfg-options", "size=3", "hight=5") == 2
    assert "'hight'" in capsys.readouterr().err


def test_a_name_of_two_kinds_needs_the_kind(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "both") == 2
    assert "--kind" in capsys.readouterr().err
    assert run("check", "both", "--kind", "method") == 0
    assert "method 'both'" in capsys.readouterr().out


def test_a_task_is_checked_on_its_files(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [f"{i % 3}.mp4,{'ab'[i % 2]},{split}\n" for split in ("train", "val") for i in range(5)]
    (tmp_path / "rows.csv").write_text("video,label,split\n" + "".join(rows), encoding="utf-8")
    assert run("check", "rows", "--cfg-options", f"path={tmp_path / 'rows.csv'}") == 0
    out = capsys.readouterr().out
    assert "targets_fit_the_kind_of_answer" in out
    assert "task 'rows': " in out
    assert ", 0 failed, 0 skipped" in out
    assert run("check", "rows") == 1
    assert "set task.path to a CSV file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"), [("nothing", "gives a NoneType, no Encoder"), ("goud", "Encoders: blind, both, good")]
)
def test_what_cannot_be_checked(run: Run, capsys: pytest.CaptureFixture[str], name: str, said: str) -> None:
    assert run("check", name) == 2
    assert said in capsys.readouterr().err


STRANGER = """
from lstta_core.hookspecs import hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_encoders(register):
    register("tiny-visual", "stranger:make", modality="visual", summary="not theirs")
    register("strange", "stranger:make", modality="visual", summary="theirs")


@hookimpl
def lstta_register_tasks(register):
    register("avqa", "stranger:make", summary="not theirs")


def make():
    return {}["bias"]
"""


def run_beside_a_stranger(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The verb where somebody else's distribution is installed too."""
    (folder / "stranger.py").write_text(STRANGER, encoding="utf-8")
    info = folder / "stranger-0.7.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 0.7\n")
    (info / "entry_points.txt").write_text("[lstta]\nstranger = stranger\n")
    command = [sys.executable, "-m", "lstta_tasks", "plugins", *arguments]
    known = {**os.environ, "PYTHONPATH": str(folder), **environment}
    return subprocess.run(command, capture_output=True, text=True, env=known)


def test_a_stranger_takes_no_built_in_name_and_nothing_down(tmp_path: Path) -> None:
    done = run_beside_a_stranger(tmp_path, "--json")
    reports = {report["distribution"]: report for report in json.loads(done.stdout)}
    assert {report["state"] for report in reports.values()} == {"ok"}
    assert [r["name"] for r in reports["stranger"]["registrations"]] == ["strange"]
    table = run_beside_a_stranger(tmp_path).stdout
    for name, owner in (("encoder 'tiny-visual'", "lstta-backbone-tiny"), ("task 'avqa'", "lstta-tasks")):
        (line,) = [line for line in table.splitlines() if f"{name} is {owner}'s own" in line]
        assert "refused" in line.split()


def test_an_error_in_a_plugins_code_says_whose_it_is(tmp_path: Path) -> None:
    done = run_beside_a_stranger(tmp_path, "check", "strange")
    assert done.returncode == 2
    assert done.stderr == (
        "error: KeyError: 'bias'\n  in the code of plugin stranger 0.7: "
        f"{tmp_path / 'stranger.py'}, line 19, in make; LSTTA_DEBUG=1 shows the traceback\n"
    )
    assert "Traceback" in run_beside_a_stranger(tmp_path, "check", "strange", LSTTA_DEBUG="1").stderr

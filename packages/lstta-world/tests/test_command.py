from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from lstta_world import command
from lstta_world.command import main


def test_generate_and_refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["avqa", "--out", str(tmp_path / "a"), "--train", "1", "--val", "0", "--test", "1", "--workers", "1"]
    assert main(arguments) == 0
    assert "2 clips rendered, 0 kept" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "0 clips rendered, 2 kept" in capsys.readouterr().out
    assert main([*arguments, "--seed", "3"]) == 2
    assert "'seed': 3" in capsys.readouterr().err


def test_as_a_verb_of_a_larger_command(tmp_path: Path) -> None:
    """Which says itself what went wrong."""
    parser = argparse.ArgumentParser("larger")
    command.add_arguments(parser.add_subparsers().add_parser("generate"))
    counts = ["--train", "0", "--val", "0", "--test", "0"]
    assert command.run(parser.parse_args(["generate", "emotion", "--out", str(tmp_path), *counts])) == 0
    with pytest.raises(ValueError, match="choose another folder"):
        command.run(parser.parse_args(["generate", "humor", "--out", str(tmp_path), *counts]))


@pytest.mark.parametrize("option", ["--train", "--test", "--seed", "--workers"])
@pytest.mark.parametrize("value", ["-1", "x", "1.5", ""])
def test_what_is_no_count_is_refused(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["avqa", "--out", "x", option, value])
    said = capsys.readouterr().err
    assert f"argument {option}: must be a whole number, 0 or more, got {value!r}" in said
    assert "_count" not in said


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from lstta_world.command import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'av', 'PIL', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

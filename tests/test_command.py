"""The command ``lstta``: its verbs, and configs and studies by their names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lstta_tasks.cli.main import VERBS, main
from lstta_tasks.shipped import FOLDERS, find_shipped, header, shipped

HEAVY = ("torch", "numpy", "mmengine", "transformers", "lmdb", "av", "matplotlib", "rich")
TOOLS = Path(__file__).parents[1] / "tools"


def said_by(*arguments: str) -> tuple[str, list[str]]:
    """What a new process prints, and which heavy modules it has loaded."""
    program = (
        "import json, sys\nfrom lstta_tasks.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    *said, loaded = done.stdout.splitlines()
    return "\n".join(said), json.loads(loaded)


class TestHelp:
    def test_it_lists_every_verb_and_imports_nothing_heavy(self) -> None:
        said, loaded = said_by("--help")
        assert all(f"\n  {verb} " in said for verb in VERBS)
        assert loaded == []

    @pytest.mark.parametrize("verb", VERBS)
    def test_of_a_verb_imports_nothing_heavy(self, verb: str) -> None:
        said, loaded = said_by(verb, "--help")
        assert said.startswith(f"usage: lstta {verb}")
        assert loaded == []

    def test_each_verb_has_a_module_and_a_tool(self) -> None:
        names = {"importance" if verb == "importances" else verb for verb in VERBS}
        assert {path.stem for path in TOOLS.glob("*.py")} == names | {"common"}

    def test_no_verb_is_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 0
        assert capsys.readouterr().out.startswith("usage: lstta VERB")

    def test_a_misspelt_verb(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["trian"]) == 2
        assert "no verb 'trian'; did you mean 'train'?" in capsys.readouterr().err

    def test_the_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version"]) == 0
        assert capsys.readouterr().out == "lstta 0.2.0\n"

    def test_the_module_is_the_command(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "lstta_tasks", "configs"], capture_output=True, text=True, check=True
        )
        assert "avqa/tiny_lstta" in done.stdout


class TestConfigs:
    def test_the_list(self) -> None:
        said, loaded = said_by("configs")
        assert [line.split()[0] for line in said.splitlines()] == list(shipped("config"))
        assert "LSTTA on the built-in clips with the tiny encoders." in said
        assert loaded == []
        studies, _ = said_by("configs", "--studies")
        names = "ave demo depth guided main robust shares tiny_six window words"
        assert [line.split()[0] for line in studies.splitlines()] == names.split()

    def test_the_header_of_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["configs", "avqa/tiny_lstta"])
        assert "command:  lstta train avqa/tiny_lstta" in capsys.readouterr().out

    def test_one_as_it_will_run_is_a_config(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        from lstta_tasks.experiment.config import load_config
        from lstta_tasks.experiment.settings import settings_of

        options = ["--cfg-options", "train_cfg.max_epochs=7", "method.width=24"]
        main(["configs", "avqa/tiny_lstta", "--show", *options])
        (tmp_path / "shown.py").write_text(capsys.readouterr().out)
        shown = settings_of(load_config(tmp_path / "shown.py"))
        assert shown["param_scheduler.1.T_max"] == 7
        asked = {"train_cfg.max_epochs": 7, "method.width": 24}
        assert shown == settings_of(load_config("avqa/tiny_lstta", asked))

    def test_a_config_anywhere_builds_on_a_shipped_one(self, tmp_path: Path) -> None:
        from lstta_tasks.experiment.config import load_config
        from lstta_tasks.experiment.settings import settings_of

        (tmp_path / "mine.py").write_text(
            "from mmengine.config import read_base\n\nwith read_base():\n"
            "    from lstta_tasks.configs.emotion.tiny_lstta import *\n\n"
            "method.update(width=24)\ntrain_cfg.update(max_epochs=3)\n"
        )
        mine = settings_of(load_config(tmp_path / "mine.py"))
        changed = {"method.width": 24, "train_cfg.max_epochs": 3}
        assert mine == settings_of(load_config("emotion/tiny_lstta", changed))
        assert mine["param_scheduler.1.end"] == 3

    def test_a_path_in_a_checkout_is_the_same_file(self) -> None:
        here = Path(__file__).parents[1]
        for name, path in shipped("config").items():
            assert (here / "configs" / f"{name}.py").resolve() == path.resolve()
        for name, path in shipped("study").items():
            assert (here / "studies" / f"{name}.py").resolve() == path.resolve()

    def test_names(self) -> None:
        assert find_shipped("config", "avqa/tiny_lstta") == FOLDERS["config"] / "avqa/tiny_lstta.py"
        with pytest.raises(FileNotFoundError, match=r"did you mean 'avqa/tiny_lstta'\? lstta configs lists them"):
            find_shipped("config", "avqa/tiny_lsta")
        with pytest.raises(FileNotFoundError, match=r"no shipped study has this name"):
            find_shipped("study", "avqa")

    def test_every_header_has_a_first_line(self) -> None:
        for kind in ("config", "study"):
            assert all(header(path).splitlines()[0].endswith(".") for path in shipped(kind).values())


def test_without_the_world_generate_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lstta_tasks.cli.generate.find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        main(["generate", "avqa", "--out", "x"])
    assert "pip install 'lstta-tasks[world]'" in capsys.readouterr().err


def test_a_config_that_builds_on_nothing_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "mine.py"
    config.write_text(
        '"""Mine."""\nfrom mmengine.config import read_base\n\nwith read_base():\n    from .none import *\n'
    )
    with pytest.raises(SystemExit) as ended:
        main(["configs", str(config)])
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == f"{config}\n\nMine.\n"
    assert said.err.startswith(f"error: {config}: it builds on ")
    assert "none.py" in said.err


class TestThreadsThatWait:
    PROGRAM = "from lstta_tasks.cli.options import user_errors\nwith user_errors():\n    import torch"

    def spins(self, program: str, **settings: str) -> str:
        """How often a thread of torch's OpenMP turns before it sleeps, as that says by itself on stderr."""
        names = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "OMP_NUM_THREADS")
        environment = {name: value for name, value in os.environ.items() if name not in names}
        environment |= {"OMP_DISPLAY_ENV": "VERBOSE"} | settings
        command = [sys.executable, "-c", program]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr
        found = re.search(r"GOMP_SPINCOUNT = '(\w+)'", said)
        if found is None:
            pytest.skip("this torch comes without GNU's OpenMP")
        return found[1]

    def test_they_sleep_soon_under_a_verb(self) -> None:
        assert self.spins(self.PROGRAM) == "1000"

    def test_who_says_how_is_left_alone(self) -> None:
        assert self.spins(self.PROGRAM, GOMP_SPINCOUNT="7") == "7"
        assert self.spins(self.PROGRAM, OMP_WAIT_POLICY="PASSIVE") == "0"
        assert self.spins(f"import torch\n{self.PROGRAM}") == self.spins("import torch") != "1000"

"""Bad input on the command line is one clear message and exit code 2, or is counted; never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_world import World, rows, videos, write_film, write_json

REPOSITORY = Path(__file__).parents[1]
TOOLS = sorted(path.stem for path in (REPOSITORY / "tools").glob("*.py") if path.stem != "common")
Tool = Callable[..., Any]


@pytest.fixture
def broken_root(world: World, tmp_path: Path) -> Path:
    """A copy of the annotations alone, to be damaged."""
    root = tmp_path / "root"
    root.mkdir()
    for path in world.root.glob("*.json"):
        shutil.copy(path, root)
    return root


class TestErrors:
    """Each tool that reads a config, with the same mistakes."""

    @pytest.fixture(params=["train", "test", "cache"])
    def reader(self, request: pytest.FixtureRequest, tool: Tool, run: Path, tmp_path: Path) -> Tool:
        """Call a tool with a config and options, and check that it ends well: the message without its beginning."""
        before = ["build"] if request.param == "cache" else []
        after = {"train": ["--work-dir", str(tmp_path / "run")], "test": [str(run / "best")]}.get(request.param, [])

        def call(config: Path, *options: str) -> str:
            pairs = ["--cfg-options", *options] if options else []
            result = tool(request.param, *before, config, *after, *pairs)
            assert result.code == 2
            assert result.err.startswith("error: ")
            assert "Traceback" not in result.err
            assert not (tmp_path / "run").exists()
            return str(result.err.removeprefix("error: "))

        return call

    def test_missing_config(self, reader: Tool) -> None:
        assert reader(Path("configs/avqa/tiny_lsta.py")) == (
            "configs/avqa/tiny_lsta.py: no such file, and no shipped config has this name; "
            "did you mean 'avqa/tiny_lstta'? lstta configs lists them\n"
        )

    def test_not_a_config(self, reader: Tool, tmp_path: Path) -> None:
        (tmp_path / "bad.py").write_text("task = dict(\n")
        assert "bad.py: not a config: SyntaxError" in reader(tmp_path / "bad.py")

    def test_missing_data_root(self, reader: Tool, world: World) -> None:
        said = reader(world.config, "task.root=nowhere")
        assert said == "nowhere: no such folder; set task.root to the folder of the data set\n"

    def test_no_annotations(self, reader: Tool, world: World, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        said = reader(world.config, f"task.root={tmp_path / 'empty'}")
        assert "is there; set task.root to the folder of the data set" in said

    def test_unknown_encoder(self, reader: Tool, world: World) -> None:
        said = reader(world.config, "encoders.visual={'_delete_': True, 'name': 'tiny-visul'}")
        assert said.startswith("no encoder is named 'tiny-visul'. Did you mean 'tiny-visual'? Installed: ")
        assert "tiny-audio, tiny-language, tiny-sound-as-picture, tiny-speaker, tiny-visual" in said

    def test_unknown_task(self, reader: Tool, world: World) -> None:
        said = reader(world.config, "task={'_delete_': True, 'name': 'vqa'}")
        assert "'vqa'" in said

    def test_misspelt_option(self, reader: Tool, world: World) -> None:
        said = reader(world.config, "method.widht=3")
        assert said == "method.widht: LSTTA does not take it; did you mean 'width'?\n"

    def test_an_option_without_a_value(self, reader: Tool, world: World) -> None:
        assert reader(world.config, "method.width") == "--cfg-options wants KEY=VALUE, got 'method.width'\n"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("[]", "a list of questions is wanted, got an empty list"),
            ('[{"video_id": 3', "not JSON"),
            ('[{"video_id": 3}]', "row 0: field 'video_id' must be of type str, got 3"),
        ],
    )
    def test_malformed_annotations(
        self, reader: Tool, world: World, broken_root: Path, content: str, said: str
    ) -> None:
        for path in broken_root.glob("*.json"):
            path.write_text(content)
        message = reader(world.config, f"task.root={broken_root}")
        assert message.startswith(f"{broken_root}/avqa-")
        assert said in message


class TestTraining:
    def test_unknown_method(self, tool: Tool, world: World, tmp_path: Path) -> None:
        options = ["--cfg-options", "method={'_delete_': True, 'name': 'lsta'}"]
        result = tool("train", world.config, "--work-dir", tmp_path / "run", *options)
        assert result.code == 2
        assert (
            "no method is named 'lsta'. Did you mean 'lstta'? Installed: bottleneck, cola, dgsct, full, " in result.err
        )

    def test_no_cache(self, tool: Tool, world: World, tmp_path: Path) -> None:
        options = ["--cfg-options", f"clips.cache={tmp_path / 'none'}"]
        result = tool("train", world.config, "--work-dir", tmp_path / "run", *options)
        assert result.code == 2
        assert f"there is no cache at {tmp_path / 'none'}: build it first (lstta cache build)" in result.err

    def test_a_cache_of_other_preprocessing(self, tool: Tool, world: World, tmp_path: Path) -> None:
        result = tool("train", world.config, "--work-dir", tmp_path / "run", "--cfg-options", "clips.segments=5")
        assert result.code == 2
        assert "segments: 5 here, 3 there" in result.err

    def test_a_clip_that_is_nowhere(self, tool: Tool, world: World, broken_root: Path, tmp_path: Path) -> None:
        for split in ("train", "val"):
            write_json(broken_root / f"avqa-{split}.json", [{**row, "video_id": "gone"} for row in rows(split)])
        options = ["--cfg-options", f"task.root={broken_root}"]
        result = tool("train", world.config, "--work-dir", tmp_path / "run", *options)
        assert result.code == 2
        assert (
            f"none of the 1 clips of this split is in the cache {world.cache} (clips.cache): build it from the same"
            in result.err
        )

    def test_bad_rows_are_named_at_once_or_left_out_and_counted(
        self, tool: Tool, world: World, broken_root: Path, tmp_path: Path
    ) -> None:
        first, second, *others = rows("train")
        bad = [{**first, "templ_values": "[1]"}, {**second, "type": "[" * 9999}, *others]
        write_json(broken_root / "avqa-train.json", bad)
        command = ("train", world.config, "--work-dir", tmp_path / "run", "--cfg-options")
        options = [f"task.root={broken_root}", "train_cfg.max_epochs=1"]
        stopped = tool(*command, *options)
        assert stopped.code == 2
        assert "avqa-train.json: 2 of 21 rows are bad" in stopped.err
        assert "row 0: field 'templ_values'" in stopped.err
        assert "row 1: field 'type' must be a list of strings" in stopped.err
        result = tool(*command, *options, "task.skip_bad_rows=True")
        assert result.code == 0, result.err
        assert "train: 19 samples" in result.out
        assert "avqa-train.json: 2 of 21 rows are bad and left out\n" in result.out
        (log,) = (tmp_path / "run").glob("**/train.log")
        assert "row 0: field 'templ_values'" in log.read_text()
        looked = tool(
            "doctor",
            world.config,
            "--json",
            tmp_path / "found.json",
            *command[-1:],
            *options[:1],
            "task.skip_bad_rows=True",
        )
        assert looked.code in (0, 1), looked.err
        found = json.loads((tmp_path / "found.json").read_text())["findings"]
        assert any("2 of 21 rows are bad and left out" in finding["detail"] for finding in found)

    def test_it_trains_counts_what_is_missing_and_says_where_the_adapter_is(
        self, tool: Tool, world: World, broken_root: Path, tmp_path: Path
    ) -> None:
        first, *others = rows("train")
        write_json(broken_root / "avqa-train.json", [{**first, "video_id": "gone"}, *others])
        options = ["--cfg-options", f"task.root={broken_root}", "train_cfg.max_epochs=1", "seed=7"]
        result = tool("train", world.config, "--work-dir", tmp_path / "run", "--seed", 8, *options)
        assert result.code == 0, result.err
        assert "train: 20 samples; 1 clips are not in the cache" in result.out
        assert "val: 15 samples\n" in result.out
        assert f"run folder: {tmp_path / 'run'}; the best adapter: {tmp_path / 'run' / 'best'}" in result.out
        assert "seed = 8" in (tmp_path / "run" / "small.py").read_text()
        again = tool("train", world.config, "--work-dir", tmp_path / "run", *options)
        assert again.code == 2
        assert "holds a run: give --resume to go on with it, or another --work-dir" in again.err


class TestEvaluation:
    def test_a_table_and_a_file(self, tool: Tool, world: World, run: Path, tmp_path: Path) -> None:
        out = tmp_path / "new" / "folder" / "scores.json"
        result = tool("test", world.config, run / "best", "--split", "val", "--json", out)
        assert result.code == 0, result.err
        details = json.loads(out.read_text())
        overall = details["scores"][-1]["value"]
        assert overall == json.loads((run / "best" / "adapter.json").read_text())["selected"]["overall"]
        assert "val split: 15 samples" in result.out
        assert f"{overall:.4f}" in result.out
        assert f"trainable parameters {details['trainable_parameters']:,} of" in result.out

    def test_missing_clips_and_strange_answers_are_counted(
        self, tool: Tool, world: World, run: Path, broken_root: Path
    ) -> None:
        first, second, *others = rows("test")
        changed = [{**first, "video_id": "gone"}, {**second, "anser": "never heard of"}, *others]
        write_json(broken_root / "avqa-test.json", changed)
        result = tool("test", world.config, run / "best", "--cfg-options", f"task.root={broken_root}")
        assert result.code == 0, result.err
        said = " ".join(result.out.split())
        assert "1 clips are not in the cache, their samples were left out: gone" in said
        assert "1 samples have an answer outside the vocabulary of train and count as wrong" in said

    def test_an_adapter_of_other_encoders(self, tool: Tool, world: World, run: Path) -> None:
        result = tool("test", world.config, run / "best", "--cfg-options", "encoders.audio.seed=6")
        assert result.code == 2
        assert "the audio encoder was 'seeded_encoders:audio' with digest" in result.err
        assert "or train anew" in result.err

    def test_no_adapter(self, tool: Tool, world: World, tmp_path: Path) -> None:
        result = tool("test", world.config, tmp_path / "none")
        assert result.code == 2
        assert "none: no such folder" in result.err

    def test_a_split_that_is_not_there(self, tool: Tool, world: World, run: Path, broken_root: Path) -> None:
        (broken_root / "avqa-test.json").unlink()
        result = tool("test", world.config, run / "best", "--cfg-options", f"task.root={broken_root}")
        assert result.code == 2
        assert "avqa-test.json is there; set task.root" in result.err


class TestCache:
    @pytest.fixture
    def damaged(self, world: World, broken_root: Path) -> Path:
        """A root whose test films are a whole one, one that was cut off, and a silent one."""
        whole, cut, silent = (broken_root / f"{video}.mp4" for video in videos("test"))
        write_film(whole)
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        write_film(silent, sound=False)
        return broken_root

    def test_what_cannot_be_decoded_is_listed_and_what_is_silent_counted(
        self, tool: Tool, world: World, damaged: Path, tmp_path: Path
    ) -> None:
        cache = tmp_path / "new" / "cache"
        options = ["--cfg-options", f"task.root={damaged}", f"clips.cache={cache}"]
        result = tool("cache", "build", world.config, "--split", "test", "val", "--workers", 1, *options)
        assert result.code == 0, result.err
        assert f"{cache}: 8 clips, 2 decoded now, 0 there already, 6 failed" in result.out
        assert "1 clips without sound" in result.out
        _, cut, _ = videos("test")
        assert f"  {cut}: {damaged / cut}.mp4: " in result.err
        for video in videos("val"):
            assert f"  {video}: {damaged / 'videos' / video}.mp4" in result.err

        info = tool("cache", "info", cache)
        assert info.code == 0
        assert f"{cache}: 2 clips, 6 failed" in info.out
        assert "1 clips without sound" in info.out
        assert info.err.count("\n") == 6

    def test_one_without_clips_says_so(self, tool: Tool, world: World, broken_root: Path, tmp_path: Path) -> None:
        options = ["--cfg-options", f"task.root={broken_root}", f"clips.cache={tmp_path / 'cache'}"]
        result = tool("cache", "build", world.config, *options)
        assert "15 clips, 0 decoded now, 0 there already, 15 failed" in result.out
        assert "… and 5 more; lstta cache info lists them all" in result.err

    def test_no_cache(self, tool: Tool, tmp_path: Path) -> None:
        result = tool("cache", "info", tmp_path / "none")
        assert result.code == 2
        assert "there is no cache at" in result.err


LOOK = """
import runpy, sys
sys.path.insert(0, {folder!r})
sys.argv = {argv!r}
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    assert not end.code
heavy = ("torch", "mmengine", "transformers", "lmdb", "av", "matplotlib")
print([module for module in heavy if module in sys.modules], file=sys.stderr)
"""


def run_and_look(name: str, *arguments: str) -> tuple[str, str]:
    """What a tool prints in a process of its own, and which heavy modules it imported."""
    argv = [str(REPOSITORY / "tools" / f"{name}.py"), *arguments]
    program = LOOK.format(folder=str(REPOSITORY / "tools"), argv=argv)
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return result.stdout, result.stderr


class TestProcesses:
    """As a user starts them."""

    @pytest.mark.parametrize("name", TOOLS)
    def test_help_imports_nothing_heavy(self, name: str) -> None:
        said, heavy = run_and_look(name, "--help")
        assert said.startswith("usage: ")
        assert heavy == "[]\n"

    def test_listing_plugins_imports_no_torch(self) -> None:
        said, heavy = run_and_look("plugins")
        assert "tiny-visual" in said
        assert "lstta " in said
        assert heavy == "[]\n"

    def test_an_error_is_one_line_and_exit_code_2(self) -> None:
        command = [sys.executable, str(REPOSITORY / "tools" / "train.py"), "none.py"]
        environment = {key: value for key, value in os.environ.items() if key != "LSTTA_DEBUG"}
        result = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert result.returncode == 2
        assert (
            result.stderr
            == "error: none.py: no such file, and no shipped config has this name; lstta configs lists them\n"
        )
        assert result.stdout == ""

    def test_debugging_shows_the_traceback(self, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LSTTA_DEBUG", "1")
        with pytest.raises(FileNotFoundError, match=r"none.py: no such file"):
            tool("train", "none.py")

    @pytest.mark.slow
    def test_evaluation_in_a_new_process_gives_the_same_to_the_last_digit(
        self, world: World, run: Path, tmp_path: Path
    ) -> None:
        from lstta_tasks.experiment.config import load_config
        from lstta_tasks.experiment.evaluate import evaluate

        _, here = evaluate(load_config(world.config), run / "best", "test")
        support = REPOSITORY / "packages" / "lstta-tasks" / "tests" / "support"
        arguments = [REPOSITORY / "tools" / "test.py", world.config, run / "best", "--json", tmp_path / "there.json"]
        environment = {**os.environ, "PYTHONPATH": str(support)}
        subprocess.run([sys.executable, *map(str, arguments)], check=True, env=environment)
        there = json.loads((tmp_path / "there.json").read_text())
        assert there == json.loads(json.dumps(here))

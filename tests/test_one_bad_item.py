"""One bad item never costs the others: what is good is answered, and all that is not is named, together."""

from __future__ import annotations

import errno
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import untrained
from small_world import World, rows, write_film, write_json

from lstta_tasks.cli.options import user_errors
from lstta_tasks.data import decode
from lstta_tasks.explain import infer as inferring
from lstta_tasks.task import Task
from lstta_tasks.tasks.classification import Classification
from lstta_tasks.tasks.humor import Humor
from lstta_tasks.tasks.inference import Inference
from lstta_tasks.tasks.retrieval import Retrieval

Tool = Callable[..., Any]
Save = Callable[[Task], Path]
LONG = "a very long name " * 11


@pytest.fixture(scope="module")
def save(tmp_path_factory: pytest.TempPathFactory) -> Save:
    """An adapter folder of a task, made once."""
    made: dict[str, Path] = {}

    def folder(task: Task) -> Path:
        if task.name not in made:
            made[task.name] = untrained.save_tiny(tmp_path_factory.mktemp(task.name) / "best", task)
        return made[task.name]

    return folder


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    write_film(path)
    return path.read_bytes()


@pytest.fixture
def films(film: bytes, tmp_path: Path) -> Path:
    """Two good clips between two bad ones, and what is no clip."""
    folder = tmp_path / "films"
    (folder / "more").mkdir(parents=True)
    for name in ("a.mp4", "-b.mp4", "huge.mp4", "odd.mp4"):
        (folder / name).write_bytes(film)
    (folder / "broken.mp4").write_text("no film")
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")
    (folder / "link").symlink_to(folder / "more")
    for name in ("notes.txt", "more/a.srt", ".hidden"):
        (folder / name).touch()
    return folder


@pytest.fixture
def _failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clips meet errors that nobody expects."""
    found = decode.decode_clip

    def decode_clip(source: Any, preprocessing: Any) -> Any:
        if source.video.name == "huge.mp4":
            raise MemoryError("Unable to allocate 96 TiB")
        if source.video.name == "odd.mp4":
            raise RuntimeError("an encoder stumbles")
        return found(source, preprocessing)

    monkeypatch.setattr(decode, "decode_clip", decode_clip)


@pytest.mark.usefixtures("_failing")
class TestFolder:
    def test_infer(self, tool: Tool, save: Save, films: Path) -> None:
        result = tool("infer", save(Humor()), films, "a joke", "--json", "--draw", 0)
        assert result.code == 0, result.err
        found = json.loads(result.out)
        assert [answer["clip"] for answer in found["answers"]] == ["-b.mp4", "a.mp4"]
        assert list(found["failed"]) == ["broken.mp4", "huge.mp4", "odd.mp4"]
        assert found["failed"]["huge.mp4"].startswith("MemoryError: Unable to allocate 96 TiB (")
        assert found["failed"]["odd.mp4"].startswith("RuntimeError: an encoder stumbles (")
        assert found["skipped"] == {
            ".hidden": "its name does not end as those of videos do",
            "gone.mp4": "there is no such file",
            "link": "a link to a folder, which is not followed",
            "more/a.srt": "its name does not end as those of videos do",
            "notes.txt": "its name does not end as those of videos do",
        }
        shown = tool("infer", save(Humor()), films, "a joke", "--draw", 0).out.replace("\n", " ")
        for name in found["failed"]:
            assert f"{name} cannot be read: " in shown
        for name in found["skipped"]:
            assert f"{name} is skipped: " in shown

    def test_subtitles_of_one_clip(self, tool: Tool, save: Save, films: Path) -> None:
        (films / "a.srt").write_bytes("1\n00:00:00,100 --> 00:00:00,600\ncafé\n".encode("cp1252"))
        (films / "-b.srt").write_text("1\n00:00:00,100 --> 00:00:00,600\nhello\n")
        found = json.loads(tool("infer", save(Inference()), films, "loud", "--json", "--draw", 0).out)
        assert [answer["subtitles"] for answer in found["answers"]] == [[[0.1, 0.6, "hello"]]]
        assert "byte 0xE9" in found["failed"]["a.mp4"]
        assert not {"a.srt", "-b.srt"} & set(found["skipped"]), "they were read"

    def test_all_that_fail_are_named(self, tool: Tool, save: Save, films: Path) -> None:
        for name in ("a.mp4", "-b.mp4"):
            (films / name).unlink()
        result = tool("infer", save(Humor()), films)
        assert result.code == 2
        assert "none of 3 videos can be read:\n  broken.mp4: " in result.err
        assert "\n  huge.mp4: MemoryError" in result.err
        assert "\n  odd.mp4: RuntimeError" in result.err
        index = tool("retrieve", "index", save(Retrieval(embedding=6)), "--folder", films, "--out", films / "i.npz")
        assert index.code == 2
        assert "\n  huge.mp4: MemoryError" in index.err

    def test_a_wrong_argument_is_one_error(self, tool: Tool, save: Save, films: Path) -> None:
        result = tool("infer", save(Humor()), films, "a joke", "--options", "a", "b")
        assert (result.code, result.err.count("\n")) == (2, 1)

    def test_an_index(self, tool: Tool, save: Save, films: Path, tmp_path: Path) -> None:
        out = tmp_path / "index.npz"
        result = tool("retrieve", "index", save(Retrieval(embedding=6)), "--folder", films, "--out", out)
        assert result.code == 0, result.err
        assert "2 clips; 3 clips left out" in result.out
        for name in ("broken.mp4: ", "huge.mp4: MemoryError", "odd.mp4: RuntimeError", "notes.txt is skipped: "):
            assert f"  {name}" in result.err
        with np.load(out) as arrays:
            assert arrays["clip_ids"].tolist() == ["-b.mp4", "a.mp4"]


class TestDrawing:
    def test_answers_are_out_before_it(
        self, tool: Tool, save: Save, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(inferring, "save_picture", full)
        for json_or_table in (["--json"], []):
            result = tool("infer", save(Humor()), films / "a.mp4", "a joke", *json_or_table, "--out", tmp_path / "out")
            assert result.code == 2
            assert "no space is left on the device" in result.err
            assert "funny" in result.out
            assert not list((tmp_path / "out").iterdir())

    def test_one_that_cannot_be_drawn(
        self, tool: Tool, save: Save, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        draw = inferring.save_picture

        def draw_most(explanation: Any, media: Any, path: Path) -> None:
            if explanation.source.id == "a.mp4":
                raise OverflowError("too many ticks")
            draw(explanation, media, path)

        monkeypatch.setattr(inferring, "save_picture", draw_most)
        (films / f"{LONG}.mp4").write_bytes((films / "a.mp4").read_bytes())
        result = tool("infer", save(Humor()), films, "a joke", "--out", tmp_path / "out")
        assert result.code == 0
        assert "a.mp4 cannot be drawn: OverflowError: too many ticks" in result.err
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert names == {"-b.png", "huge.png", "odd.png", f"{LONG}.png", "index.html"}
        assert "<h2>Not drawn</h2><ul><li>a.mp4: " in (tmp_path / "out" / "index.html").read_text()


class TestTerminal:
    def run(self, verb: str, arguments: list[str], encoding: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
        from importlib import import_module

        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        with user_errors():
            import_module(f"lstta_tasks.cli.{verb}").main(arguments)
        sys.stdout.flush()
        return written.getvalue()

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
    def test_letters_that_it_lacks(
        self, encoding: str, save: Save, films: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        adapter = str(save(Classification(labels=["Straße", "звук"])))
        arguments = [adapter, str(films / "a.mp4"), "Ťukání", "--draw", "0"]
        table = self.run("infer", arguments, encoding, monkeypatch).decode(encoding)
        assert ("Ťukání" if encoding == "utf-8" else r"\u0164uk") in table
        found = json.loads(self.run("infer", [*arguments, "--json"], encoding, monkeypatch).decode(encoding))
        assert found["answers"][0]["text"] == "Ťukání"
        assert set(found["answers"][0]["probabilities"]) == {"Straße", "звук"}


def test_names_that_begin_with_a_dash(
    tool: Tool, save: Save, world: World, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(films)
    found = tool("infer", save(Humor()), "-b.mp4", "-5 degrees", "--json", "--draw", 0)
    assert json.loads(found.out)["answers"][0]["text"] == "-5 degrees"
    index = tool("retrieve", "index", save(Retrieval(embedding=6)), "--folder", ".", "--out", tmp_path / "i.npz")
    assert index.code == 0, index.err
    search = tool("retrieve", "search", save(Retrieval(embedding=6)), tmp_path / "i.npz", "-what?", "--json")
    assert "-b.mp4" in {one["clip"] for one in json.loads(search.out)}
    export = tool("cache", "export", world.cache, "-nowhere", "--out", tmp_path / "-out")
    assert "clip '-nowhere' is not in the cache" in export.err


class TestTraining:
    @pytest.fixture
    def bad(self, world: World, tmp_path: Path) -> World:
        """Bad rows in train and in val."""
        (tmp_path / "data").mkdir()
        (tmp_path / "data/videos").symlink_to(world.root / "videos")
        for split in ("train", "val", "test"):
            some = rows(split)
            if split != "test":
                some[1]["templ_values"] = "[]"
                some[4]["anser"] = ""
            write_json(tmp_path / "data" / f"avqa-{split}.json", some)
        config = tmp_path / "small.py"
        config.write_text(world.config.read_text().replace(str(world.root), str(tmp_path / "data")))
        return World(tmp_path / "data", world.cache, config)

    def test_names_the_bad_rows_of_all_splits_and_stops(self, tool: Tool, bad: World, tmp_path: Path) -> None:
        for verb in (["train", bad.config, "--work-dir", tmp_path / "run"], ["cache", "build", bad.config]):
            result = tool(*verb)
            assert result.code == 2
            for split in ("train", "val"):
                assert f"avqa-{split}.json: 2 of " in result.err
            assert result.err.count("\n  row 1: ") == result.err.count("\n  row 4: ") == 2
            assert "task.skip_bad_rows=True" in result.err
        assert not (tmp_path / "run").exists()

    def test_leaves_them_out_and_counts_them(self, tool: Tool, bad: World, tmp_path: Path) -> None:
        options = ["--cfg-options", "task.skip_bad_rows=True", "train_cfg.max_epochs=1"]
        result = tool("train", bad.config, "--work-dir", tmp_path / "run", *options)
        assert result.code == 0, result.err
        assert "train: 19 samples" in result.out
        assert "val: 13 samples" in result.out
        assert "avqa-train.json: 2 of 21 rows are bad and left out" in result.out
        assert "avqa-val.json: 2 of 15 rows are bad and left out" in result.out

"""``lstta infer``: answers for a clip or a folder, with pictures and a page, from an adapter folder alone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import untrained
from PIL import Image
from small_world import write_film

from lstta_tasks.adapters import load
from lstta_tasks.task import Task, TimedText
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.avqa_options import AVQAOptions, with_options
from lstta_tasks.tasks.classification import Classification
from lstta_tasks.tasks.emotion import Emotion
from lstta_tasks.tasks.humor import Humor
from lstta_tasks.tasks.inference import Inference
from lstta_tasks.tasks.retrieval import Retrieval
from lstta_tasks.tasks.sentiment import Sentiment

Tool = Callable[..., Any]
Save = Callable[[Task], Path]
SRT = "1\n00:00:00,100 --> 00:00:00,600\nmy friend loves the flute\n"


@pytest.fixture(scope="module")
def save(tmp_path_factory: pytest.TempPathFactory) -> Save:
    """An adapter folder of a task, made once."""
    made: dict[str, Path] = {}

    def folder(task: Task) -> Path:
        if task.name not in made:
            made[task.name] = untrained.save_tiny(tmp_path_factory.mktemp(task.name) / "best", task)
        return made[task.name]

    return folder


@pytest.fixture
def film(tmp_path: Path) -> Path:
    write_film(tmp_path / "film.mp4")
    return tmp_path / "film.mp4"


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Two films, one of them silent and in a folder of its own, and a file that is none."""
    (tmp_path / "films" / "more").mkdir(parents=True)
    write_film(tmp_path / "films" / "a.mp4")
    write_film(tmp_path / "films" / "more" / "a.mp4", sound=False, bright=False)
    (tmp_path / "films" / "broken.mp4").write_text("no film")
    return tmp_path / "films"


class TestOneClip:
    def test_a_table_a_picture_and_a_page(self, tool: Tool, save: Save, film: Path, tmp_path: Path) -> None:
        adapter, out = save(AVQA(answers=["left", "right"])), tmp_path / "new" / "out"
        result = tool("infer", adapter, film, "Is it <loud>?", "", "--out", out)
        assert result.code == 0, result.err
        expected = load(adapter).predict(film, "Is it <loud>?")
        row = next(line for line in result.out.splitlines() if "Is it <loud>?" in line)
        assert f" {expected['answer']} " in row
        assert "–" in next(line for line in result.out.splitlines() if line.split()[1:2] == ["–"])
        assert f"page: {out / 'index.html'}" in result.out.replace("\n", "")
        assert sorted(path.name for path in out.iterdir()) == ["film-2.png", "film.png", "index.html"]
        with Image.open(out / "film.png") as image:
            assert image.width == 1100
        page = (out / "index.html").read_text()
        assert "Is it &lt;loud&gt;?" in page
        assert "No text" in page

    def test_texts_may_stand_behind_options(self, tool: Tool, save: Save, film: Path) -> None:
        result = tool("infer", save(AVQA(answers=["left", "right"])), film, "--draw", 0, "--json", "loud?")
        assert json.loads(result.out)["answers"][0]["text"] == "loud?"

    def test_the_folder_of_the_page_by_default(
        self, tool: Tool, save: Save, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert tool("infer", save(Emotion()), "film.mp4", "Frank: oh").code == 0
        assert (tmp_path / "work_dirs" / "infer" / "film" / "index.html").is_file()

    def test_json(self, tool: Tool, save: Save, film: Path, tmp_path: Path) -> None:
        adapter = save(AVQA(answers=["left", "right"]))
        result = tool("infer", adapter, film, "loud?", "--json", "--draw", "0", "--out", tmp_path / "out")
        found = json.loads(result.out)
        assert not (tmp_path / "out").exists()
        assert found["page"] is None
        assert (found["task"], found["failed"], found["rankings"]) == ("avqa", {}, {})
        (answer,) = found["answers"]
        expected = load(adapter).predict(film, "loud?")
        assert (answer["clip"], answer["text"], answer["answer"]) == ("film.mp4", "loud?", expected["answer"])
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
        assert answer["probabilities"][expected["answer"]] == pytest.approx(expected["probability"], abs=1e-6)
        assert answer["edges"] == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=1e-3)
        for curves in (answer["importances"], answer["attention"]):
            assert {name: len(curve) for name, curve in curves.items()} == {"visual": 3, "audio": 3}

    @pytest.mark.parametrize(
        ("task", "answers"),
        [
            (Classification(labels=["in", "out"]), {"in", "out"}),
            (Humor(), {"funny", "not funny"}),
            (Inference(), {"real", "fake"}),
        ],
    )
    def test_without_words(self, tool: Tool, save: Save, film: Path, task: Task, answers: set[str]) -> None:
        found = json.loads(tool("infer", save(task), film, "--json", "--draw", 0).out)
        assert set(found["answers"][0]["probabilities"]) == answers

    def test_a_score(self, tool: Tool, save: Save, film: Path, tmp_path: Path) -> None:
        adapter = save(Sentiment())
        found = json.loads(tool("infer", adapter, film, "It was fine.", "--json", "--draw", 0).out)
        (answer,) = found["answers"]
        assert answer["score"] == pytest.approx(load(adapter).predict(film, "It was fine.")["score"], abs=1e-6)
        assert "probabilities" not in answer
        assert "from −3 to +3" in tool("infer", adapter, film, "It was fine.", "--out", tmp_path / "out").out

    def test_options(self, tool: Tool, save: Save, film: Path) -> None:
        adapter, options = save(AVQAOptions()), ["a dog", "a cat", "a car", "rain"]
        found = json.loads(
            tool("infer", adapter, film, "What is it?", "--options", *options, "--json", "--draw", 0).out
        )
        (answer,) = found["answers"]
        assert answer["text"] == with_options("What is it?", options)
        letter = load(adapter).predict(film, answer["text"])["answer"]
        assert answer["answer"] == f"{letter}: {options['ABCD'.index(letter)]}"
        assert set(answer["probabilities"]) == {"A: a dog", "B: a cat", "C: a car", "D: rain"}

    def test_subtitles(self, tool: Tool, save: Save, film: Path, tmp_path: Path) -> None:
        adapter = save(Inference())
        (tmp_path / "named.srt").write_text(SRT)
        named = tool("infer", adapter, film, "loud", "--subtitles", tmp_path / "named.srt", "--json", "--draw", 0)
        shutil.copy(tmp_path / "named.srt", film.with_suffix(".srt"))
        beside = tool("infer", adapter, film, "loud", "--json", "--draw", 0)
        (answer,) = json.loads(named.out)["answers"]
        assert json.loads(beside.out)["answers"] == [answer]
        assert answer["subtitles"] == [[0.1, 0.6, "my friend loves the flute"]]
        timed = [TimedText(0.1, 0.6, "my friend loves the flute")]
        expected = load(adapter).predict(film, "loud", timed)
        assert answer["probabilities"]["real"] == pytest.approx(expected["probability"], abs=1e-6)

    def test_subtitles_in_another_encoding(self, tool: Tool, save: Save, film: Path) -> None:
        adapter = save(Inference())
        film.with_suffix(".srt").write_bytes(SRT.replace("friend", "café ’tis").encode("cp1252"))
        refused = tool("infer", adapter, film, "loud", "--json", "--draw", 0)
        assert refused.code == 2
        assert "film.srt: byte 0xE9 at offset 38 (line 3, byte 7 of it) is not UTF-8" in refused.err
        assert "--encoding=cp1252" in refused.err
        read = tool("infer", adapter, film, "loud", "--json", "--draw", 0, "--encoding", "cp1252")
        assert json.loads(read.out)["answers"][0]["subtitles"] == [[0.1, 0.6, "my café ’tis loves the flute"]]
        unknown = tool("infer", adapter, film, "loud", "--encoding", "klingon")
        assert "--encoding: no encoding is called 'klingon'" in unknown.err


class TestFolder:
    def test_each_clip_and_what_cannot_be_read(self, tool: Tool, save: Save, films: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        result = tool("infer", save(AVQA(answers=["left", "right"])), films, "loud?", "--out", out, "--json")
        found = json.loads(result.out)
        assert [answer["clip"] for answer in found["answers"]] == ["a.mp4", "more/a.mp4"]
        assert list(found["answers"][1]["attention"]) == ["visual"]
        assert list(found["failed"]) == ["broken.mp4"]
        assert found["page"] == str(out / "index.html")
        assert sorted(path.name for path in out.iterdir()) == ["a.png", "index.html", "more_a.png"]
        assert "broken.mp4" in (out / "index.html").read_text()

    def test_a_name_that_is_no_text_is_listed(self, tool: Tool, save: Save, films: Path) -> None:
        (films / os.fsdecode(b"caf\xe9.mp4")).write_bytes((films / "a.mp4").read_bytes())
        found = json.loads(tool("infer", save(Humor()), films, "a joke", "--json", "--draw", 0).out)
        assert r"'caf\udce9.mp4'" in found["failed"]
        assert len(found["answers"]) == 2

    def test_some_are_drawn(self, tool: Tool, save: Save, films: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        result = tool("infer", save(Humor()), films, "a joke", "--out", out, "--draw", 1)
        assert "broken.mp4 cannot be read" in result.out
        assert sorted(path.name for path in out.iterdir()) == ["a.png", "index.html"]
        assert "1 of 2 answers are drawn here" in (out / "index.html").read_text()


class TestRetrieval:
    def test_texts_for_a_clip(self, tool: Tool, save: Save, film: Path, tmp_path: Path) -> None:
        adapter = save(Retrieval(embedding=6))
        texts = ["a flute on the left", "a drum"]
        found = json.loads(tool("infer", adapter, film, *texts, "--json", "--draw", 0).out)
        (answer,) = found["answers"]
        assert answer["cosines"] == pytest.approx(
            {t: load(adapter).predict(film, t)["similarity"] for t in texts}, abs=1e-5
        )
        shown = tool("infer", adapter, film, *texts, "--out", tmp_path / "out").out
        best, other = answer["cosines"]
        assert shown.index(best) < shown.index(other)

    def test_rankings_are_in_the_order_of_the_texts(self, tool: Tool, save: Save, films: Path, tmp_path: Path) -> None:
        adapter, texts = save(Retrieval(embedding=6)), ["one", "two", "three", "four"]
        for asked in (texts, texts[::-1]):
            found = json.loads(tool("infer", adapter, films, *asked, "--json", "--draw", 0).out)
            assert list(found["rankings"]) == asked

    def test_clips_for_a_text(self, tool: Tool, save: Save, films: Path, tmp_path: Path) -> None:
        adapter, out = save(Retrieval(embedding=6)), tmp_path / "out"
        found = json.loads(tool("infer", adapter, films, "a drum", "--json", "--out", out, "--draw", 1).out)
        (ranking,) = found["rankings"].values()
        assert {one["clip"] for one in ranking} == {"a.mp4", "more/a.mp4"}
        assert ranking[0]["cosine"] >= ranking[1]["cosine"]
        drawn = ranking[0]["clip"].removesuffix(".mp4").replace("/", "_")
        assert sorted(path.name for path in out.iterdir()) == sorted(["index.html", f"{drawn}.png"])


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["none.mp4"], "none.mp4: there is no such file"),
            (
                ["film.mp4", "?", "--options", "a", "b", "c", "d"],
                "the task avqa has no options to choose from",
            ),
            (["film.mp4", "?", "--subtitles", "film.srt"], "the task avqa reads none"),
            (["films", "?", "--subtitles", "film.srt"], "one file of subtitles is for one clip"),
            (["empty"], "empty: no file in it ends in .mp4"),
        ],
    )
    def test_one_line(
        self, tool: Tool, save: Save, films: Path, film: Path, arguments: list[str], said: str, monkeypatch: Any
    ) -> None:
        monkeypatch.chdir(film.parent)
        Path("film.srt").write_text(SRT)
        Path("empty").mkdir()
        result = tool("infer", save(AVQA(answers=["left", "right"])), *arguments)
        assert result.code == 2
        assert result.err.startswith("error: ")
        assert said in result.err
        assert not Path("work_dirs").exists()

    def test_no_clip_of_a_folder(self, tool: Tool, save: Save, films: Path) -> None:
        for path in (films / "a.mp4", films / "more" / "a.mp4"):
            path.unlink()
        result = tool("infer", save(Humor()), films)
        assert result.code == 2
        assert "broken.mp4: not a media file" in result.err

    def test_no_adapter(self, tool: Tool, film: Path) -> None:
        result = tool("infer", film.parent / "none", film)
        assert result.code == 2
        assert "none: no such folder" in result.err

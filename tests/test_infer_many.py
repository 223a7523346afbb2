"""``lstta infer`` on several clips, on files that are only heard or only seen, and with encoders that have moved."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import untrained
from cached_world import random_clip
from PIL import Image
from small_world import write_film

from lstta_core.interfaces import Modality
from lstta_tasks.adapters import load
from lstta_tasks.data.clip import ClipSource, DecodeError
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.data.senses import lacking
from lstta_tasks.moved import moved_to, places_of
from lstta_tasks.tasks.avqa import AVQA

Tool = Callable[..., Any]
QUESTION = "Is it loud?"
SOUNDS = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "mp3", ".m4a": "aac"}


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained.save_tiny(tmp_path_factory.mktemp("adapter") / "best", AVQA(answers=["left", "right"]))


@pytest.fixture
def films(tmp_path: Path) -> Path:
    for name in ("a", "b", "more/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_film(tmp_path / f"{name}.mp4", bright=name != "b")
    return tmp_path


def write_sound(path: Path) -> None:
    """Two seconds of a tone."""
    wave = (8000 * np.sin(np.arange(32_000) * 0.1)).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(SOUNDS[path.suffix], rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(format=stream.codec_context.format.name, layout="mono", rate=16_000)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            for packet in stream.encode(part):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)


def answers(tool: Tool, adapter: Path, *words: object) -> dict[str, Any]:
    result = tool("infer", adapter, *words, "--json", "--draw", 0)
    assert result.code == 0, result.err
    return dict(json.loads(result.out))


class TestSeveral:
    def test_files_and_folders(self, tool: Tool, adapter: Path, films: Path) -> None:
        found = answers(tool, adapter, films / "a.mp4", films / "b.mp4", films / "more", QUESTION, "Which one?")
        names = [(films / "a.mp4").as_posix(), (films / "b.mp4").as_posix(), "more/c.mp4"]
        assert [one["clip"] for one in found["answers"]] == [name for name in names for _ in range(2)]
        assert [one["text"] for one in found["answers"]] == [QUESTION, "Which one?"] * 3
        assert found["answers"][2]["answer"] == load(adapter).predict(films / "b.mp4", QUESTION)["answer"]

    def test_one_that_is_not_there_costs_no_other(self, tool: Tool, adapter: Path, films: Path) -> None:
        """A word that ends like a film is never asked as a question."""
        found = answers(tool, adapter, films / "a.mp4", films / "gone.mp4", QUESTION)
        assert [one["text"] for one in found["answers"]] == [QUESTION]
        assert "there is no such file" in found["failed"][str(films / "gone.mp4")]

    def test_a_word_like_a_folder_is_a_question(
        self, tool: Tool, adapter: Path, films: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(films)
        assert answers(tool, adapter, "a.mp4", "more")["answers"][0]["text"] == "more"
        assert len(answers(tool, adapter, "a.mp4", "more/", QUESTION)["answers"]) == 2

    def test_a_file_twice(self, tool: Tool, adapter: Path, films: Path) -> None:
        result = tool("infer", adapter, films / "a.mp4", films / "a.mp4", QUESTION)
        assert f"{films / 'a.mp4'} is there twice" in result.err

    def test_subtitles_are_of_one(self, tool: Tool, adapter: Path, films: Path) -> None:
        result = tool("infer", adapter, films / "a.mp4", films / "b.mp4", QUESTION, "--subtitles", "a.srt")
        assert "one file of subtitles is for one clip; those of several lie beside them" in result.err


class TestHalves:
    @pytest.mark.parametrize("suffix", SOUNDS)
    def test_sound_alone(self, tool: Tool, adapter: Path, tmp_path: Path, suffix: str) -> None:
        write_sound(tmp_path / f"song{suffix}")
        found = answers(tool, adapter, tmp_path / f"song{suffix}", QUESTION)
        (one,) = found["answers"]
        assert list(one["attention"]) == ["audio"]
        assert one["edges"][-1] == pytest.approx(2.0, abs=0.15)
        assert found["notes"] == {f"song{suffix}": "no pictures in it: answered from its sound"}

    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".mp4"])
    def test_pictures_alone(self, tool: Tool, adapter: Path, tmp_path: Path, suffix: str) -> None:
        """A picture is a clip that shows it all the time."""
        path = tmp_path / f"still{suffix}"
        if suffix == ".mp4":
            write_film(path, sound=False)
        else:
            Image.fromarray(np.full((32, 48, 3), 120, np.uint8)).save(path)
        found = answers(tool, adapter, path, QUESTION)
        (one,) = found["answers"]
        assert list(one["attention"]) == ["visual"]
        assert found["notes"] == {path.name: "no sound in it: answered from its pictures"}
        if suffix != ".mp4":
            frames = decode_clip(ClipSource("a", path), load(adapter).preprocessing).frames
            assert (frames == frames[:1]).all()

    def test_they_are_told_and_drawn(self, tool: Tool, adapter: Path, tmp_path: Path) -> None:
        write_sound(tmp_path / "song.wav")
        result = tool("infer", adapter, tmp_path / "song.wav", QUESTION, "--out", tmp_path / "out")
        assert result.code == 0, result.err
        assert "song.wav: no pictures in it: answered from its sound" in result.out
        assert (tmp_path / "out" / "song.png").is_file()

    def test_what_the_model_has_no_sense_for(self) -> None:
        item = untrained.predictor(AVQA(answers=["a", "b"]))
        silent = replace(random_clip(item.preprocessing, 0), has_sound=False)
        assert lacking(silent, [Modality.VISUAL, Modality.LANGUAGE], "x") is None
        assert lacking(silent, list(Modality), "x") == "no sound in it: answered from its pictures"
        with pytest.raises(DecodeError, match="x: there is no sound in it, and the adapter reads nothing else"):
            lacking(silent, [Modality.AUDIO, Modality.LANGUAGE], "x")


class TestMoved:
    def test_weights_that_come_with_a_package_lie_nowhere(self, tool: Tool, adapter: Path, films: Path) -> None:
        result = tool("infer", adapter, films / "a.mp4", QUESTION, "--encoder", "visual=models/dinov2")
        assert "the encoder 'tiny-visual' has none of the options model, path: it comes with its package" in result.err

    def test_places(self) -> None:
        record = {"visual": {"name": "hf-visual", "model": "old"}, "audio": {"name": "tiny-audio"}}
        assert moved_to(record, {"visual": "new"}, "x")["visual"]["model"] == "new"
        with pytest.raises(ValueError, match="--encoder language=…: x has encoders of visual, audio"):
            moved_to(record, {"language": "new"}, "x")
        assert places_of(["visual=a=b"]) == {"visual": "a=b"}
        for pair in ("visual", "visual="):
            with pytest.raises(ValueError, match=f"--encoder wants MODALITY=PLACE, .*, got '{pair}'"):
                places_of([pair])

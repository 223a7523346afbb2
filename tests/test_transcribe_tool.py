"""``lstta transcribe`` with real weights: synthesised speech is heard, and a task reads what was heard.

The vocabulary is that of the package ``openai-whisper`` (installed with ``--no-deps``: nothing of it is run).
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lstta_tasks.annotations.subtitles import read_subtitles
from lstta_world.spoken_words import VOICES, WORDS, say
from lstta_world.synth import SAMPLE_RATE

Tool = Callable[..., Any]
SHARED = Path(os.environ.get("LSTTA_SHARED", Path(__file__).parents[2] / "shared"))
SENTENCES = (
    "On Monday we drink seven cups of coffee with sugar.",
    "The river is cold in the winter.",
    "She reads the yellow paper in the garden.",
    "There are two dogs and a cat on the street.",
    "My brother wants to buy a new guitar.",
    "The train to the city leaves in seven minutes.",
    "We walked along the river until it was dark.",
    "Nobody knows where the old man lives now.",
)
NUMBERS = {"7": "seven", "2": "two"}


@pytest.fixture(scope="module")
def model() -> list[str]:
    """The options that name Whisper and its vocabulary."""
    folder, package = SHARED / "models" / "whisper-tiny-en", find_spec("whisper")
    if not folder.is_dir():
        pytest.skip(f"no real encoders: {folder} is not there; LSTTA_SHARED names the folder above it")
    if package is None or not package.submodule_search_locations:
        pytest.skip("no vocabulary: pip install --no-deps openai-whisper")
    words = Path(package.submodule_search_locations[0]) / "assets" / "gpt2.tiktoken"
    return ["--model", str(folder), "--vocabulary", str(words)]


def write_speech(path: Path, parts: Sequence[Any], silence: float = 0.5) -> list[float]:
    """A WAV file of spoken parts with silence between; when each begins, in seconds."""
    begins, waves = [], [np.zeros(round(silence * SAMPLE_RATE), np.float32)]
    for part in parts:
        begins.append(sum(map(len, waves)) / SAMPLE_RATE)
        waves += [part / np.abs(part).max() * 0.6, np.zeros(round(silence * SAMPLE_RATE), np.float32)]
    samples = (np.concatenate(waves) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return begins


def words_of(text: str) -> list[str]:
    return [NUMBERS.get(word, word) for word in re.findall(r"[a-z0-9']+", text.lower())]


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words that are wrong, missing or too many."""
    row = list(range(len(heard) + 1))
    for place, word in enumerate(said, 1):
        before, row[0] = row[0], place
        for other, found in enumerate(heard, 1):
            before, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, before + (word != found))
    return row[-1]


def test_errors_are_counted() -> None:
    assert errors(["a", "b", "c"], ["a", "b", "c"]) == 0
    assert errors(["a", "b", "c"], ["a", "x", "c", "d"]) == 2
    assert errors(["a", "b"], []) == 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.real_weights
def test_synthesised_speech_is_heard(tool: Tool, model: list[str], tmp_path: Path) -> None:
    """Two American voices say each sentence by itself, and one all of them in a row, longer than a window."""
    pytest.importorskip("espeakng_loader")
    spoken = {voice: say([(text, voice, 150, 50) for text in SENTENCES]) for voice in ("en-us", "en-us+f2")}
    for voice, waves in spoken.items():
        for number, wave in enumerate(waves):
            write_speech(tmp_path / f"{voice}-{number}.wav", [wave])
    begins = write_speech(tmp_path / "long.wav", spoken["en-us"] * 2, silence=1.0)
    result = tool("transcribe", *sorted(tmp_path.glob("*.wav")), *model)
    assert result.code == 0, result.err

    wrong = count = 0
    for voice in spoken:
        for number, text in enumerate(SENTENCES):
            heard = " ".join(line.text for line in read_subtitles(tmp_path / f"{voice}-{number}.srt"))
            wrong += errors(words_of(text), words_of(heard))
            count += len(words_of(text))
    lines = read_subtitles(tmp_path / "long.srt")
    said = words_of(" ".join(SENTENCES * 2))
    in_a_row = errors(said, words_of(" ".join(line.text for line in lines))) / len(said)
    sys.stderr.write(f"word errors: {wrong} of {count} words alone, {in_a_row:.3f} of {len(said)} in a row\n")
    assert wrong / count < 0.2
    assert in_a_row < 0.2
    starts = np.array([line.start for line in lines])
    near = [np.abs(starts - begin).min() for begin in begins]
    assert np.median(near) < 1.0  # lines begin where sentences do
    again = tool("transcribe", *sorted(tmp_path.glob("*.wav")), *model)
    assert "0 files of subtitles written, 17 there already" in again.out


CONFIG = """
from seeded_encoders import language
from torch.optim import AdamW

seed = 0
log_interval = 50
task = dict(name="classification", path={table!r}, subtitles={subtitles})
encoders = dict(
    visual=dict(name="tiny-visual"), audio=dict(name="tiny-audio"), language=dict(type=language, seed=5)
)
method = dict(name="lstta", width=8, heads=2, latents=2, window=3)
model = dict(stages=2, readout=dict(width=12, heads=2), modalities=["language"])
clips = dict(segments=3, sound_seconds=0.25, fit="squash", cache={cache!r}, codec="raw")
loader = dict(batch_size=8, workers=0)
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=1e-2, weight_decay=0.01), clip_grad=dict(max_norm=1.0))
train_cfg = dict(max_epochs=12, val_interval=12)
schedule = dict(decay="none")
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.real_weights
def test_a_task_reads_what_was_heard(tool: Tool, model: list[str], tmp_path: Path) -> None:
    """Who says 'coffee' or 'river' among other words? The model hears nothing, it reads what was heard."""
    pytest.importorskip("espeakng_loader")
    order = random.Random(0)
    others = [word for word in WORDS if word not in ("coffee", "river")]
    rows, texts, places = ["video,label,split"], [], []
    for split, count in (("train", 28), ("val", 4), ("test", 16)):
        for number in range(count):
            label = ("coffee", "river")[number % 2]
            one, two = order.sample(others, 2)
            texts.append((f"We saw the {one}, the {label} and the {two}.", order.choice(VOICES[:3]), 150, 50))
            places.append(tmp_path / f"{split}{number}.wav")
            rows.append(f"{places[-1].name},{label},{split}")
    for place, wave in zip(places, say(texts), strict=True):
        write_speech(place, [wave])
    (tmp_path / "my.csv").write_text("\n".join(rows))
    assert tool("transcribe", tmp_path / "my.csv", *model).code == 0
    accuracy = {}
    for subtitles in (True, False):
        config = tmp_path / f"config_{subtitles}.py"
        cache = str(tmp_path / "cache")
        config.write_text(CONFIG.format(table=str(tmp_path / "my.csv"), subtitles=subtitles, cache=cache))
        assert tool("cache", "build", config, "--workers", 1).code == 0
        result = tool("train", config, "--work-dir", tmp_path / f"run_{subtitles}")
        assert result.code == 0, result.err
        found = tmp_path / f"found_{subtitles}.json"
        assert tool("test", config, tmp_path / f"run_{subtitles}" / "best", "--json", found).code == 0
        scores = json.loads(found.read_text())["scores"]
        accuracy[subtitles] = next(score["value"] for score in scores if score["name"] == "accuracy")
    sys.stderr.write(f"accuracy: {accuracy[True]:.2f} with transcripts, {accuracy[False]:.2f} without\n")
    assert accuracy[True] > 0.8
    assert accuracy[False] <= 0.5  # there is nothing else to go by

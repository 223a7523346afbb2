"""A data set in MUSIC-AVQA's files that is made in seconds: short films, questions, a cache, and a config for it.

What is asked about a film can be answered, mostly: ``loud`` follows from the sound, ``bright`` from the pictures, and
``yes`` goes with one of the questions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

CLIPS = {"train": 7, "val": 5, "test": 3}
QUESTIONS = 3

CONFIG = """
from mmengine.optim import LinearLR
from seeded_encoders import audio, language, visual
from torch.optim import AdamW

seed = 0
log_interval = 2
task = dict(name="avqa", root={root!r})
encoders = dict(
    visual=dict(type=visual, seed=5), audio=dict(type=audio, seed=5), language=dict(type=language, seed=5)
)
method = dict(name="lstta", width=8, heads=2, latents=2, window=3, dropout=0.1)
model = dict(stages=2, readout=dict(width=12, heads=2, dropout=0.1))
clips = dict(segments=3, sound_seconds=0.25, fit="squash", cache={cache!r}, codec="raw")
loader = dict(batch_size=4, workers=0)
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=2e-2, weight_decay=0.01), clip_grad=dict(max_norm=1.0))
train_cfg = dict(max_epochs=3, val_interval=1)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, by_epoch=True, begin=0, end=1, convert_to_iter_based=True)
]
"""


@dataclass(frozen=True)
class World:
    """Where everything is.

    Attributes:
        root: of the data set.
        cache: of the decoded clips; made by :func:`make`.
        config: for both.
    """

    root: Path
    cache: Path
    config: Path


def make(folder: Path, *, cached: bool = True) -> World:
    """Write the data set and a config and, where wanted, decode the clips."""
    root, cache, config = folder / "data", folder / "cache", folder / "small.py"
    (root / "videos").mkdir(parents=True)
    for split in CLIPS:
        for index, video in enumerate(videos(split)):
            film = root / "videos" / f"{video}.mp4"
            write_film(film, loud=index % 2 == 0, bright=index % 3 == 0)
            with film.open("ab") as file:  # a box that players skip: films that look alike are not one file
                file.write((8 + len(video)).to_bytes(4, "big") + b"free" + video.encode())
        write_json(root / f"avqa-{split}.json", rows(split))
    config.write_text(CONFIG.format(root=str(root), cache=str(cache)), encoding="utf-8")
    if cached:
        from lstta_tasks.data.build_cache import build_cache
        from lstta_tasks.experiment.config import load_config
        from lstta_tasks.experiment.parts import Experiment

        experiment = Experiment(load_config(config))
        report = build_cache(cache, experiment.task.sources(), experiment.preprocessing, workers=1)
        assert not report.failed, report.failed
    return World(root, cache, config)


def videos(split: str) -> list[str]:
    """The ids of the films of a split."""
    first = {"train": 0, "val": 100, "test": 200}[split]
    return [f"{first + index:08d}" for index in range(CLIPS[split])]


def rows(split: str) -> list[dict[str, Any]]:
    """The questions of a split."""
    return [row for index, video in enumerate(videos(split)) for row in _rows(index, video)]


def _rows(index: int, video: str) -> Iterable[dict[str, Any]]:
    asked = [
        ("Audio", "Comparative", "Is the <Object> loud ?", ["bass_guitar"], "loud" if index % 2 == 0 else "soft"),
        ("Visual", "Location", "Is it <LL> bright？ ", ["outdoor"], "bright" if index % 3 == 0 else "dark"),
        ("Audio-Visual", "Existential", "Is the <Object> in the video always playing?", ["flute"], "yes"),
    ]
    for number, (modality, kind, question, values, answer) in enumerate(asked):
        yield {
            "video_id": video,
            "question_id": int(video) * 10 + number,
            "type": json.dumps([modality, kind]),
            "question_content": question,
            "templ_values": json.dumps(values),
            "question_deleted": 0,
            "anser": answer,
        }


def write_json(path: Path, content: object) -> None:
    """Write an annotation file."""
    path.write_text(json.dumps(content), encoding="utf-8")


def write_film(
    path: Path, *, loud: bool = True, bright: bool = True, sound: bool = True, pictures: int = 4, shade: int = 0
) -> None:
    """A film of one second, 32 × 48 pixels; a tone of 10 Hz or, without ``sound``, no sound stream.

    ``shade`` is added to the background, so that films that are alike are not the same.
    """
    import av

    rate = 8000
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=pictures)
        video.height, video.width, video.pix_fmt = 32, 48, "yuv420p"
        streams: list[tuple[Any, Any]] = [(video, _pictures((200 if bright else 40) + shade, pictures))]
        if sound:
            audio: Any = container.add_stream("aac", rate=rate, layout="mono")
            wave = (24_000 if loud else 1_000) * np.sin(2 * np.pi * 10 * np.arange(rate) / rate)
            streams.append((audio, _sound(wave.astype(np.float32) / 32768, rate)))
        for stream, frames in streams:
            for frame in [*frames, None]:
                for packet in stream.encode(frame):
                    container.mux(packet)


def _pictures(background: int, count: int) -> Iterable[Any]:
    import av

    for number in range(count):
        pixels = np.full((32, 48, 3), background, np.uint8)
        pixels[:, 12 * number : 12 * number + 6] = 120
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, count)
        yield frame


def _sound(wave: Any, rate: int) -> Iterable[Any]:
    import av

    for begin in range(0, len(wave), 1000):
        frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + 1000], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
        yield frame

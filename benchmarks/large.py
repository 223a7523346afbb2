#!/usr/bin/env python3
"""What a data set of millions of clips takes: hours of decoding, of prefixes and of training, and bytes, on paper.

    python benchmarks/large.py --measure FILE --models DIR     # a few minutes on one core: what a clip takes here
    python benchmarks/large.py FILE [--clips N] [--epochs E]  # the tables, from what was measured

Nothing is downloaded. Films of ten seconds are made (H.264 at 360p and 720p, 25 pictures a second, AAC) and go the way
of `lstta cache build` and `lstta cache prefix` with the config avqa/pretrained_lstta: ten segments of a frame of
224 × 224 and a second of sound, through DINOv2-S, Whisper tiny and MiniLM. --models is a folder with these three,
called dinov2-small, whisper-tiny-en and minilm-l6. Times are of the processor, of this process and its decoders.

Hours on a GPU are no measurement: they are those of a plain prototype on an H100 with other encoders, as DESIGN.md
section 7 has them, times the number of clips. Reading is taken to keep up, and N cards to take an N-th of the time.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import loading
import torch
from mmengine.config import Config

from lstta_core.fast_linear import fast_linear
from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.data.cache_record import Codec
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.runner import RunnerModel
from lstta_tasks.prefix.build import build_prefix
from lstta_tasks.training.environment import environment

SECONDS, FILMS, CLIPS, BATCH, STEPS = 10, 16, 4, 4, 2
FOLDERS = {"visual": "dinov2-small", "audio": "whisper-tiny-en", "language": "minilm-l6"}
OPTIONS = {
    "encoders.visual.size": (224, 224),
    "encoders.audio.seconds": float(SECONDS),
    "task.answers": ["no", "yes"],
    "clips.segments": SECONDS,
    "clips.fit": "crop",
    "loader.batch_size": BATCH,
    "loader.workers": 0,
    "model.stages": 4,
}
H100 = {  # milliseconds a step of 16 clips, DESIGN.md section 7; never run with this code
    "the frozen prefix (a whole frozen forward pass)": 28,
    "training, 12 of 12 stages": 143,
    "training, last 4 of 12 stages": 57,
    "training, last 4, from a prefix cache": 45,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, nargs="?", help="what --measure wrote")
    parser.add_argument("--measure", type=Path, metavar="FILE", help="measure, and write it there")
    parser.add_argument("--models", type=Path, metavar="DIR", help="with the three encoders")
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    if (args.measure is None) == (args.measured is None):
        parser.error("give one of FILE and --measure FILE")
    if args.measure:
        if args.models is None:
            parser.error("--measure needs --models")
        with tempfile.TemporaryDirectory() as folder:
            args.measure.write_text(json.dumps(measure(Path(folder), args.models), indent=1) + "\n", encoding="utf-8")
    found = json.loads((args.measure or args.measured).read_text(encoding="utf-8"))
    print(tables(found, args.clips, args.epochs))


def measure(folder: Path, models: Path) -> dict[str, Any]:
    """Seconds of one core, and bytes, a clip."""
    torch.set_num_threads(1)
    found = {"processor": environment()["device"], "torch": torch.__version__, "films": FILMS, "clips": CLIPS}
    return found | decoding(folder, models) | states(folder, models)


def decoding(folder: Path, models: Path) -> dict[str, Any]:
    """Of what lies in files."""
    seconds, clip_bytes, film_bytes = {}, {}, {}
    for height in (360, 720):
        root = data_set(folder / f"{height}p", height, FILMS)
        film_bytes[f"{height}p"] = (root / "videos" / "clip0.mp4").stat().st_size
        codecs: tuple[Codec, ...] = ("raw", "jpeg")
        for codec in codecs:
            path = folder / f"{height}-{codec}"
            experiment = Experiment(config_of(root, models, {"clips.cache": str(path)}))
            sources, preprocessing = experiment.task.sources(), experiment.preprocessing
            begin = processor_seconds()
            report = build_cache(path, sources, preprocessing, codec=codec, workers=1)
            assert report.built == FILMS, report.failed
            seconds[f"{height}p, {codec}"] = (processor_seconds() - begin) / FILMS
            clip_bytes[f"{height}p, {codec}"] = size(path) / FILMS
    return {"decode_seconds": seconds, "clip_bytes": clip_bytes, "film_bytes": film_bytes}


def states(folder: Path, models: Path) -> dict[str, Any]:
    """Of what encoders and adapters compute."""
    root, cache = data_set(folder / "few", 360, CLIPS), folder / "cache"
    prefix, steps = {}, {}
    for adapted in (4, 2, 1):
        path = folder / f"prefix-{adapted}"
        options = {"clips.cache": str(cache), "clips.prefix": str(path), "model.adapted": adapted}
        experiment = Experiment(config_of(root, models, options))
        build_cache(cache, experiment.task.sources(), experiment.preprocessing, workers=1)
        _ = experiment.prefix.settings  # weights are read
        begin = processor_seconds()
        build_prefix(experiment)
        prefix[str(adapted)] = {"seconds": (processor_seconds() - begin) / CLIPS, "bytes": size(path) / CLIPS}
        steps[f"last {adapted} of 4 stages, from a prefix cache"] = step(experiment)
        if adapted == 4:
            del options["clips.prefix"]
            steps["4 of 4 stages, from clips"] = step(Experiment(config_of(root, models, options)))
    return {"prefix": prefix, "step_seconds": steps}


def data_set(root: Path, height: int, count: int) -> Path:
    """So many films of ten seconds that are alike, and a question about each."""
    (root / "videos").mkdir(parents=True)
    loading.SECONDS = SECONDS
    first = loading.film(root / "videos" / "clip0.mp4", height).read_bytes()
    for number in range(1, count):
        # A box that players skip: films that are alike are not one file.
        (root / "videos" / f"clip{number}.mp4").write_bytes(first + b"\0\0\0\x09free" + bytes([number]))
    asked = {"type": '["Audio", "Counting"]', "templ_values": "[]", "question_deleted": 0, "anser": "yes"}
    rows = [
        {**asked, "video_id": f"clip{n}", "question_id": n, "question_content": f"Are there {n} instruments or more?"}
        for n in range(count)
    ]
    (root / "avqa-train.json").write_text(json.dumps(rows), encoding="utf-8")
    return root


def config_of(root: Path, models: Path, options: dict[str, Any]) -> Config:
    places = {f"encoders.{m}.model": str(models / name) for m, name in FOLDERS.items()}
    return load_config("avqa/pretrained_lstta", {"task.root": str(root), **places, **OPTIONS, **options})


def step(experiment: Experiment) -> float:
    """Seconds a clip, of loading, forward and backward passes; the first is not counted."""
    model = RunnerModel(model=experiment.model, task=experiment.task).train()
    loader = experiment.loader("train", experiment.dataset("train"))
    began = 0.0
    with fast_linear():
        for number in range(1 + STEPS):
            began = time.process_time() if number == 1 else began
            batch = next(iter(loader))
            model(batch["inputs"], batch["target"], batch["ids"], mode="loss")["loss"].backward()
    return (time.process_time() - began) / (STEPS * BATCH)


def size(path: Path) -> int:
    return (path / "data.mdb").stat().st_size


def processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def tables(found: dict[str, Any], clips: int, epochs: int) -> str:
    """As Markdown."""
    lines = [f"{clips:,} clips of {SECONDS} s, measured on one core of {found['processor']['name']}:", ""]
    lines += [
        "| decoding, codec | s a clip | hours of one core | of 64 cores | of 1,024 cores | cache |",
        "|" + "---|" * 6,
    ]
    for name, seconds in found["decode_seconds"].items():
        hours = seconds * clips / 3600
        held = bytes_in_words(found["clip_bytes"][name] * clips)
        lines.append(f"| {name} | {seconds:.2f} | {hours:,.0f} | {hours / 64:,.1f} | {hours / 1024:,.2f} | {held} |")
    lines += ["", "| prefix, adapted | s a clip | hours of one core | of 64 cores | prefix cache |", "|" + "---|" * 5]
    for adapted, of_it in found["prefix"].items():
        hours = of_it["seconds"] * clips / 3600
        held = bytes_in_words(of_it["bytes"] * clips)
        lines.append(f"| {adapted} of 4 stages | {of_it['seconds']:.2f} | {hours:,.0f} | {hours / 64:,.1f} | {held} |")
    lines += [
        "",
        f"| training on cores, {epochs} epochs | s a clip | hours of one core | of 64 cores |",
        "|" + "---|" * 4,
    ]
    for name, seconds in found["step_seconds"].items():
        hours = epochs * seconds * clips / 3600
        lines.append(f"| {name} | {seconds:.2f} | {hours:,.0f} | {hours / 64:,.0f} |")
    lines += ["", "| on H100s, never run | ms a clip | hours of 1 card | 4 | 8 | 32 |", "|" + "---|" * 6]
    for name, milliseconds in H100.items():
        times = epochs if name.startswith("training") else 1
        hours = times * milliseconds / 16 * clips / 3.6e6
        said = " | ".join(f"{hours / cards:,.1f}" for cards in (1, 4, 8, 32))
        lines.append(f"| {name}{f', {epochs} epochs' if times > 1 else ''} | {milliseconds / 16:.1f} | {said} |")
    return "\n".join(lines)


def bytes_in_words(count: float) -> str:
    return f"{count / 1e12:,.2f} TB" if count >= 1e12 else f"{count / 1e9:,.0f} GB"


if __name__ == "__main__":
    main()

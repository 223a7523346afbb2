#!/usr/bin/env python3
"""How many clips a second one core can feed: from the cache, by decoding, and from folders of frames.

    python benchmarks/loading.py [--json FILE]

Takes two minutes. Nothing is downloaded: a film of one minute is made at 360p and 720p (H.264, 25 pictures a second,
a keyframe every ten seconds, AAC). A clip is 8 segments of one 224 × 224 frame and one second of sound at 16 kHz. Every
way goes through the loader of a training run and ends with the same thing: a batch of 16 clips and their questions as
tensors, ready to be copied to a device. Time is processor time, and files are in the page cache, so that neither disks
nor neighbours play a part; a shared machine still has slower caches.

clips/s       one process loads, collation included
with worker   one worker loads, both processes' time counted: sending batches from one to the other costs, too
codec         the share of the first that is the codec alone: copying raw frames, or decoding JPEGs, and nothing else

Decoding is measured in one process only: a worker that is forked from a process which has used FFmpeg hangs in it.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from lstta_core.interfaces import AudioSpec, LanguageSpec, Modality, VisualSpec
from lstta_tasks.data import cache_layout
from lstta_tasks.data.batch import Collate, SampleDataset
from lstta_tasks.data.cache import CacheReader
from lstta_tasks.data.cache_packing import pack
from lstta_tasks.data.cache_record import Codec, unpack
from lstta_tasks.data.cache_writer import CacheWriter
from lstta_tasks.data.clip import Clip, ClipSource, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.task import Sample

SETTINGS = Preprocessing(segments=8, frame_size=(224, 224), sample_rate=16_000, sound_seconds=1.0)
SECONDS, FPS, GOP = 60, 25, 250
CLIPS, BATCH = 64, 16


@dataclass(frozen=True)
class Row:
    """One way of getting clips; the columns are explained at the top, None where one is not measured."""

    way: str
    clips_per_second: float
    with_worker: float | None
    bytes_per_clip: int
    codec: float | None = None


class Ways(Dataset[tuple[Sample, Clip]]):
    """Clips that a function gets by their sample, as most projects do it."""

    def __init__(self, read: Callable[[Sample], Clip], samples: Sequence[Sample]) -> None:
        self.read, self.samples = read, samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Sample, Clip]:
        return self.samples[index], self.read(self.samples[index])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the table there too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder))
    show(rows)
    if args.json:
        args.json.write_text(json.dumps([vars(row) for row in rows], indent=1))


def measure(folder: Path) -> list[Row]:
    """All rows of the table, the slowest ways last."""
    films = {height: film(folder / f"{height}p.mp4", height) for height in (360, 720)}
    clip = decode_clip(ClipSource("film", films[360]), SETTINGS)
    rows = []
    codecs: tuple[Codec, ...] = ("raw", "jpeg")
    for codec in codecs:
        path = cache(folder / codec, codec, clip, films[360])
        reader = CacheReader(path, SETTINGS)
        size = (path / "data.mdb").stat().st_size // CLIPS
        dataset = SampleDataset([sample(f"clip{number % CLIPS}") for number in range(6 * CLIPS)], reader)
        rows.append(row(f"cache, {codec}", dataset, size, codec_alone(reader)))
    for height, path in films.items():
        frames = folder / f"frames-{height}"
        frame_folder(frames, path)
        size = sum(file.stat().st_size for file in frames.iterdir())
        samples = [sample(str(frames))] * 2 * BATCH
        rows.append(row(f"JPEGs and a WAV in a folder, {height}p", Ways(read_frame_folder, samples), size))
    for height, path in films.items():
        dataset = Ways(decode, [sample(str(path))] * 3)
        rows.append(row(f"decoding a minute of {height}p", dataset, path.stat().st_size, worker=False))
    return rows


def sample(clip: str) -> Sample:
    return Sample(
        id=clip, source=ClipSource(clip, Path(clip)), text="Which is the first sounding instrument?", target=0
    )


def tokenize(text: str) -> list[int]:
    """What a tokenizer costs is not measured here."""
    return [len(word) for word in text.split()]


def decode(sample: Sample) -> Clip:
    return decode_clip(sample.source, SETTINGS)


def row(
    way: str, dataset: Dataset[tuple[Sample, Clip]], size: int, codec: float | None = None, *, worker: bool = True
) -> Row:
    """Load all samples of the data set in this process, and once more in a worker. ``codec`` is in seconds a clip."""
    dataset[0]
    count = len(dataset)  # type: ignore[arg-type]
    alone = load(dataset, 0) / count
    with_worker = count / load(dataset, 1) if worker else None
    return Row(way, 1 / alone, with_worker, size, None if codec is None else codec / alone)


def load(dataset: Dataset[tuple[Sample, Clip]], workers: int) -> float:
    """The processor time, in seconds, that this process and its workers need for an epoch."""
    specs = {
        Modality.VISUAL: VisualSpec(size=SETTINGS.frame_size),
        Modality.AUDIO: AudioSpec(sample_rate=SETTINGS.sample_rate),
        Modality.LANGUAGE: LanguageSpec(tokenize=tokenize, max_length=14),
    }
    gc.collect()  # what FFmpeg has made here must not be freed in a worker: its threads are not there
    begin = processor_seconds()
    for _ in DataLoader(dataset, batch_size=BATCH, num_workers=workers, collate_fn=Collate(specs)):
        pass
    return processor_seconds() - begin


def processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def codec_alone(reader: CacheReader) -> float:
    """Seconds for a clip: what is stored becomes frames and sound in memory that is there already."""
    records = [memoryview(reader.read_record(clip)) for clip in reader.ids()]
    frames = np.empty((SETTINGS.segments, 1, *SETTINGS.frame_size, 3), np.uint8)
    sound = np.empty((SETTINGS.segments, SETTINGS.sound_samples), np.int16)
    begin = time.process_time()
    for record in records * 6:
        unpack(record, frames, sound)
    return (time.process_time() - begin) / (6 * len(records))


def film(path: Path, height: int) -> Path:
    """A minute with a melody: bright shapes cross a textured picture for ten seconds, six times over."""
    width = height * 16 // 9
    random = np.random.default_rng(0)
    texture = Image.fromarray(random.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8))
    background = np.asarray(texture.resize((width, height), Image.Resampling.BICUBIC))
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "superfast", "crf": "23"})
        video.width, video.height, video.pix_fmt, video.gop_size = width, height, "yuv420p", GOP
        video.codec_context.thread_count = 1
        sound = container.add_stream("aac", rate=44_100, layout="stereo")
        packets = []
        for number in tqdm(range(GOP), desc=path.name, unit="picture", disable=None):
            image = Image.fromarray(np.roll(background, number, axis=1))
            x = (number * 7) % width
            ImageDraw.Draw(image).ellipse((x, height // 3, x + height // 4, height // 2), fill=(255, number % 256, 40))
            packets += video.encode(av.VideoFrame.from_image(image))
        packets += video.encode(None)
        for number in range(SECONDS * FPS // GOP):
            for packet in packets:
                container.mux(repeated(packet, number))
        times = np.arange(SECONDS * 44_100) / 44_100
        melody = (8_000 * np.sin(2 * np.pi * (220 + 20 * np.floor(times)) * times)).astype(np.int16)
        for begin in range(0, len(melody), 1024):
            chunk = np.repeat(melody[begin : begin + 1024], 2)[None]
            frame = av.AudioFrame.from_ndarray(chunk, format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = 44_100, begin, Fraction(1, 44_100)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def repeated(packet: Any, number: int) -> Any:
    """The same packet, ``number`` times ten seconds later."""
    later = av.Packet(bytes(packet))
    shift = round(number * GOP / FPS / packet.time_base)
    later.stream, later.time_base, later.is_keyframe = packet.stream, packet.time_base, packet.is_keyframe
    later.pts, later.dts, later.duration = packet.pts + shift, packet.dts + shift, packet.duration
    return later


def cache(path: Path, codec: Codec, clip: Clip, source: Path) -> Path:
    """A cache of clips that differ, all made from one so that the benchmark stays short."""
    with CacheWriter(cache_layout.partial_folder(path), cache_layout.settings(SETTINGS, codec)) as writer:
        for number in range(CLIPS):
            other = replace(clip, frames=np.roll(clip.frames, 3 * number, axis=3))
            writer.add(f"clip{number}", pack(ClipSource(f"clip{number}", source), other, codec))
        writer.publish(path)
    return path


def frame_folder(folder: Path, source: Path) -> None:
    """What many projects prepare: the wanted pictures as JPEGs of the film's size, and its sound as one WAV."""
    folder.mkdir()
    with av.open(str(source)) as container:
        video = container.streams.video[0]
        height, width = video.height, video.width
    exact = replace(SETTINGS, frame_size=(height, width), sound_seconds=SECONDS / SETTINGS.segments)
    clip = decode_clip(ClipSource("film", source), exact)
    for segment in range(SETTINGS.segments):
        Image.fromarray(clip.frames[segment, 0]).save(folder / f"{segment}.jpg", quality=95)
    with wave.open(str(folder / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SETTINGS.sample_rate)
        file.writeframes(clip.sound.tobytes())


def read_frame_folder(sample: Sample) -> Clip:
    """Open, decode and resize each picture; cut the middle second of each segment out of the sound."""
    folder = Path(sample.source.id)
    frames = [square(Image.open(folder / f"{segment}.jpg")) for segment in range(SETTINGS.segments)]
    with wave.open(str(folder / "sound.wav")) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(SETTINGS.segments, -1)
    begin = (sound.shape[1] - SETTINGS.sound_samples) // 2
    return Clip(
        frames=np.stack(frames)[:, None],
        frame_times=np.zeros((SETTINGS.segments, 1)),
        sound=sound[:, begin : begin + SETTINGS.sound_samples],
        sound_length=np.full(SETTINGS.segments, SETTINGS.sound_samples),
        has_video=True,
        has_sound=True,
        duration=float(SECONDS),
    )


def square(image: Image.Image) -> NDArray[np.uint8]:
    """The middle of a picture, at the wanted size."""
    margin = (image.width - image.height) / 2
    box = (margin, 0, margin + image.height, image.height)
    return np.asarray(image.resize(SETTINGS.frame_size, Image.Resampling.BICUBIC, box=box))


def show(rows: Sequence[Row]) -> None:
    """Print the table; the ratio is to decoding 360p in the same run."""
    slow = next(row for row in rows if row.way == "decoding a minute of 360p").clips_per_second
    print(f"{'one core':34} {'clips/s':>9} {'ratio':>8} {'with worker':>12} {'kB a clip':>10} {'codec':>6}")
    for row in rows:
        worker = "" if row.with_worker is None else f"{row.with_worker:,.1f}"
        codec = "" if row.codec is None else f"{row.codec:.0%}"
        print(
            f"{row.way:34} {row.clips_per_second:9,.1f} {row.clips_per_second / slow:7,.0f}× "
            f"{worker:>12} {row.bytes_per_clip / 1000:10,.0f} {codec:>6}"
        )


if __name__ == "__main__":
    main()

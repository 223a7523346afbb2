"""What all writers of data sets share: a folder that knows its arguments, and clips rendered by several processes.

A folder is written in three steps: ``begin`` records the arguments, ``write_clips`` renders the clips that are not
there yet, ``finish`` marks the folder as complete. A run that was interrupted goes on; one with other arguments is
refused.
"""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from lstta_tasks.generate.film import Film
from lstta_tasks.generate.scene import Scene
from lstta_tasks.generate.talk import Talk

# Raise it with every change that makes other clips or questions of all data sets from the same arguments; a writer
# whose own data set alone changes raises the edition among its arguments.
GENERATOR_VERSION = 2
COMPLETE, STARTED = "generated.json", "generating.json"
Arguments = dict[str, str | int]
Content = TypeVar("Content")


@dataclass(frozen=True)
class Report:
    """What a writer did.

    Attributes:
        root: the data set's folder.
        clips, samples: how many there are in each split (samples: questions, captions, …).
        rendered, kept: clips made in this run, and clips that were there already.
        seconds: the time it took.
    """

    root: Path
    clips: dict[str, int]
    samples: dict[str, int]
    rendered: int
    kept: int
    seconds: float


class Folder:
    """A data set's folder: what it was generated from, and whether it is complete."""

    def __init__(self, root: Path, arguments: Arguments) -> None:
        self.root = root
        self._arguments: Arguments = {**arguments, "generator_version": GENERATOR_VERSION}
        self._begun = time.monotonic()

    def begin(self) -> Report | None:
        """The report of the run that completed this folder, or None if there is something to do.

        Raises:
            ValueError: the folder holds something else: another data set, other arguments, an older generator.
        """
        for name in (COMPLETE, STARTED):
            file = self.root / name
            if file.is_file():
                found = json.loads(file.read_text())
                if found["arguments"] != self._arguments:
                    raise ValueError(
                        f"{file} was generated with {found['arguments']}, asked for are {self._arguments}: "
                        "choose another folder, or delete this one"
                    )
                return self._earlier(found["report"]) if name == COMPLETE else None
        if self.root.is_dir() and any(self.root.iterdir()):
            raise ValueError(f"{self.root} is not empty and was not generated: choose another folder")
        self.root.mkdir(parents=True, exist_ok=True)
        write_json(self.root / STARTED, {"arguments": self._arguments})
        return None

    def finish(self, clips: dict[str, int], samples: dict[str, int], rendered: int, kept: int) -> Report:
        """Mark the folder as complete."""
        report = Report(self.root, clips, samples, rendered, kept, round(time.monotonic() - self._begun, 1))
        values = {key: value for key, value in asdict(report).items() if key != "root"}
        write_json(self.root / COMPLETE, {"arguments": self._arguments, "report": values})
        (self.root / STARTED).unlink()
        return report

    def _earlier(self, values: dict[str, dict[str, int]]) -> Report:
        clips = values["clips"]
        seconds = round(time.monotonic() - self._begun, 1)
        return Report(self.root, clips, values["samples"], rendered=0, kept=sum(clips.values()), seconds=seconds)


def write_json(path: Path, content: object) -> None:
    """Write JSON so that the file appears under its name only when it is whole."""
    write_bytes(path, json.dumps(content, indent=1, ensure_ascii=False).encode())


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write CSV (UTF-8, commas) so that the file appears under its name only when it is whole."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it appears under its name only when it is whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def write_clips(clips: Sequence[tuple[Path, Scene]], workers: int) -> tuple[int, int]:
    """:func:`write_missing` for scenes."""
    return write_missing(clips, _write_scene, workers)


def write_talks(clips: Sequence[tuple[Path, Talk]], workers: int) -> tuple[int, int]:
    """:func:`write_missing` for talkers."""
    return write_missing(clips, _write_talk, workers)


def write_films(clips: Sequence[tuple[Path, Film]], workers: int) -> tuple[int, int]:
    """:func:`write_missing` for films."""
    return write_missing(clips, _write_film, workers)


def write_missing(
    clips: Sequence[tuple[Path, Content]], write: Callable[[tuple[Path, Content]], None], workers: int
) -> tuple[int, int]:
    """Render the clips whose files are not there yet, with a progress bar.

    Args:
        clips: files and what they show; the files of one data set lie in folders that exist.
        write: renders one of them; a function of a module, so that other processes find it.
        workers: processes; 1 renders in this one.

    Returns:
        How many were rendered and how many were there.
    """
    missing = [clip for clip in clips if not clip[0].is_file()]
    with tqdm(total=len(clips), initial=len(clips) - len(missing), desc="clips", unit="clip", disable=None) as bar:
        if workers <= 1 or len(missing) < 2:
            for clip in missing:
                write(clip)
                bar.update()
        else:
            # Spawned rather than forked: a fork would inherit locks of whatever threads the caller runs.
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(workers, mp_context=context) as pool:
                for _ in pool.map(write, missing, chunksize=4):
                    bar.update()
    return len(missing), len(clips) - len(missing)


def _write_scene(clip: tuple[Path, Scene]) -> None:
    from lstta_tasks.generate.media import write_scene

    write_scene(*clip)


def _write_talk(clip: tuple[Path, Talk]) -> None:
    from lstta_tasks.generate.media import write_talk

    write_talk(*clip)


def _write_film(clip: tuple[Path, Film]) -> None:
    from lstta_tasks.generate.media import write_film

    write_film(*clip)

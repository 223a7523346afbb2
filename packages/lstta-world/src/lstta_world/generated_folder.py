"""A data set's folder, which knows what it was generated from and whether it is complete.

A run that was interrupted goes on; one with other arguments is refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lstta_world.relevant_seconds import RELEVANT_SECONDS
from lstta_world.splits import Split
from lstta_world.whole_files import json_bytes, write_bytes

# Raise it with every change that makes other clips or questions of all data sets from the same arguments; a writer
# whose own data set alone changes raises the edition among its arguments.
GENERATOR_VERSION = 2
COMPLETE, STARTED = "generated.json", "generating.json"


@dataclass(frozen=True)
class Report:
    """What a run did.

    Attributes:
        root: the data set's folder.
        clips, samples: how many there are in each split (samples: questions, captions, …).
        rendered, kept: clips made in this run, and clips that were there already.
        seconds: the time it took.
    """

    root: Path
    clips: Mapping[Split, int]
    samples: Mapping[Split, int]
    rendered: int
    kept: int
    seconds: float


class GeneratedFolder:
    """A data set's folder: what it was generated from, and whether it is complete."""

    def __init__(self, root: Path, arguments: Mapping[str, str | int]) -> None:
        self.root = root
        self._arguments = {**arguments, "generator_version": GENERATOR_VERSION}
        self._begun = time.monotonic()

    def begin(self) -> Report | None:
        """The report of the run that completed this folder, or None if there is something to do.

        To do it is too where version 0.1 made the folder, which wrote no file of relevant seconds.

        Raises:
            ValueError: the folder holds something else: another data set, other arguments, an older generator.
        """
        for name in (COMPLETE, STARTED):
            file = self.root / name
            if file.is_file():
                recorded = json.loads(file.read_text(encoding="utf-8"))
                if recorded["arguments"] != self._arguments:
                    raise ValueError(
                        f"{file} was generated with {recorded['arguments']}, asked for are {self._arguments}: "
                        "choose another folder, or delete this one"
                    )
                complete = name == COMPLETE and (self.root / RELEVANT_SECONDS).is_file()
                return self._earlier(recorded["report"]) if complete else None
        if self.root.is_dir() and any(self.root.iterdir()):
            raise ValueError(f"{self.root} is not empty and was not generated: choose another folder")
        self.root.mkdir(parents=True, exist_ok=True)
        write_bytes(self.root / STARTED, json_bytes({"arguments": self._arguments}))
        return None

    def finish(self, clips: Mapping[Split, int], samples: Mapping[Split, int], rendered: int, kept: int) -> Report:
        """Mark the folder as complete."""
        report = Report(self.root, clips, samples, rendered, kept, round(time.monotonic() - self._begun, 1))
        values = {key: value for key, value in asdict(report).items() if key != "root"}
        write_bytes(self.root / COMPLETE, json_bytes({"arguments": self._arguments, "report": values}))
        (self.root / STARTED).unlink(missing_ok=True)
        return report

    def _earlier(self, values: Mapping[str, Mapping[Split, int]]) -> Report:
        clips = values["clips"]
        seconds = round(time.monotonic() - self._begun, 1)
        return Report(self.root, clips, values["samples"], rendered=0, kept=sum(clips.values()), seconds=seconds)

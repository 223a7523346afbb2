"""TensorBoard's events of a run, which draw each curve once, however often the run was resumed."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.visualization import TensorboardVisBackend

from lstta_core.whole_files import write_whole
from lstta_tasks.training.checkpoints import Checkpoint

VALIDATION = "val/"
"""How the tags begin whose steps count what the training does, epochs or steps; those of others are training steps."""
LENGTH, CHECKSUM = struct.Struct("<Q"), 4


class RunEvents(TensorboardVisBackend):
    """MMEngine's, from a step on: what a killed run has written of later ones is taken away, since it comes again.

    Args:
        folder: of the events.
        checkpoint: that the run goes on from.
    """

    def __init__(self, folder: Path, checkpoint: Checkpoint | None) -> None:
        super().__init__(str(folder))
        self.folder = folder
        self.steps: int = 0 if checkpoint is None else checkpoint.meta["iter"]
        self.validated = 0 if checkpoint is None else checkpoint.validated

    def _init_env(self) -> None:
        from torch.utils.tensorboard import SummaryWriter

        keep_until(self.folder, steps=self.steps, validated=self.validated)
        wait_for_a_later_name(self.folder)
        # For a TensorBoard that has them in memory already.
        self._tensorboard = SummaryWriter(str(self.folder), purge_step=self.steps + 1)

    def flush(self) -> None:
        """Have on the disk what was added so far."""
        if hasattr(self, "_tensorboard"):
            self._tensorboard.flush()


def keep_until(folder: Path, *, steps: int, validated: int) -> None:
    """Leave of a folder's event files what belongs to so many training steps and validated epochs, or steps."""
    from tensorboard.compat.proto.event_pb2 import Event

    def stays(record: bytes) -> bool:
        event: Any = Event.FromString(record)
        tags = [value.tag for value in event.summary.value]
        return not tags or bool(event.step <= (validated if tags[0].startswith(VALIDATION) else steps))

    for path in sorted(folder.glob("events.out.tfevents.*")):
        content = path.read_bytes()
        kept = b"".join(whole for record, whole in _records(content) if stays(record))
        if kept != content:
            write_whole(path, lambda draft, kept=kept: draft.write_bytes(kept))  # type: ignore[misc]


def wait_for_a_later_name(folder: Path) -> None:
    """Wait, at most a second, until a new event file is named after a later second than the others.

    TensorBoard reads files in the order of their names, which begin with the second and go on with the process's
    number; a later run that comes first takes the curves of the earlier one away.
    """
    taken = {path.name.split(".")[3] for path in folder.glob("events.out.tfevents.*")}
    while f"{int(now := time.time()):010d}" in taken:
        time.sleep(1 - now % 1)


def _records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The records of an event file, each with its frame; not one that was cut by a kill."""
    place, head = 0, LENGTH.size + CHECKSUM
    while place + head <= len(content):
        (length,) = LENGTH.unpack_from(content, place)
        end = place + head + length + CHECKSUM
        if end > len(content):
            return
        yield content[place + head : end - CHECKSUM], content[place:end]
        place = end

"""Decode many clips in processes of their own, so that no file can take the builder down or hold it up."""

from __future__ import annotations

import math
import signal
import subprocess
import time
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any

from lstta_tasks.data.cache_record import Codec
from lstta_tasks.data.child import command, environment
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.files import missing

Made = tuple[bytes, dict[str, Any]]
"""A clip's record, and which files it was made of, see ``cache_files``."""


def decode_all(
    sources: Iterable[ClipSource], preprocessing: Preprocessing, *, codec: Codec, workers: int, time_limit: float
) -> Generator[tuple[ClipSource, Made | str], None, None]:
    """Each source with its record, or with the reason why there is none, in the order in which they are done.

    A decoder that takes longer than ``time_limit`` seconds is killed; one that dies is replaced. Either way its clip
    gets a reason and the others go on.

    Raises:
        RuntimeError: decoders cannot be started at all.
    """
    todo: deque[ClipSource] = deque()
    for source in sources:
        # No process is needed to see that a file is not there.
        if (reason := _missing(source)) is not None:
            yield source, reason
        else:
            todo.append(source)
    pool = [_Decoder(preprocessing, codec) for _ in range(min(workers, len(todo)))]
    try:
        while todo or any(decoder.source is not None for decoder in pool):
            for decoder in pool:
                if decoder.ready and decoder.source is None and todo:
                    decoder.start(todo.popleft(), time_limit)
            patience = max(0.0, min(decoder.deadline for decoder in pool) - time.monotonic())
            answering = wait([decoder.connection for decoder in pool], None if math.isinf(patience) else patience)
            for place, decoder in enumerate(pool):
                task = decoder.source
                if decoder.connection in answering:
                    answer = decoder.answer()
                elif task is not None and time.monotonic() > decoder.deadline:
                    answer = f"{_files(task)}: decoding takes longer than {time_limit:g} s"
                    decoder.kill()
                else:
                    continue
                if decoder.process.poll() is not None:
                    pool[place] = _Decoder(preprocessing, codec)
                if task is not None and answer is not None:
                    yield task, answer
    finally:
        for decoder in pool:
            decoder.kill()


class _Decoder:
    """One process and the pipe to it."""

    def __init__(self, preprocessing: Preprocessing, codec: Codec) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(
                command("lstta_tasks.data.decode_worker", str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment(),
            )
        self.source: ClipSource | None = None
        self.deadline = math.inf
        self.ready = False
        with suppress(ConnectionError):  # it died: that is seen when it answers
            self.connection.send((preprocessing, codec))

    def start(self, source: ClipSource, time_limit: float) -> None:
        self.source = source
        self.deadline = time.monotonic() + time_limit
        with suppress(ConnectionError):  # it died: that is seen when it answers
            self.connection.send(source)

    def answer(self) -> Made | str | None:
        """What it says of its source; None for a decoder that has none."""
        try:
            said: Made | str | None = self.connection.recv()
        except (EOFError, OSError):
            code = self.process.wait()
            self.connection.close()
            if not self.ready:
                raise RuntimeError(
                    f"the decoder process does not start (exit code {code}); see its message above"
                ) from None
            died = f"the decoder died ({_name(code)})"
            said = None if self.source is None else f"{_files(self.source)}: {died}"
        self.ready = True
        self.source = None
        self.deadline = math.inf
        return said

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.connection.close()


def _missing(source: ClipSource) -> str | None:
    reasons = [missing(path) for path in (source.video, source.sound) if path is not None]
    return next((reason for reason in reasons if reason is not None), None)


def _files(source: ClipSource) -> str:
    return " and ".join(str(path) for path in (source.video, source.sound) if path is not None)


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"

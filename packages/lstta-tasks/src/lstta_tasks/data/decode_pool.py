"""Decode many clips in processes of their own, so that no file can take the builder down or hold it up."""

from __future__ import annotations

import math
import pickle
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from lstta_tasks.data.cache_record import Codec
from lstta_tasks.data.child import command, environment
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.files import missing

Made = tuple[bytes, dict[str, Any]]
"""A clip's record, and which files it was made of, see ``cache_files``."""
_ENDED = object()
"""What a listener says of a decoder that says no more."""
_LONGEST = 1.0
"""Seconds that are waited at once: Windows hears Ctrl-C in between alone."""


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
    said: SimpleQueue[tuple[_Decoder, Any]] = SimpleQueue()
    pool = [_Decoder(preprocessing, codec, said) for _ in range(min(workers, len(todo)))]
    try:
        while todo or any(decoder.source is not None for decoder in pool):
            for decoder in pool:
                if decoder.ready and decoder.source is None and todo:
                    decoder.start(todo.popleft(), time_limit)
            for decoder, answer in _heard(said, pool, time_limit):
                task = decoder.source
                decoder.rest()
                if decoder.process.poll() is not None:
                    decoder.kill()
                    pool[pool.index(decoder)] = _Decoder(preprocessing, codec, said)
                if task is not None and answer is not None:
                    yield task, answer
    finally:
        for decoder in pool:
            decoder.kill()


def _heard(
    said: SimpleQueue[tuple[_Decoder, Any]], pool: list[_Decoder], time_limit: float
) -> list[tuple[_Decoder, Made | str | None]]:
    """What one of the decoders says next; of those whose time is up before one says anything, that they are killed."""
    patience = min(decoder.deadline for decoder in pool) - time.monotonic()
    try:
        decoder, answer = said.get(timeout=min(max(0.0, patience), _LONGEST))
    except Empty:
        late = [decoder for decoder in pool if time.monotonic() > decoder.deadline]
        for decoder in late:
            decoder.kill()
        return [(d, f"{_files(d.source)}: decoding takes longer than {time_limit:g} s") for d in late]
    if decoder not in pool:  # it was killed meanwhile
        return []
    return [(decoder, decoder.end() if answer is _ENDED else answer)]


class _Decoder:
    """One process: told its clips through its standard input, heard by a thread.

    No system lacks these two. Windows hands on no other pipes to a process, and can wait for none.
    """

    def __init__(self, preprocessing: Preprocessing, codec: Codec, said: SimpleQueue[tuple[_Decoder, Any]]) -> None:
        self.process = subprocess.Popen(
            command("lstta_tasks.data.decode_worker"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
        )
        self.source: ClipSource | None = None
        self.deadline = math.inf
        self.ready = False
        self._listener = threading.Thread(target=self._listen, args=(said,), daemon=True)
        self._listener.start()
        self._tell((preprocessing, codec))

    def start(self, source: ClipSource, time_limit: float) -> None:
        self.source = source
        self.deadline = time.monotonic() + time_limit
        self._tell(source)

    def rest(self) -> None:
        """It has answered."""
        self.ready = True
        self.source = None
        self.deadline = math.inf

    def end(self) -> str | None:
        """What to say of the source of a decoder that has ended by itself; None where it has none."""
        code = self.process.wait()
        if not self.ready:
            raise RuntimeError(f"the decoder process does not start (exit code {code}); see its message above")
        return None if self.source is None else f"{_files(self.source)}: the decoder died ({_name(code)})"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join()
        assert self.process.stdin is not None
        with suppress(OSError):  # what it has not read goes with it
            self.process.stdin.close()

    def _tell(self, message: object) -> None:
        assert self.process.stdin is not None
        with suppress(OSError):  # it died: its listener says so
            pickle.dump(message, self.process.stdin)
            self.process.stdin.flush()

    def _listen(self, said: SimpleQueue[tuple[_Decoder, Any]]) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as answers, suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                said.put((self, pickle.load(answers)))
        said.put((self, _ENDED))


def _missing(source: ClipSource) -> str | None:
    reasons = [missing(path) for path in (source.video, source.sound) if path is not None]
    return next((reason for reason in reasons if reason is not None), None)


def _files(source: ClipSource | None) -> str:
    assert source is not None
    return " and ".join(str(path) for path in (source.video, source.sound) if path is not None)


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"

"""The process that decodes: ``python -m lstta_tasks.data.decode_worker``, started by decode_pool alone.

A plain process rather than one of multiprocessing: it never imports the program that started it, so it starts in a
quarter of a second, needs no main guard, and cannot inherit locks or threads.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from lstta_core.plugin_errors import place_of
from lstta_tasks.data.cache_files import known_files, seen
from lstta_tasks.data.cache_packing import pack
from lstta_tasks.data.cache_record import Codec, read_header
from lstta_tasks.data.clip import ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.data.decode_pool import Made
from lstta_tasks.data.files import missing


def main() -> None:
    """Answer each source on standard input with its record, or with the reason why there is none; for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the builder's to handle
    answers = os.fdopen(os.dup(1), "wb")
    with suppress(OSError):
        os.dup2(2, 1)  # what a library prints is no answer
    asked: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    preprocessing, codec = asked.get()
    answer: Made | str | None = None  # ready
    while True:
        pickle.dump(answer, answers)
        answers.flush()
        answer = _answer(asked.get(), preprocessing, codec)


def _answer(source: ClipSource, preprocessing: Preprocessing, codec: Codec) -> Made | str:
    try:
        before = seen(source)
        record = pack(source, decode_clip(source, preprocessing), codec)
        if seen(source) != before:
            return f"{source.video or source.sound}: it changed while it was read"
        return record, known_files(read_header(memoryview(record))["source"], before)
    except DecodeError as error:
        return str(error)
    except OSError as error:  # the file went away meanwhile
        path = Path(str(error.filename or source.video or source.sound))
        return missing(path) or f"{path}: {error.strerror or error}"
    except Exception as error:  # no file's fault: ours, or that of a PyAV which we do not know yet
        if os.environ.get("LSTTA_DEBUG"):
            raise
        return (
            f"{source.video or source.sound}: decoding failed with PyAV {version('av')}: {type(error).__name__}: "
            f"{error} ({place_of(error)}); LSTTA_DEBUG=1 shows the traceback"
        )


def _listen(asked: SimpleQueue[Any]) -> None:
    """Pass on what is asked. It ends with the builder, however that ends: a decoder that hangs must not outlive it."""
    with suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            asked.put(pickle.load(sys.stdin.buffer))
    os._exit(1)


if __name__ == "__main__":
    main()

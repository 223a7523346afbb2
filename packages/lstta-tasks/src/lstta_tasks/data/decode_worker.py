"""The process that decodes: ``python -m lstta_tasks.data.decode_worker FD``, started by decode_pool alone.

A plain process rather than one of multiprocessing: it never imports the program that started it, so it starts in a
quarter of a second, needs no main guard, and cannot inherit locks or threads.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path

from lstta_core.plugin_errors import place_of
from lstta_tasks.data.cache_files import known_files, seen
from lstta_tasks.data.cache_packing import pack
from lstta_tasks.data.cache_record import Codec, read_header
from lstta_tasks.data.clip import ClipSource, DecodeError, Preprocessing
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.data.decode_pool import Made
from lstta_tasks.data.files import missing


def main(descriptor: int) -> None:
    """Answer each source with its record, or with the reason why there is none, until the other side closes."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the builder's to handle
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with Connection(descriptor) as connection:
        preprocessing, codec = connection.recv()
        connection.send(None)  # ready
        while True:
            try:
                source = connection.recv()
            except EOFError:
                return
            connection.send(_answer(source, preprocessing, codec))


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


def _end_with(parent: int) -> None:
    """A decoder that hangs must not outlive a builder that was killed."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""What FFmpeg complains of while it decodes, and which of it means that a picture is damaged."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import av.logging

# Said of side messages, of the order in which references are given up, and of how the stream was packed: FFmpeg says
# it as an error, and the pictures are whole.
_HARMLESS = re.compile(
    r"\bSEI\b|\bVUI\b|mmco: unref short failure|packed|unknown (profile|level)|ancillary chunk|iCCP|cHRM|EXIF|ICC",
    re.IGNORECASE,
)
_lock = threading.Lock()
_listening = 0
_before: tuple[int | None, bool, bool] = (None, True, True)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Collect what is said in this thread that means damage, a line each. FFmpeg speaks only while someone listens."""
    heard: list[str] = []
    _begin()
    try:
        with av.logging.Capture(local=True) as said:
            yield heard
            heard += [line for _, _, message in said if (line := message.strip()) and not _HARMLESS.search(line)]
    finally:
        _end()


def _begin() -> None:
    global _listening, _before
    with _lock:
        _listening += 1
        if _listening == 1:
            logger = logging.getLogger("libav")
            _before = av.logging.get_level(), av.logging.get_skip_repeated(), logger.propagate
            logger.propagate = False  # what other threads' files say meanwhile is nobody's concern
            if not logger.handlers:
                logger.addHandler(logging.NullHandler())
            av.logging.set_skip_repeated(False)
            av.logging.set_level(av.logging.ERROR)


def _end() -> None:
    global _listening
    with _lock:
        _listening -= 1
        if _listening == 0:
            level, skip_repeated, propagate = _before
            av.logging.set_level(level)
            av.logging.set_skip_repeated(skip_repeated)
            logging.getLogger("libav").propagate = propagate

"""What the verbs share: a config and its options, and errors that a user reads rather than tracebacks."""

from __future__ import annotations

import argparse
import ast
import ctypes
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from lstta_tasks.cli.os_errors import in_words
from lstta_tasks.cli.output import escape_what_cannot_be_shown
from lstta_tasks.escaped import escaped

SPLITS = ("train", "val", "test")
ADAPTER = "folder with adapter.safetensors and adapter.json, or USER/NAME[@REVISION] on the Hugging Face hub"
DEAD_WORKER = re.compile(r"DataLoader worker \(pid(?:\(s\))? [\d, ]+\) (?:is killed by )?(.*?)\.?(?:\s|$)", re.DOTALL)
CAUGHT_IN_WORKER = re.compile(r'^Caught .*\n  File "[^\n]+\n(?:    [^\n]*\n)*\w[\w.]*: (.*?)\s*$', re.DOTALL)
"""The message behind the last frame of a traceback that torch made a message of."""
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # of glibc's malloc.h


class Parser(argparse.ArgumentParser):
    """Takes names that begin with ``-``, as clips of public data sets have: no verb has options of one letter."""

    def _parse_optional(self, arg_string: str) -> Any:
        if arg_string.startswith("-") and not arg_string.startswith("--") and arg_string != "-h":
            return None  # argparse's word for what is no option
        return super()._parse_optional(arg_string)

    def error(self, message: str) -> NoReturn:
        hint = "; names that begin with -- stand at the end, after a lone --"
        super().error(escaped(message) + (hint if re.search("unrecognized|required", message) else ""))


def parser_of(verb: str, description: str | None) -> argparse.ArgumentParser:
    """A verb's parser; the description is its module's docstring, as it stands."""
    return Parser(prog=f"lstta {verb}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_config(parser: argparse.ArgumentParser) -> None:
    """The argument ``config``, and ``--cfg-options``."""
    parser.add_argument("config", help="name of a shipped config (lstta configs), or a file")
    add_cfg_options(parser)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE", help="override config values, as a.b=c")


def add_encoder(parser: argparse.ArgumentParser) -> None:
    """Where encoders lie now."""
    said = "where an encoder's weights or features lie now, such as visual=models/dinov2-small"
    parser.add_argument("--encoder", nargs="+", default=(), metavar="MODALITY=PLACE", help=said)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where the model runs."""
    said = "cpu, cuda, or one of several GPUs, such as cuda:1 (default: a GPU where there is one)"
    parser.add_argument("--device", metavar="DEVICE", help=said)


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """How several processes were started."""
    choices = ("none", "pytorch", "slurm", "mpi")
    said = "slurm under srun, mpi under Open MPI's mpirun; pytorch under torchrun, which says it itself"
    default = "pytorch" if "TORCHELASTIC_RUN_ID" in os.environ else "none"
    parser.add_argument("--launcher", choices=choices, default=default, help=said)
    parser.add_argument("--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def cfg_options(pairs: Sequence[str] | None, option: str = "--cfg-options") -> dict[str, Any]:
    """``["a.b=3", "c=text"]`` to ``{"a.b": 3, "c": "text"}``: Python literals, and text for everything else.

    Raises:
        ValueError: a pair without ``=``.
    """
    options: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{option} wants KEY=VALUE, got {pair!r}")
        try:
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, TypeError):
            options[key] = value
    return options


@contextmanager
def user_errors() -> Iterator[None]:
    """Print expected errors as one message and exit with 2; ``LSTTA_DEBUG=1`` shows the traceback.

    Whatever a plugin's code raises is expected: the message says whose it is and where. Letters that the terminal's
    encoding lacks are printed as escapes.
    """
    escape_what_cannot_be_shown()
    wait_asleep()
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as error:
        message = None if os.environ.get("LSTTA_DEBUG") else _message(error)
        if message is None:
            raise
        print(f"error: {escaped(str(message), lines=True)}", file=sys.stderr)
        raise SystemExit(2) from None


def _message(error: Exception) -> str | None:
    """What to print of an error; None for one that is ours and unexpected."""
    from lstta_core.plugin_errors import blame, place_of
    from lstta_core.plugins import installed_plugins

    try:
        blamed = blame(error, installed_plugins())
    except ValueError:  # as where LSTTA_PLUGINS names a plugin that is not there, which is then the error itself
        blamed = None
    if blamed is not None:
        return str(blamed)
    if (of_worker := _of_a_worker(error)) is not None:
        return of_worker
    if isinstance(error, KeyError | IndexError) and " " not in str(error.args[:1]):  # a key, and no sentence
        return f"{type(error).__name__}: {error} ({place_of(error)}); LSTTA_DEBUG=1 shows the traceback"
    if isinstance(error, LookupError) and error.args:
        return str(error.args[0])
    if isinstance(error, OSError):
        return in_words(error)
    return str(error) if isinstance(error, ValueError | LookupError) else None


def _of_a_worker(error: Exception) -> str | None:
    """What went wrong in a loader's worker, without the worker's traceback; None for other errors.

    A worker's death is told to whatever the main process does at that moment, as a RuntimeError of torch's.
    """
    said = str(error.args[0]) if error.args else ""
    if isinstance(error, RuntimeError) and (match := DEAD_WORKER.match(said)):
        return (
            f"a worker that loads batches has ended ({match[1]}). Is there memory enough? Try loader.workers=0 or a "
            "smaller loader.batch_size; a training goes on with --resume"
        )
    caught = CAUGHT_IN_WORKER.search(said)
    return caught[1] if caught and isinstance(error, ValueError | LookupError | OSError) else None


def wait_asleep() -> None:
    """Let threads of a CPU that wait for each other sleep soon; of use before torch is there alone.

    GNU's OpenMP, with which torch comes on Linux, lets a thread that waits turn in a loop for some milliseconds, in
    hundreds of places of a step. Where another process wants the core, as loader workers do, the thread that is waited
    for does not run meanwhile: on two cores beside one busy process a step of the demo took 1.3 to 1.7 s. It is told to
    turn a thousand times, as it does by itself where it has more threads than cores: .11 s there, and .07 on free cores
    (before .06 to .08). Who sets ``GOMP_SPINCOUNT`` or ``OMP_WAIT_POLICY`` is left alone.
    """
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = "1000"


def keep_freed_memory() -> bool:
    """On a CPU with glibc, keep freed memory instead of giving it back to the system after every step; whether it does.

    A step frees and takes the same large blocks again; by default glibc maps each anew, and the kernel clears every
    page. It changes the whole process, so the command line alone calls it. Nothing where there is a GPU.
    """
    import torch

    if not sys.platform.startswith("linux") or torch.cuda.is_available():
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library
        return False
    settings = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 2**26}
    return all(mallopt(option, value) for option, value in settings.items())

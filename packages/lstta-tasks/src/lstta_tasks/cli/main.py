"""The command ``lstta``. A verb's module is imported when it is asked for: ``--help`` imports nothing heavy."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module, metadata

from lstta_tasks.cli.options import user_errors

VERBS = {
    "train": "train a config's adapter, selecting on val",
    "test": "evaluate an adapter folder on a split",
    "infer": "ask an adapter about videos, and see where it looked",
    "cache": "decode clips once; compute the frozen prefix once; look into caches",
    "features": "write what encoders give into files, convert others' files",
    "transcribe": "timed text for videos that have none, by Whisper",
    "profile": "what configs cost: parameters, MACs, memory, time",
    "plugins": "list plugins and what they register; check one",
    "doctor": "what is wrong with a data set, before training",
    "generate": "make the built-in clips, in the files of public data sets",
    "retrieve": "make an index of clips, and search it by text",
    "compare": "run a study, and show its table",
    "push": "put an adapter folder on the Hugging Face hub",
    "app": "a page in the browser to try an adapter on",
    "importances": "what an adapter's importances mean",
    "significance": "whether two models' answers differ by more than chance",
    "configs": "list the shipped configs, or show one as it will run",
    "demo": "from nothing to a trained adapter and its table",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; returns the exit status."""
    verb, *rest = [*(sys.argv[1:] if argv is None else argv)] or ["--help"]
    if verb in ("-h", "--help"):
        print(_help())
        return 0
    if verb == "--version":
        print(f"lstta {metadata.version('lstta-tasks')}")
        return 0
    if verb not in VERBS:
        near = get_close_matches(verb, VERBS, n=1)
        print(f"lstta: no verb {verb!r}" + (f"; did you mean {near[0]!r}?" if near else ""), file=sys.stderr)
        print(_help(), file=sys.stderr)
        return 2
    with _children_import_from_no_working_directory(), user_errors():
        return import_module(f"lstta_tasks.cli.{verb}").main(rest) or 0
    return 2


@contextmanager
def _children_import_from_no_working_directory() -> Iterator[None]:
    """Nor do theirs, see ``data/child.py``. A process that calls a verb has its environment back afterwards."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        os.environ.pop("PYTHONSAFEPATH")
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before


def _help() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:{width}}  {summary}" for verb, summary in VERBS.items())
    return f"usage: lstta VERB …\n\nLong short-term trimodal adapters.\n\n{verbs}\n\nlstta VERB --help says more."

"""Timed text for videos that have none: what is said in them, as subtitles beside each file.

lstta transcribe my.csv --model openai/whisper-tiny.en
lstta transcribe my_videos talk.mp3 --model models/whisper-small --language en

Files that have subtitles (.srt or .vtt) keep them, so a run that was ended goes on where it was. Where nothing is said
the file is an empty .vtt. Exit status: 1 where a file could not be heard.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from pkgutil import resolve_name

from lstta_tasks.cli.options import parser_of
from lstta_tasks.escaped import escaped

WHISPER = "lstta_backbone_transformers.transcribe:Whisper"


def main(argv: Sequence[str] | None = None) -> int:
    """Transcribe and say what was done; returns the exit status."""
    parser = parser_of("transcribe", __doc__)
    parser.add_argument(
        "places", nargs="+", type=Path, metavar="CSV|FOLDER|FILE", help="a table with a column video, or media"
    )
    parser.add_argument("--model", required=True, help="of Whisper: a hub id, or a folder")
    parser.add_argument("--language", help="that is spoken, such as en (default: what is heard)")
    parser.add_argument(
        "--vocabulary", metavar="FILE", help="gpt2.tiktoken or multilingual.tiktoken, for a folder without a tokenizer"
    )
    parser.add_argument("--again", action="store_true", help="also files that have subtitles, which are replaced")
    parser.add_argument("--encoding", metavar="NAME", help="of a table that is not UTF-8, such as cp1252")
    args = parser.parse_args(argv)

    from lstta_tasks.transcribe.transcribe import files_of, transcribe

    try:
        whisper = resolve_name(WHISPER)
    except ImportError as error:
        raise ValueError(f"Whisper comes with lstta-backbone-transformers: pip install it ({error})") from error
    make = partial(whisper, model=args.model, language=args.language, vocabulary=args.vocabulary)
    done = transcribe(files_of(args.places, encoding=args.encoding), make, again=args.again)
    print(f"{len(done.written):,} files of subtitles written, {len(done.kept):,} there already")
    for file, reason in done.failed.items():
        print(f"  {escaped(file)}: {escaped(reason)}", file=sys.stderr)
    return int(bool(done.failed))

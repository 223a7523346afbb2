"""Ask a trained adapter about a video, and see where it looked.

lstta infer work_dirs/tiny_lstta/best clip.mp4 "Which is the first sounding instrument?"
lstta infer work_dirs/tiny_lstta/best a.mp4 b.mp4 song.mp3 "Which is the first sounding instrument?"
lstta infer work_dirs/sentiment/best FOLDER --json > answers.json
lstta infer work_dirs/retrieval/best clip.mp4 "a violin on the left" "a drum on the right"
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from lstta_tasks.cli.options import ADAPTER, add_device, add_encoder, parser_of
from lstta_tasks.cli.output import print_json
from lstta_tasks.escaped import escaped


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("infer", __doc__)
    parser.add_argument("adapter", type=Path, help=ADAPTER)
    parser.add_argument("clips", metavar="CLIP|FOLDER …", help="media files, and folders of videos")
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="question, statement, …: each is asked of each clip")
    add_encoder(parser)
    add_device(parser)
    parser.add_argument(
        "--options", nargs="+", default=(), metavar="OPTION", help="to choose from, if the task has any"
    )
    parser.add_argument("--subtitles", type=Path, metavar="FILE", help="srt or vtt (default: the one beside the clip)")
    parser.add_argument("--encoding", metavar="NAME", help="of subtitles that are not UTF-8, such as cp1252")
    parser.add_argument("--out", type=Path, help="folder for the page and pictures (default: work_dirs/infer/CLIP)")
    parser.add_argument("--draw", type=_count, default=20, metavar="N", help="answers to draw, at most (default: 20)")
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    args = parser.parse_intermixed_args(argv)

    from lstta_tasks.data.features import needs_clips
    from lstta_tasks.data.folder import looks_like_a_clip
    from lstta_tasks.explain.answer_table import print_answers
    from lstta_tasks.explain.as_json import as_json
    from lstta_tasks.explain.infer import draw, infer, page_of
    from lstta_tasks.failures import Failures
    from lstta_tasks.moved import places_of

    more = list(takewhile(looks_like_a_clip, args.texts))
    clips = [Path(word) for word in (args.clips, *more)]
    inferred = infer(
        args.adapter,
        clips,
        args.texts[len(more) :],
        options=args.options,
        subtitles=args.subtitles,
        encoding=args.encoding,
        moved=places_of(args.encoder),
        device=args.device,
    )
    out = args.out or Path("work_dirs") / "infer" / clips[0].resolve().stem
    if not needs_clips(inferred.predictor.specs):  # there are no pictures and no sound to draw
        args.draw = 0
    # The answers are out before anything is drawn: drawing takes longer, and may fail.
    if args.json:
        print_json({**as_json(inferred), "page": str(page_of(out)) if args.draw else None}, indent=1)
    else:
        print_answers(inferred)
    sys.stdout.flush()
    if args.draw:
        page, _ = draw(inferred, out, most=args.draw, undrawn=(undrawn := Failures()))
        for clip, reason in undrawn.reasons.items():
            print(f"{escaped(clip)} cannot be drawn: {escaped(reason)}", file=sys.stderr)
        if not args.json:
            print(f"page: {escaped(str(page))}; pictures beside it")


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {value}")
    return value

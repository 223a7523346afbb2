"""Try an adapter on a page in the browser: a video, a text, the answer, and where the model looked.

lstta app work_dirs/tiny_lstta/best
lstta app USER/NAME --example clip.mp4 "Which is the first sounding instrument?"

The page is for this machine alone, unless --host says otherwise; it loads nothing from elsewhere and tells nobody.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import ADAPTER, add_device, parser_of
from lstta_tasks.escaped import escaped

LOOPBACK = ("127.0.0.1", "localhost", "::1")
TOGETHER = 8  # uploads of the largest size that may lie there at once


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("app", __doc__)
    parser.add_argument("adapter", type=Path, help=ADAPTER)
    said = "a video and a text to begin with; may be given again"
    parser.add_argument("--example", nargs=2, action="append", default=[], metavar=("CLIP", "TEXT"), help=said)
    parser.add_argument("--host", default=LOOPBACK[0], help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, help="to listen at (default: the first that is free from 7860 on)")
    parser.add_argument("--max-mb", type=float, default=200.0, metavar="MB", help="of an upload (default: 200)")
    said = "that an upload stays after it was last asked about (default: 10)"
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M", help=said)
    add_device(parser)
    args = parser.parse_args(argv)
    if args.max_mb <= 0 or args.minutes <= 0:
        raise ValueError(f"--max-mb and --minutes must be above 0, got {args.max_mb:g} and {args.minutes:g}")
    for clip, _ in args.example:
        if not Path(clip).is_file():
            raise FileNotFoundError(f"{clip}: no such file; --example wants a video and a text")

    from lstta_tasks.adapters import load
    from lstta_tasks.app.page import build, check_installed, launch, stay_at_home
    from lstta_tasks.app.uploads import Uploads

    check_installed()
    predictor = load(args.adapter, device=args.device)
    most = round(args.max_mb * 1e6)
    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        with Uploads(seconds=60 * args.minutes, most_bytes=TOGETHER * most) as uploads:
            stay_at_home(uploads.folder)
            page = build(predictor, args.adapter.as_posix(), uploads, args.example)
            address = launch(page, host=args.host, port=args.port, most_bytes=most)
            print(f"{escaped(str(args.adapter))}: {address} (Ctrl-C ends it)", flush=True)
            if args.host not in LOOPBACK:
                print(f"whoever reaches {args.host} can use it: there is no password", file=sys.stderr)
            try:
                ended.wait()
            finally:
                page.close()
    finally:
        signal.signal(signal.SIGTERM, before)

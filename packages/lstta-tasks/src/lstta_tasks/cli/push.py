"""Push an adapter folder to the Hugging Face hub, with a model card.

lstta push work_dirs/tiny_lstta/best USER/NAME --dry-run
lstta push work_dirs/tiny_lstta/best USER/NAME --private --license apache-2.0 --data MUSIC-AVQA

Whoever has it says USER/NAME, or USER/NAME@REVISION, wherever a folder of an adapter is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from lstta_tasks.cli.options import parser_of
from lstta_tasks.escaped import escaped


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("push", __doc__)
    parser.add_argument("adapter", help="folder with adapter.safetensors and adapter.json")
    parser.add_argument("repo", metavar="USER/NAME", help="on the hub; made where it is missing")
    parser.add_argument("--private", action="store_true", help="nobody else sees it")
    parser.add_argument("--branch", help="push to it (default: main)")
    parser.add_argument("--message", help="of the commit")
    parser.add_argument("--license", metavar="ID", help="of what was trained, as the hub abbreviates it: apache-2.0, …")
    parser.add_argument("--data", nargs="+", default=(), metavar="NAME", help="data sets that it was trained on")
    parser.add_argument("--dry-run", action="store_true", help="print the card and what would be pushed, and stop")
    args = parser.parse_args(argv)

    from lstta_tasks.hub.push import prepare, push

    prepared = prepare(args.adapter, args.repo, licence=args.license, data=args.data)
    card = prepared.files["README.md"]
    what = f"{', '.join(prepared.files)} ({prepared.size:,} bytes)"
    if args.dry_run:
        assert isinstance(card, bytes)
        print(escaped(card.decode(), lines=True))
        print(f"would push {what} to {args.repo}")
        return
    pushed = push(prepared, private=args.private, branch=args.branch, message=args.message)
    print(f"pushed {what} to {pushed.url}, commit {pushed.commit}")
    print(f'load("{args.repo}", revision="{pushed.commit}"), or {args.repo}@{pushed.commit} on the command line')

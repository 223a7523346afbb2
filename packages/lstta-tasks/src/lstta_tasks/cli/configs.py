"""List the shipped configs; say what one is, or show it as it will run: lstta configs avqa/tiny_lstta --show"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstta_tasks.cli.options import add_cfg_options, cfg_options, parser_of
from lstta_tasks.shipped import Kind, find_shipped, header, shipped


def main(argv: Sequence[str] | None = None) -> None:
    parser = parser_of("configs", __doc__)
    parser.add_argument("config", nargs="?", help="name of a shipped config, or a file")
    parser.add_argument("--show", action="store_true", help="print it with everything that it builds on")
    parser.add_argument("--studies", action="store_true", help="list the shipped studies, for lstta compare")
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    if args.config is None:
        if args.show or args.cfg_options:
            parser.error("--show and --cfg-options want a config")
        names = shipped("study" if args.studies else "config")
        width = max(map(len, names))
        for name, path in names.items():
            print(f"{name:{width}}  {header(path).splitlines()[0]}")
    elif args.show:
        from lstta_tasks.experiment.config import load_config
        from lstta_tasks.experiment.settings import as_python

        print(as_python(load_config(args.config, cfg_options(args.cfg_options))))
    else:
        kind: Kind = "study" if args.studies else "config"
        path = find_shipped(kind, args.config)
        print(f"{path}\n\n{header(path)}", flush=True)
        if path.resolve() not in [file.resolve() for file in shipped(kind).values()]:
            _check(kind, path)


def _check(kind: Kind, path: Path) -> None:
    """Raise what is wrong with a file that does not ship, such as a config that it builds on and that is not there."""
    if kind == "config":
        from lstta_tasks.experiment.config import load_config

        load_config(path)
    else:
        from lstta_tasks.study.definition import load_study

        load_study(path)

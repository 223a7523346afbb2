#!/usr/bin/env python3
"""What configs cost, side by side: tools/profile.py configs/avqa/tiny_lstta.py

Parameters, MACs and FLOPs, the size of the adapter on disk, and time and memory of a forward pass and of a training
step, on random clips of the config's own sizes: no data and no cache is needed, but for the size of the head, which
a task may read from its annotations (--cfg-options task.answers='["no", "yes"]' stands in for them).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from common import cfg_options, user_errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, nargs="+")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="to measure on (default: cpu)")
    parser.add_argument("--batch-size", type=_count, help="of what is measured (default: the config's)")
    parser.add_argument("--text-length", type=_count, help="of a text in ids (default: the encoder's longest)")
    parser.add_argument("--repeats", type=_count, default=5, help="timed calls of each kind (default: 5)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=Path, help="write everything here, every part by itself")
    parser.add_argument(
        "--cfg-options", nargs="+", metavar="KEY=VALUE", help="override values of each config, as a.b=c"
    )
    args = parser.parse_args()

    from lstta_tasks.costs.cost_table import as_json, print_costs
    from lstta_tasks.costs.profile import profile
    from lstta_tasks.experiment.config import load_config

    options = cfg_options(args.cfg_options)
    sizes = {"batch_size": args.batch_size, "text_length": args.text_length, "repeats": args.repeats}
    profiles = [profile(load_config(config, options), device=args.device, **sizes) for config in args.config]
    print_costs(profiles, markdown=args.markdown)
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps([as_json(one) for one in profiles], indent=1) + "\n")


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


if __name__ == "__main__":
    with user_errors():
        main()

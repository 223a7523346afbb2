#!/usr/bin/env python3
"""The whole table of a GPU, in about nine minutes: what training and inference cost on encoders of base size.

On a machine with a registry and PyAV, once:

    python benchmarks/gpu.py --wheels WHEELS          # packages that the GPU machine lacks, and our own
    python benchmarks/gpu.py --prepare CACHE          # a few clips, decoded, at most 10 MB

On the GPU machine, which needs neither a network nor PyAV:

    python3 -m pip install --no-index --no-deps --target SITE WHEELS/*.whl
    PYTHONPATH=SITE python3 benchmarks/gpu.py --cache CACHE --out OUT [--minutes 9]

Anywhere, a minute: the same way at tiny sizes on a CPU, to see that nothing is missing:

    python benchmarks/gpu.py --cpu-smoke --cache CACHE --out OUT

First come the tests marked gpu, then ViT-B/16 on 8 frames, AST on 10 s and RoBERTa on 24 tokens with random weights,
16 clips a step. Frozen weights are in bfloat16, what trains in float32 under autocast; full fine-tuning has all
encoders in bfloat16. JSON and Markdown are written after every row.

ms         median of up to 50 steps in 5 s after 3 that are not counted, the device waited for before and after each;
           quartiles of the same
× frozen   milliseconds a clip, divided by those of this run's frozen forward pass; × full by full fine-tuning's
peak       of torch's allocator, everything in it: weights, optimizer, batch
kernels    that the device ran in one step; copies and fills of memory are not counted
launches   calls by which the host started them; a CUDA graph is one
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> int:
    """Do what the command line says; returns the exit status: 1 where a row or a test failed, 2 where nothing began."""
    args = _parser().parse_args(argv)
    try:
        if args.wheels is None and args.prepare is None:
            return _measure(args)
        if args.wheels is not None:
            _wheels(args)
        if args.prepare is not None:
            _prepare(args)
    except (ValueError, FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        "on the GPU machine:\n"
        f"  python3 -m pip install --no-index --no-deps --target SITE {args.wheels or 'WHEELS'}/*.whl\n"
        f"  PYTHONPATH=SITE python3 benchmarks/gpu.py --cache {args.prepare or 'CACHE'} --out OUT"
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="fetch and build wheels into this folder, and stop")
    parser.add_argument("--python", default="3.12", metavar="VERSION", help="of the wheels (default: 3.12)")
    parser.add_argument("--prepare", type=Path, metavar="DIR", help="make this folder with a cache, and stop")
    parser.add_argument("--clips", type=int, default=20, help="of its training split (default: 20)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="that --prepare made")
    parser.add_argument("--out", type=Path, metavar="DIR", help="for the results")
    parser.add_argument("--minutes", type=float, metavar="N", help="begin no row that would not end in time")
    parser.add_argument("--no-tests", action="store_true", help="leave out the tests marked gpu")
    parser.add_argument("--cpu-smoke", action="store_true", help="everything at tiny sizes, on the CPU")
    return parser


def _wheels(args: argparse.Namespace) -> None:
    from on_gpu.wheels import expected, fetch

    size = fetch(args.wheels, args.python)
    print(f"{args.wheels}: {len(list(args.wheels.glob('*.whl')))} wheels, {size / 1e6:.1f} MB")
    print(f"the machine has to bring (PyAV alone is not needed): {', '.join(expected(args.wheels, args.python))}")


def _prepare(args: argparse.Namespace) -> None:
    from on_gpu.prepared import prepare

    print(f"{args.prepare}: {prepare(args.prepare, args.clips) / 1e6:.2f} MB")


def _measure(args: argparse.Namespace) -> int:
    if args.cache is None or args.out is None:
        raise ValueError("measuring needs --cache, that --prepare made, and --out; see --help")
    if not (args.cache / "cache").is_dir():
        raise FileNotFoundError(f"{args.cache}: no prepared cache; --prepare makes one, on a machine with PyAV")
    from on_gpu.run import Clock  # begun before anything heavy is imported

    clock = Clock(args.minutes)
    import torch
    from on_gpu.rows import FULL_SCALE, SMOKE, plans
    from on_gpu.run import run

    if not args.cpu_smoke and not torch.cuda.is_available():
        raise ValueError("there is no GPU that torch can use; --cpu-smoke needs none")
    device = torch.device("cpu" if args.cpu_smoke else "cuda")
    scale = SMOKE if args.cpu_smoke else FULL_SCALE
    results = run(plans(scale, device, args.cache), device=device, out=args.out, clock=clock, tests=not args.no_tests)
    print(f"{len(results.rows)} rows, {len(results.left_out)} left out: {', '.join(map(str, results.write(args.out)))}")
    return 1 if results.tests_failed or any(row.found is None for row in results.rows) else 0


if __name__ == "__main__":
    sys.exit(main())

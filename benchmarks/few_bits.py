"""Encoders with weights in 8 and 4 bits beside float32: how far their features are off, and what they take.

python benchmarks/few_bits.py features avqa/pretrained_lstta --clips 16 --cfg-options task.root=data/built-in/avqa
python benchmarks/few_bits.py memory

``features`` reads the first clips of the config's test split from their files, no cache needed. ``memory`` builds the
small encoders of random weights, and two sets of the same families of about four times their parameters, each in a
process of its own: the bytes of all weights; the most that torch's allocator held at once in a step, weights included;
and the resident memory before and after a step, over that of an empty process. glibc gives freed matrices back there,
which it otherwise keeps.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

ALL = ("float32", "bfloat16", "int8", "nf4")
SIZES = {"small": None, "large, 9 blocks": 9, "large, 10 blocks": 10}
"""Encoder sets, by the blocks of the large ones for texts."""

MEMORY = (
    ("small", "float32"),
    ("small", "int8"),
    ("large, 9 blocks", "int8"),
    ("large, 10 blocks", "float32"),
    ("large, 10 blocks", "int8"),
    ("large, 10 blocks", "nf4"),
)


def features(config: str, options: dict[str, Any], clips: int) -> None:
    """A row for each modality and precision: the difference's largest value and norm as parts of the float32's."""
    from lstta_core.lockstep import TrimodalModel
    from lstta_tasks.data.batch import Collate
    from lstta_tasks.data.decode import decode_clip
    from lstta_tasks.experiment.config import load_config
    from lstta_tasks.experiment.parts import Experiment
    from lstta_tasks.network import DTYPES

    first = Experiment(load_config(config, options))
    samples = list({sample.source.id: sample for sample in first.task.samples("test")}.values())[:clips]
    items = [(sample, decode_clip(sample.source, first.preprocessing)) for sample in samples]
    inputs = Collate(first.specs, timed_text=first.task.timed_text)(items)["inputs"]
    exact: dict[Any, Any] = {}
    print("| encoder | weights | largest difference | relative norm | bytes |\n|---|---|---:|---:|---:|")
    for dtype in ALL:
        experiment = Experiment(load_config(config, options))
        for m, encoder in experiment.encoders.items():
            model = TrimodalModel({m: encoder}, frozen_dtype=DTYPES[dtype])
            with torch.no_grad():
                stream = model({m: inputs[m]}).streams[m]
            tokens = stream.tokens.float()[stream.mask]
            there = exact.setdefault(m, tokens)
            off = tokens - there
            largest, norm = float(off.abs().max() / there.abs().max()), float(off.norm() / there.norm())
            print(f"| {m} | {dtype} | {largest:.2e} | {norm:.2e} | {stored(model.encoders):,} |", flush=True)


def stored(module: torch.nn.Module) -> int:
    """Bytes of weights and buffers."""
    return sum(tensor.numel() * tensor.element_size() for tensor in [*module.parameters(), *module.buffers()])


def memory() -> None:
    """A row for each set of encoders."""
    print(
        "| encoders | parameters | weights | bytes | held in a step, MB | resident, MB | after a step, MB | peak, MB |"
    )
    print("|---|---:|---|---:|---:|---:|---:|---:|")
    for size, dtype in MEMORY:
        done = subprocess.run(
            [sys.executable, __file__, "one", size, dtype],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "1000000"},
        )
        one = json.loads(done.stdout.splitlines()[-1])
        numbers = " | ".join(f"{one[key] / 1e6:,.0f}" for key in ("held", "resident", "step", "peak"))
        print(f"| {size} | {one['parameters']:,} | {dtype} | {one['bytes']:,} | {numbers} |", flush=True)


def one(size: str, dtype: str) -> None:
    """In this process; prints JSON."""
    import gc
    import resource

    from random_encoders import large_encoders, small_encoders

    from lstta_core.lockstep import TrimodalModel
    from lstta_core.methods.lstta.adapter import LSTTA
    from lstta_core.profiling import measure
    from lstta_core.testing.inputs import synthetic_inputs
    from lstta_tasks.network import DTYPES

    loaded = DTYPES[dtype] == "nf4" and __import__("bitsandbytes")
    torch.manual_seed(0)
    gc.collect()
    before = _resident()
    blocks, sizes = SIZES[size], {"frame": (56, 56), "seconds": 2.0}
    encoders = small_encoders(**sizes) if blocks is None else large_encoders(text_blocks=blocks, **sizes)
    parameters = sum(p.numel() for encoder in encoders.values() for p in encoder.parameters())
    model = TrimodalModel(encoders, frozen_dtype=DTYPES[dtype], stages=4)
    model.add_adapter("a", LSTTA(width=16, heads=2))
    del encoders, loaded
    gc.collect()
    resident = _resident() - before
    inputs = {m: synthetic_inputs(e.spec, batch=1, segments=2) for m, e in model.by_modality().items()}

    def step() -> None:
        sum(stream.tokens.square().mean() for stream in model(inputs).streams.values()).backward()

    step()
    after = _resident() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    held = stored(model) + measure(step, device=torch.device("cpu"), repeats=0, warmup=0).peak_bytes
    print(
        json.dumps(
            {
                "parameters": parameters,
                "bytes": stored(model.encoders),
                "held": held,
                "resident": resident,
                "step": after,
                "peak": peak,
            }
        )
    )


def _resident() -> int:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    of_clips = commands.add_parser("features")
    of_clips.add_argument("config")
    of_clips.add_argument("--clips", type=int, default=16)
    of_clips.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE")
    commands.add_parser("memory")
    alone = commands.add_parser("one")
    alone.add_argument("size", choices=SIZES)
    alone.add_argument("dtype", choices=ALL)
    args = parser.parse_args()
    if args.command == "memory":
        memory()
    elif args.command == "one":
        one(args.size, args.dtype)
    else:
        from lstta_tasks.cli.options import cfg_options

        features(args.config, cfg_options(args.cfg_options), args.clips)


if __name__ == "__main__":
    main()

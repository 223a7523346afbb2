"""The rows of the table, in the order in which they are measured: first what is cheap, last what is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
import torch._dynamo
from ways import BASE, LSTTA, METHODS, TINY, Size, Way

from on_gpu.graphs import CapturedStep
from on_gpu.inference import Inference
from on_gpu.loading import train_for
from on_gpu.measuring import Found, Limits, measured

FROZEN, FULL = "frozen forward", "full fine-tuning"
Kind = Literal["eager", "loader", "captured", "compiled", "reduce-overhead"]


@dataclass(frozen=True)
class Plan:
    """A row that is yet to be measured.

    Attributes:
        name: of the row.
        kind: rows of one kind take about as long.
        seconds: that the first of its kind may take, as far as one can guess.
        measure: what gives it.
    """

    name: str
    kind: Kind
    seconds: float
    measure: Callable[[], Found]


@dataclass(frozen=True)
class Scale:
    """How large everything is.

    Attributes:
        encoders: their size.
        size: of the models.
        limits: of a row's steps.
        batches: that inference answers.
        loader_seconds: how long the loader's row trains.
        loader_options: of its config.
    """

    encoders: Literal["base", "tiny"]
    size: Size
    limits: Limits
    batches: int
    loader_seconds: float
    loader_options: Mapping[str, Any]


FULL_SCALE = Scale("base", BASE, Limits(warmup=3, least=5, most=50, seconds=5.0), 4, 60.0, {})
SMOKE = Scale(
    "tiny",
    TINY,
    Limits(warmup=1, least=2, most=2, seconds=0.0),
    2,
    1.0,
    {"loader.batch_size": 2, "loader.workers": 1, "model.stages": 2},
)


def plans(scale: Scale, device: torch.device, cache: Path) -> list[Plan]:
    """All rows.

    Args:
        scale: of the models.
        device: where; on a CPU compiling needs no compiler and graphs have a stand-in, which their rows say.
        cache: that ``--prepare`` wrote.
    """
    size, limits = scale.size, scale.limits
    last = f"last {size.last} of {size.stages} stages"
    lstta: dict[str, dict[str, Any]] = {
        f"LSTTA, all {size.stages} stages": {"method": LSTTA},
        f"LSTTA, {last}": {"method": LSTTA, "adapted": size.last},
        f"LSTTA, {last}, cached prefix": {"method": LSTTA, "adapted": size.last, "cached": True},
    }

    def plain(options: dict[str, Any], note: str = "") -> Callable[[], Found]:
        def measure() -> Found:
            way = Way(size=size, settings="bfloat16", device=device, **options)
            return measured(way, device, limits, note)

        return measure

    def captured(options: dict[str, Any]) -> Callable[[], Found]:
        if device.type != "cuda":
            return plain(options, "no GPU: eager, in place of the graph")

        def measure() -> Found:
            step = CapturedStep(Way(size=size, settings="bfloat16", device=device, capturable=True, **options))
            found = measured(step, device, limits, "" if step.cached else "the prefix is not in the graph")
            return replace(found, peak_gib=max(found.peak_gib or 0.0, step.peak / 2**30))

        return measure

    def compiled(options: dict[str, Any], how: dict[str, Any], note: str = "") -> Callable[[], Found]:
        if device.type != "cuda":
            how, note = {"backend": "aot_eager"}, "no GPU: backend aot_eager"
        run = plain({**options, "compiled": how}, note)

        def measure() -> Found:
            # Blocks share one compiled function, of which there are more kinds than torch expects; were there more
            # than this, some blocks would run eagerly, so that is an error.
            limit = torch._dynamo.config.patch(recompile_limit=64, fail_on_recompile_limit_hit=True)
            try:
                with limit:
                    return run()
            finally:
                if device.type == "cuda":
                    torch.compiler.reset()  # or its graphs would stay there

        return measure

    def through_the_loader() -> Found:
        return train_for(
            scale.loader_seconds,
            folder=cache,
            encoders=scale.encoders,
            device=device,
            options=dict(scale.loader_options),
        )

    def inference() -> Found:
        return measured(Inference(size=size, batches=scale.batches, device=device), device, limits)

    answered = size.clips * scale.batches
    pools = "graphs' own memory is not in the peak"
    return [
        Plan(FROZEN, "eager", 40.0, plain({"method": None})),
        *(Plan(name, "eager", 25.0, plain(options)) for name, options in lstta.items()),
        *(Plan(name, "eager", 25.0, plain({"method": method})) for name, method in METHODS.items()),
        Plan("LSTTA, all stages, through the loader", "loader", scale.loader_seconds + 30.0, through_the_loader),
        Plan(f"LSTTA, all stages, inference of {answered} clips", "eager", 25.0, inference),
        *(
            Plan(f"{name}, step in a CUDA graph", "captured", 25.0, captured(options))
            for name, options in lstta.items()
        ),
        *(Plan(f"{name}, compiled", "compiled", 90.0, compiled(options, {})) for name, options in lstta.items()),
        *(
            Plan(
                f"{name}, compiled, reduce-overhead",
                "reduce-overhead",
                90.0,
                compiled(options, {"mode": "reduce-overhead"}, pools),
            )
            for name, options in lstta.items()
        ),
    ]

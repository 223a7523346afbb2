"""Training watches its adapters: units that are dead, how much is added to tokens, gradients by part, and jumps.

All of it goes to TensorBoard beside the loss, and what is wrong to the log, once. After each epoch it stands in
``watched.json`` of the run folder. Our choice, with the measures of decision 13.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch import Tensor, nn

from lstta_core.adapter import Adapter, AdapterOutput
from lstta_core.interfaces import Streams
from lstta_core.methods.projections import Units
from lstta_core.whole_files import write_json

FILE = "watched.json"
DEAD = 1e-3
"""A unit is dead that stays within this of zero for every token of ``BATCHES`` batches."""
BATCHES = 100
JUMP = 0.2
"""A jump is a mean loss over ``LOSSES`` steps that is so much above the lowest one so far."""
LOSSES = 50


class WatchHook(Hook):
    """Watches the adapters of a model while it trains.

    Args:
        model: that trains; its adapters must not be compiled, since nothing can be read out of a compiled one.
        interval: steps between two looks at lengths and gradients; units are looked at in every step.
    """

    def __init__(self, *, model: nn.Module, interval: int) -> None:
        self.model, self.interval = model, interval
        self.most: dict[str, Tensor] = {}
        self.steps = 0
        self.looking = False
        self.added: dict[str, float] = {}
        self.squares: dict[str, Tensor] = defaultdict(lambda: torch.zeros(()))
        self.losses: list[Tensor] = []
        self.lowest = float("inf")
        self.warned: set[str] = set()
        self.summary: dict[str, Any] = {"dead": {}, "added": {}, "jumps": 0}

    def before_train(self, runner: Runner) -> None:
        if runner.iter:
            self.summary = watched(Path(runner.work_dir)) or self.summary
        for name, module in self.model.named_modules():
            if isinstance(module, Units):
                module.register_forward_hook(self._see_units(name))
            if isinstance(module, Adapter):
                module.register_forward_hook(self._see_added(name))
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                parameter.register_post_accumulate_grad_hook(self._see_gradient(part_of(name)))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.looking = self.every_n_train_iters(runner, self.interval)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        self.steps += 1
        if outputs is not None:
            self.losses.append(outputs["loss"].detach())
        if self.looking:
            self._tell(runner, {f"added/{name}": value for name, value in self.added.items()})
            self._tell(runner, {f"gradient/{part}": square.sqrt().item() for part, square in self.squares.items()})
            self.summary["added"] = dict(self.added)
            self.squares.clear()
        self.looking = False
        if self.steps % LOSSES == 0:
            self._look_for_jump(runner)
        if self.steps % BATCHES == 0:
            self._count_dead(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        if is_main_process():
            write_json(Path(runner.work_dir) / FILE, self.summary)

    def _see_units(self, name: str) -> Any:
        def see(module: nn.Module, inputs: tuple[Tensor], values: Tensor) -> None:
            if module.training:
                most = values.detach().abs().flatten(0, -2).amax(0)
                self.most[name] = torch.maximum(self.most[name], most) if name in self.most else most

        return see

    def _see_added(self, name: str) -> Any:
        def see(module: nn.Module, inputs: tuple[Streams], output: AdapterOutput) -> None:
            if not (self.looking and module.training):
                return
            for modality, before in inputs[0].items():
                if output.streams[modality] is before:  # as of prompts, which stand in front of tokens
                    continue
                after = output.streams[modality].tokens.detach()[before.mask].float()
                x = before.tokens.detach()[before.mask].float()
                if len(x):
                    self.added[f"{name}.{modality}"] = ((after - x).norm(dim=1) / x.norm(dim=1)).mean().item()

        return see

    def _see_gradient(self, part: str) -> Any:
        def see(parameter: Tensor) -> None:
            if self.looking and parameter.grad is not None:
                self.squares[part] = self.squares[part] + parameter.grad.detach().square().sum().float().cpu()

        return see

    def _look_for_jump(self, runner: Runner) -> None:
        mean = torch.stack(self.losses).float().mean().item()
        self.losses.clear()
        if mean > self.lowest + JUMP:
            self.summary["jumps"] += 1
            self._warn(
                "jump",
                f"step {runner.iter + 1}: the mean loss of {LOSSES} steps is {mean:.3f}, the lowest was "
                f"{self.lowest:.3f}; a lower optim_wrapper.optimizer.lr is the way out",
            )
        self.lowest = min(self.lowest, mean)

    def _count_dead(self, runner: Runner) -> None:
        for name, most in self.most.items():
            dead = (most < DEAD).float().mean().item()
            self.summary["dead"][name] = max(dead, self.summary["dead"].get(name, 0.0))
            self._tell(runner, {f"dead/{name}": dead})
            if dead > 0.5:
                self._warn(
                    name,
                    f"step {runner.iter + 1}: {dead:.0%} of the units of {name} gave nothing for {BATCHES} batches: "
                    "this adapter hardly learns; a lower optim_wrapper.optimizer.lr is the way out",
                )
        self.most.clear()

    def _tell(self, runner: Runner, values: dict[str, float]) -> None:
        for name, value in values.items():
            runner.message_hub.update_scalar(f"train/{name}", value)

    def _warn(self, what: str, message: str) -> None:
        if what not in self.warned and is_main_process():
            runner_log = MMLogger.get_current_instance()
            runner_log.warning(message)
            print(f"warning: {message}", flush=True)
        self.warned.add(what)


def watched(folder: Path) -> dict[str, Any] | None:
    """What was watched in this run folder: ``dead``, the largest share by place, ``added``, the last length against the
    tokens', and ``jumps``; None where nothing was, as with compiled adapters."""
    place = folder / FILE
    return json.loads(place.read_text(encoding="utf-8")) if place.exists() else None


def part_of(name: str) -> str:
    """The part of a model that a parameter belongs to: that of an adapter and its modality, the readout, the head."""
    kept = [word for word in name.split(".") if word not in ("weight", "bias")]
    return ".".join(kept[:6]) if "adapters" in kept else kept[0]

"""Two processes that know of each other as torchrun's do, on a CPU: they evaluate and train; with folders of their own
they are as two machines."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import seeded_encoders
import torch
from children import context, skip_pictures
from torch import distributed

from lstta_core.interfaces import Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.plugins import installed_plugins
from lstta_core.sharding import kept_bytes, shard_encoders
from lstta_core.testing.inputs import synthetic_inputs
from lstta_tasks.answers.one_of_many import OneOfMany
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.launchers import NAMES
from lstta_tasks.training.train import SeedHook, train

TOYS = {m: getattr(seeded_encoders, m) for m in Modality}


def evaluate_and_train(config: Path, adapter: Path, folder: Path) -> list[int | None]:
    """Write ``folder/val.json`` and the run ``folder/run``, of two epochs; return the exit codes."""
    return _both(_work, [(config, adapter, folder)] * 2)


@dataclass(frozen=True)
class Machine:
    """What one of two machines is told.

    Attributes:
        folder: the run folder, on this machine alone.
        config: with data and cache of this machine.
        options: of the config.
        act: at a step, the name of something in :data:`ACTS` to do.
        launcher: whose words it is told them in.
    """

    folder: Path
    config: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    act: tuple[int, str] | None = None
    launcher: str = "pytorch"


def train_on(*machines: Machine, resume: bool = False) -> list[str]:
    """Train on two machines; what each ended with: nothing, or the kind and text of what was raised."""
    for machine in machines:
        machine.folder.parent.mkdir(parents=True, exist_ok=True)
    _both(_train_on, [(machine, resume) for machine in machines])
    return [_said(machine).read_text() for machine in machines]


def share_out(folder: Path) -> list[int | None]:
    """Toy encoders, shared out between two: write ``folder/0.pt`` and ``1.pt``; return the exit codes."""
    return _both(_share_out, [(folder,)] * 2)


def toy_model() -> TrimodalModel:
    """With an adapter that does something; always alike."""
    torch.manual_seed(0)
    model = TrimodalModel({m: toy(seed=5) for m, toy in TOYS.items()}, stages=2)
    model.add_adapter("a", installed_plugins().create("method", "lstta", width=8, heads=2))
    with torch.no_grad():
        for parameter in model.trainable_parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return model


def toy_losses(model: TrimodalModel) -> dict[str, Any]:
    """Two passes over a batch, from the inputs and from the states at the first adapted stage, and their gradients."""
    inputs = {m: synthetic_inputs(encoder.spec, batch=2, segments=3) for m, encoder in model.by_modality().items()}
    found: dict[str, Any] = {}
    for name, states in (("inputs", None), ("states", model.prefix(inputs))):
        model.zero_grad()
        output = model(inputs, states)
        loss = sum(stream.tokens.square().mean() for stream in output.streams.values())
        loss.backward()
        gradients = {n: model.get_parameter(n).grad for n in model.trainable_names()}
        found[name] = {"loss": loss.detach(), **{n: g.clone() for n, g in gradients.items() if g is not None}}
    return found


def _share_out(folder: Path) -> None:
    distributed.init_process_group("gloo")
    model = toy_model()
    shard_encoders(model)
    found = {"bytes": kept_bytes(model.encoders), **toy_losses(model)}
    torch.save(found, folder / f"{distributed.get_rank()}.pt")
    distributed.destroy_process_group()


def _train_on(machine: Machine, resume: bool) -> None:
    if machine.act is not None:
        _at_step(machine.act[0], ACTS[machine.act[1]])
    said = ""
    for name, theirs in NAMES.get(machine.launcher, {}).items():
        os.environ[theirs] = os.environ.pop(name)
    try:
        config = load_config(machine.config, dict(machine.options))
        train(config, work_dir=machine.folder, resume=resume, launcher=machine.launcher)
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}"
    _said(machine).write_text(said)


def _said(machine: Machine) -> Path:
    return machine.folder.with_suffix(".said")


def _at_step(step: int, act: Callable[[], None]) -> None:
    before = SeedHook.before_train_iter

    def patched(self: SeedHook, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        before(self, runner, batch_idx, data_batch)
        if runner.iter == step:
            act()

    mock.patch.object(SeedHook, "before_train_iter", patched).start()


def _diverge() -> None:
    loss = OneOfMany.loss
    mock.patch.object(OneOfMany, "loss", lambda *given: loss(*given) * float("nan")).start()


ACTS: dict[str, Callable[[], None]] = {
    "be asked to end": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "diverge": _diverge,
}


def _both(work: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> list[int | None]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    ranks = [context().Process(target=_as_rank, args=(rank, port, work, own)) for rank, own in enumerate(arguments)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join()
    return [rank.exitcode for rank in ranks]


def _as_rank(rank: int, port: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    skip_pictures()
    where = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    os.environ.update(where, RANK=str(rank), LOCAL_RANK=str(rank))
    work(*arguments)


def _work(config: Path, adapter: Path, folder: Path) -> None:
    rank = int(os.environ["RANK"])
    report, details = evaluate(load_config(config), adapter, "val", launcher="pytorch")
    assert bool(report.scores) == (rank == 0)
    if rank == 0:
        (folder / "val.json").write_text(json.dumps(details))
    options = {"train_cfg.max_epochs": 2}
    last = train(load_config(config, options), work_dir=folder / "run", launcher="pytorch")
    assert (last is not None) == (rank == 0)

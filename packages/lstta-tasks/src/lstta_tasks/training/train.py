"""Training: a config in, a run folder out. Its hooks seed, show how far it is, and save."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import Runner
from mmengine.visualization import Visualizer
from tqdm import tqdm

from lstta_core.fast_linear import fast_linear
from lstta_tasks.adapters import start_from
from lstta_tasks.annotations.reading import each_split
from lstta_tasks.data.features import needs_clips
from lstta_tasks.escaped import escaped
from lstta_tasks.experiment.batches import place_for
from lstta_tasks.experiment.distributed import alone, join, together
from lstta_tasks.experiment.factories import plain
from lstta_tasks.experiment.length import length_of
from lstta_tasks.experiment.loss import training_loss
from lstta_tasks.experiment.param_scheduler import check_ends
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import card, record_of
from lstta_tasks.experiment.runner import RunnerModel, TaskMetric, optim_wrapper, schedulers_of
from lstta_tasks.experiment.same import check_same_data, check_same_settings
from lstta_tasks.experiment.second_pass import score_again
from lstta_tasks.experiment.sections import HABITS
from lstta_tasks.how_long import HowLong
from lstta_tasks.task import Report, Split
from lstta_tasks.training.checkpoint_hook import CheckpointHook
from lstta_tasks.training.checkpoints import Checkpoint
from lstta_tasks.training.environment import write_environment
from lstta_tasks.training.events import RunEvents
from lstta_tasks.training.guards import FiniteHook, StopHook
from lstta_tasks.training.log import RunLog
from lstta_tasks.training.pictures import ConfusionHook, PictureHook
from lstta_tasks.training.resume import check_fits, compared, settings_of_run
from lstta_tasks.training.run_folder import taken, where_to_begin
from lstta_tasks.training.runner import RunRunner, run_or_stop
from lstta_tasks.training.stopping import Stopping
from lstta_tasks.training.warm_up import WarmUpHook
from lstta_tasks.training.watch import WatchHook


class SeedHook(Hook):
    """Seeds every training step from (seed, rank, step): a resumed run then draws the numbers of the whole one.

    Saving generators' states instead is not enough, since validation draws numbers after the save.

    Args:
        seed: of the config.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        words = np.random.SeedSequence([self.seed, runner.rank, runner.iter]).generate_state(3)
        torch.manual_seed(int(words[0]))
        np.random.seed(int(words[1]))  # noqa: NPY002 — libraries that draw from the global generator
        random.seed(int(words[2]))


class ProgressHook(Hook):
    """A bar over each epoch, where there is a terminal, and one line after each validation.

    Args:
        metric: of the validation.
    """

    priority = "LOW"

    def __init__(self, *, metric: TaskMetric) -> None:
        self.metric = metric
        self.bar: tqdm[Any] | None = None
        self.how_long: HowLong | None = None
        self.losses: list[float] = []

    def before_train_epoch(self, runner: Runner) -> None:
        self.losses = []
        if is_main_process():
            epoch = f"epoch {runner.epoch + 1}/{runner.max_epochs}"
            steps, done = len(runner.train_dataloader), runner.train_loop.done
            self.bar = tqdm(total=steps, initial=done, desc=epoch, disable=None, leave=False)
            self.how_long = self.how_long or HowLong("training", runner.max_iters - runner.iter, "steps")

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if self.bar is not None and self.how_long is not None and outputs is not None:
            self.how_long.update()
            self.losses.append(outputs["loss"].item())
            self.bar.update()
            self.bar.set_postfix(loss=f"{np.mean(self.losses[-50:]):.3f}", refresh=False)

    def after_train_epoch(self, runner: Runner) -> None:
        if self.bar is not None:
            self.bar.close()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        report = self.metric.report
        if is_main_process() and report is not None:
            train = f"train loss {np.mean(self.losses):.3f}, " if self.losses else ""
            value = report.value(report.primary)
            loop = runner.train_loop
            print(f"{loop.unit} {loop.place}/{loop.length}: {train}val {report.primary} {value:.4f}", flush=True)


def train(
    config: Config,
    *,
    work_dir: Path,
    resume: bool = False,
    amp: bool = False,
    launcher: str = "none",
    command: str | None = None,
    start: Path | None = None,
    device: str | None = None,
) -> Report | None:
    """Train a config's model, selecting on val.

    Args:
        config: from :func:`~lstta_tasks.experiment.config.load_config`.
        work_dir: the run folder; see the README for what is in it.
        resume: go on from the last checkpoint in ``work_dir``; from the beginning where there is none.
        amp: mixed precision in bfloat16, or in float16 on a card that is older than it; needs a GPU.
        launcher: ``"none"``, or ``"pytorch"`` under torchrun.
        command: what was typed, for the adapter's card.
        start: an adapter folder, of any task, whose adapters and readout training begins with; not used where there is
            a checkpoint to resume from.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default a GPU where there is one.

    Returns:
        The last validation's report, on the first rank.

    Raises:
        ValueError: the config or what it names does not fit; ``work_dir`` holds a run and ``resume`` is not given, or
            it is given and the run is another config's; another training is at work there; the ranks' data or settings
            differ; ``start`` does not fit; there is no such device. ``work_dir`` is then as it was.
        NotFiniteError: the loss, a weight, a prediction or a score is NaN or infinite.
        Stopped: SIGTERM or Ctrl-C, once a checkpoint is written.
    """
    alone(launcher, device)
    join(launcher)
    place = place_for(device, amp=amp)
    with taken(work_dir):
        checkpoint = where_to_begin(work_dir, resume=resume)
        return _train(config, work_dir, checkpoint, place, amp=amp, launcher=launcher, command=command, start=start)


def _train(
    config: Config,
    work_dir: Path,
    checkpoint: Checkpoint | None,
    place: torch.device,
    *,
    amp: bool,
    launcher: str,
    command: str | None,
    start: Path | None,
) -> Report | None:
    """In a folder of one's own, from the beginning or a checkpoint; see :func:`train`."""
    hooks: list[Hook] = []
    logger: dict[str, Any] = {}
    backends: list[Any] = []
    if any(config.get(section) for section in HABITS):
        from lstta_tasks.training.habits import habits_of

        with together():
            hooks, logger, backends = habits_of(config, work_dir, checkpoint)
    torch.manual_seed(config.seed)
    experiment = Experiment(config)
    splits: tuple[Split, ...] = ("train", "val")
    with together():
        datasets = each_split(experiment.dataset, splits)
        model = experiment.model
        loss = training_loss(experiment, datasets["train"].samples)
        loaders = {s: experiment.loader(s, dataset, training=s == "train") for s, dataset in datasets.items()}
    steps = len(loaders["train"])
    schedulers, length = schedulers_of(config), length_of(config)
    if config.get("param_scheduler") is not None:
        check_ends(schedulers, epochs=length.epochs(steps), steps=steps)
    record, settings = lambda: card(record_of(experiment), model), lambda: settings_of_run(config, amp=amp)
    check_same_data({split: dataset.samples for split, dataset in datasets.items()})
    check_same_settings(compared(settings(), model.digests()))
    later_end = None
    with together():
        if checkpoint is not None:
            later_end = check_fits(checkpoint, model, record(), settings(), seed=config.seed, steps=steps)
        elif start is not None:
            start_from(model, start, record_of(experiment))
    if checkpoint is not None and (checkpoint.stopped_early or checkpoint.validated >= length.count):
        if is_main_process():
            early = f"stopped early after {checkpoint.validated} of {length.count} {length.unit}s"
            all_of_them = f"all {checkpoint.validated} {length.unit}s; a higher {length.key} goes on"
            print(f"{work_dir}: finished, {early if checkpoint.stopped_early else all_of_them}")
        return None
    runner_model = RunnerModel(
        model=model, task=experiment.task, marks_steps=experiment.compiled and place.type == "cuda", loss=loss
    )
    stopping = Stopping()
    scorer = partial(score_again, experiment, runner_model, between=stopping.check)
    metric = TaskMetric(task=experiment.task, samples=datasets["val"].samples, scorer=scorer)
    notes = [] if experiment.task.reading is None else experiment.task.reading.notes
    if is_main_process():
        _tell(model, {split: (len(data), len(data.missing)) for split, data in datasets.items()}, experiment)
        for note in notes:
            print(escaped(note.partition("\n")[0]))

    events = RunEvents(work_dir / "tensorboard", checkpoint)
    saving = CheckpointHook(metric=metric, record=record, settings=settings, command=command, before=events.flush)
    runner = RunRunner(
        checkpoint=checkpoint,
        stopping=stopping,
        device=place,
        shard=bool(config.model.get("shard")),
        model=runner_model,
        work_dir=str(work_dir),
        train_dataloader=loaders["train"],
        train_cfg=plain(config.train_cfg),
        optim_wrapper=optim_wrapper(config, model, place, amp=amp),
        param_scheduler=schedulers,
        val_dataloader=loaders["val"],
        val_cfg={},
        val_evaluator=[metric],
        default_hooks={  # in the place of MMEngine's own; it has others besides
            "logger": LoggerHook(interval=config.log_interval, log_metric_by_epoch=length.by_epoch, **logger),
            "checkpoint": saving,
        },
        custom_hooks=[
            SeedHook(seed=config.seed),
            FiniteHook(),
            StopHook(stopping=stopping),
            ProgressHook(metric=metric),
            PictureHook(experiment=experiment, dataset=datasets["val"], model=runner_model),
            ConfusionHook(task=experiment.task, metric=metric),
            WarmUpHook() if experiment.compiled else WatchHook(model=model, interval=config.log_interval),
            *([] if later_end is None else [later_end]),
            *hooks,
        ],
        launcher=launcher,
        randomness={"seed": config.seed},
        log_processor=RunLog(),
        visualizer=Visualizer(name=f"lstta {work_dir}", save_dir=str(work_dir), vis_backends=[events, *backends]),
        cfg=config,
        default_scope=None,
    )
    for note in notes:
        runner.logger.info(escaped(note, lines=True))
    if is_main_process():
        write_environment(work_dir, command=command, step=0 if checkpoint is None else checkpoint.meta["iter"])
    # A compiled graph would break at every operation that the mode of fast_linear watches.
    with fast_linear(enabled=place.type == "cpu" and not experiment.compiled), stopping:
        run_or_stop(runner, saving)
    return metric.report


def _tell(model: torch.nn.Module, sizes: dict[str, tuple[int, int]], experiment: Experiment) -> None:
    lost = "clips are not in the cache" if needs_clips(experiment.used) else "clips have no features"
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    print(f"trainable parameters: {trainable:,} of {total:,} ({trainable / total:.1%})")
    for split, (samples, missing) in sizes.items():
        print(f"{split}: {samples:,} samples" + (f"; {missing} {lost}" if missing else ""))

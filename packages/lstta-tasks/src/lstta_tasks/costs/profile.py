"""What a config's task costs: parameters, bytes on disk, MACs, time and memory. Needs neither clips nor a cache."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lstta_core.adapter_files import save_adapter, trained_tensors
from lstta_core.fast_linear import fast_linear
from lstta_core.interfaces import InputSpec, LanguageSpec, Modality
from lstta_core.profiling import MacCount, Macs, count_macs, count_parameters, measure, tensors_in
from lstta_core.quantized import BITS
from lstta_core.testing.inputs import synthetic_inputs
from lstta_tasks.costs.task_profile import TaskProfile
from lstta_tasks.device import device_of
from lstta_tasks.experiment.factories import arguments, factory_of
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import card, record_of
from lstta_tasks.experiment.runner import optim_wrapper
from lstta_tasks.network import TaskNetwork, TaskOutput

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.optim import OptimWrapper

Batch = dict[Modality, dict[str, Tensor]]


def profile(
    config: Config,
    *,
    device: str = "cpu",
    batch_size: int | None = None,
    text_length: int | None = None,
    repeats: int = 5,
) -> TaskProfile:
    """Count and measure.

    Every clip is whole and has all its modalities. The loss is the mean square of the network's output, for every
    task: it needs no annotations, and tasks' own losses cost next to nothing.

    Args:
        config: from :func:`~lstta_tasks.experiment.config.load_config`.
        device: to measure on.
        batch_size: of what is measured; the config's by default. MACs are of one sample.
        text_length: of every text in ids; by default the longest that the encoder reads.
        repeats: timed calls of each kind.

    Raises:
        FileNotFoundError: the task's head needs annotations that are not there; the message says what to give.
        ValueError: the device is not there, or an option is out of range.
        UncountedError: the MACs of some operator are not known.
    """
    place = device_of(device)
    experiment = Experiment(config)
    model = _model(experiment)
    plain = _plain(experiment)  # in 4 bits two weights are one number
    parameters, on_disk = count_parameters(plain.model), folder_bytes(experiment)
    macs = macs_of_a_sample(plain, text_length)

    model = model.to(place)
    batch_size = config.loader["batch_size"] if batch_size is None else batch_size
    batch = {
        m: {name: tensor.to(place) for name, tensor in tensors.items()}
        for m, tensors in _inputs(experiment, batch_size, text_length).items()
    }
    wrapper = optim_wrapper(config, model, place)

    target = torch.arange(batch_size, device=place)

    def forward() -> None:
        with torch.no_grad():
            model(batch)

    def step() -> None:
        wrapper.update_params(_loss(model(batch, target)))

    with fast_linear(enabled=place.type == "cpu" and not experiment.compiled):  # as in training
        model.eval()
        forward_pass = measure(forward, device=place, repeats=repeats)
        model.train()
        training_step = measure(step, device=place, repeats=repeats)
    return TaskProfile(
        config="/".join(Path(config.filename).with_suffix("").parts[-2:]),
        device=torch.cuda.get_device_name(place) if place.type == "cuda" else "cpu",
        inputs=_described(experiment, batch),
        parameters=parameters,
        folder_bytes=on_disk,
        macs=macs,
        resident_bytes=_bytes([*model.parameters(), *model.buffers(), *_state(wrapper), *_flat(batch)]),
        forward=forward_pass,
        step=training_step,
    )


def _model(experiment: Experiment) -> TaskNetwork:
    try:
        return experiment.model
    except FileNotFoundError as error:
        factory = factory_of("task", "task", experiment.config.task)
        options = " or ".join(f"task.{name}=…" for name in arguments(factory)[0] if name != "root")
        raise FileNotFoundError(
            f"{error}. The size of the head is read from annotations: give them, or --cfg-options {options}"
        ) from error


def _plain(experiment: Experiment) -> Experiment:
    """The same without ``torch.compile`` and without weights in 8 or 4 bits, whose code cannot be traced."""
    in_few_bits = experiment.config.model.get("frozen_dtype") in BITS
    if not experiment.compiled and not in_few_bits:
        return experiment
    config = copy.deepcopy(experiment.config)
    config.model.pop("compile", None)
    if in_few_bits:
        del config.model["frozen_dtype"]
    return Experiment(config)


def folder_bytes(experiment: Experiment) -> int:
    """The bytes of the adapter folder, written and measured."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "adapter"
        model = experiment.model
        save_adapter(folder, trained_tensors(model, model.frozen()), card(record_of(experiment), model))
        return sum(path.stat().st_size for path in folder.iterdir())


def macs_of_a_sample(experiment: Experiment, text_length: int | None) -> MacCount:
    """The MACs of one whole clip with all its modalities.

    Where towers are compared with each other a sample needs another one: two are counted, and each is half.
    """
    model = experiment.model
    samples = 1 if len(model.lockstep_models()) == 1 else 2
    inputs, target = _inputs(experiment, samples, text_length), torch.arange(samples)
    counted = count_macs(model, inputs, loss=_loss, call=lambda inputs: model(inputs, target))
    parts = {part: Macs(m.forward // samples, m.backward // samples) for part, m in counted.parts.items()}
    return MacCount(parts, counted.uncounted)


def _inputs(experiment: Experiment, batch: int, text_length: int | None) -> Batch:
    clips = experiment.preprocessing
    rows = clips.segments if experiment.task.timed_text else 1
    return {
        m: synthetic_inputs(
            encoder.spec,
            batch=batch,
            segments=rows if m is Modality.LANGUAGE else clips.segments,
            text_segments=rows,
            ragged=False,
            sound_seconds=clips.sound_seconds,
            text_length=_longest(encoder.spec) if text_length is None else text_length,
        )
        for m, encoder in experiment.model.by_modality().items()
    }


def _longest(spec: InputSpec) -> int | None:
    return spec.max_length if isinstance(spec, LanguageSpec) else None


def _described(experiment: Experiment, batch: Batch) -> dict[str, float]:
    described: dict[str, float] = {"segments": experiment.preprocessing.segments}
    for m, tensors in batch.items():
        if "features" in tensors:
            _, described[f"{m} rows a clip"], described[f"{m} features a row"], _ = tensors["features"].shape
        elif m is Modality.VISUAL:
            _, _, described["frames a segment"], described["frame height"], described["frame width"], _ = tensors[
                "frames"
            ].shape
        elif m is Modality.AUDIO:
            described["seconds of sound a segment"] = experiment.preprocessing.sound_seconds
        else:
            _, described["texts a clip"], described["ids a text"] = tensors["ids"].shape
    return {"batch": len(next(iter(batch.values()))["present"]), **described}


def _loss(output: TaskOutput) -> Tensor:
    real = [tensor for tensor in tensors_in(output.output) if tensor.is_floating_point()]
    return torch.stack([tensor.float().square().mean() for tensor in real]).sum()


def _state(wrapper: OptimWrapper) -> Iterator[Tensor]:
    for values in wrapper.optimizer.state.values():
        yield from (value for value in values.values() if isinstance(value, Tensor))


def _flat(batch: Batch) -> list[Tensor]:
    return [tensor for tensors in batch.values() for tensor in tensors.values()]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

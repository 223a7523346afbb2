"""A trained adapter folder is enough by itself: ``load(folder).predict(video, text)`` needs no config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from lstta_core.adapter_files import (
    RECORD,
    AdapterFile,
    AdapterFileError,
    check_digests,
    load_tensors,
    read_adapter,
    trained_tensors,
)
from lstta_core.input_digest import input_digest
from lstta_core.interfaces import Encoder, Inputs, Modality
from lstta_core.plugins import Kind, installed_plugins
from lstta_tasks.data.batch import Collate
from lstta_tasks.data.clip import Clip, ClipSource, Preprocessing
from lstta_tasks.data.preprocessing import preprocessing_from
from lstta_tasks.finite import check_finite
from lstta_tasks.needs import needed, registered_name
from lstta_tasks.network import TaskNetwork, build_model
from lstta_tasks.task import Sample, Task, TimedText

HEAD = "head."
"""Prefix of the names of a task's last layer in networks of one tower."""


def read(folder: str | Path) -> AdapterFile:
    """Read an adapter folder that this package wrote.

    Raises:
        FileNotFoundError: the folder or a file of it is not there.
        AdapterFileError: it is damaged, or its record lacks something.
    """
    file = read_adapter(Path(folder))
    missing = [key for key in ("encoders", "method", "model", "task", "preprocessing") if key not in file.record]
    if missing:
        raise AdapterFileError(f"{file.folder / RECORD}: {', '.join(missing)} missing: lstta-tasks did not write it")
    return file


def load_into(model: TaskNetwork, file: AdapterFile) -> None:
    """Load an adapter into a model.

    Raises:
        AdapterFileError: it was trained on other encoders or another tokenizer, or its tensors are not this model's.
    """
    digests = {str(m): digest for m, digest in model.digests().items()}
    check_digests(file, digests, {m: type(encoder).__name__ for m, encoder in model.by_modality().items()})
    _check_inputs(model, file)
    load_tensors(model, file, model.frozen())


def _check_inputs(model: TaskNetwork, file: AdapterFile) -> None:
    """Refuse an encoder whose input is made otherwise than in training. Folders of before 0.2 say nothing of that."""
    if "inputs" not in file.record:
        return
    inputs = file.record["inputs"]
    for m, encoder in model.by_modality().items():
        here, there = input_digest(encoder.spec), inputs.get(m) if isinstance(inputs, Mapping) else None
        if here == there:
            continue
        what = "tokenizer or longest text" if m is Modality.LANGUAGE else "size or rate of its input"
        distribution, version = needed(file.record, f"encoders.{m}")
        whose = f" of {distribution} {version}" if distribution else ""
        raise AdapterFileError(
            f"{file.folder / RECORD}: the {m} encoder {file.record['encoders'][m]['name']!r}{whose} made its input in "
            f"another way (digest {str(there)[:12]}…) than the one at hand ({here[:12]}…): another {what}. "
            "Use the version that the adapter was trained with, or train anew"
        )


def start_from(model: TaskNetwork, folder: Path) -> None:
    """Give a fresh network what another task has trained: adapters and readout. Its head stays as it is.

    Raises:
        FileNotFoundError: the folder or a file of it is not there.
        AdapterFileError: it was trained on other encoders, or with another method or other sizes.
    """
    file = read(folder)
    kept = {name: tensor for name, tensor in file.tensors.items() if not name.startswith(HEAD)}
    own = {name: tensor for name, tensor in trained_tensors(model, model.frozen()).items() if name.startswith(HEAD)}
    load_into(model, replace(file, tensors=kept | own))


class Predictor:
    """A trained model, ready for a video of one's own.

    Args:
        model: with the adapter loaded.
        task: as it was trained.
        preprocessing: as it was trained with.
    """

    def __init__(self, *, model: TaskNetwork, task: Task, preprocessing: Preprocessing) -> None:
        self.model = model.eval()
        self.task = task
        self.preprocessing = preprocessing
        specs = {m: encoder.spec for m, encoder in model.by_modality().items()}
        self.collate = Collate(specs, timed_text=task.timed_text)

    def predict(self, video: str | Path, text: str | None = None, timed: Sequence[TimedText] = ()) -> dict[str, Any]:
        """What the task predicts for one video and text.

        Args:
            video: a media file.
            text: the question, statement, …, as the task has it.
            timed: subtitles, for tasks that read them.

        Raises:
            DecodeError: the video cannot be read.
            NotFiniteError: as :meth:`answer`.
        """
        from lstta_tasks.data.decode import decode_clip

        source = ClipSource(id=str(video), video=Path(video))
        clip = decode_clip(source, self.preprocessing)
        sample = Sample(id=source.id, source=source, text=text, target=0, timed=tuple(timed))
        return self.answer([(sample, clip)])[0]

    def answer(self, items: Sequence[tuple[Sample, Clip]]) -> list[dict[str, Any]]:
        """What the task predicts for each sample with its decoded clip, such as a cache holds: one batch.

        Raises:
            NotFiniteError: an answer has a number that is NaN or infinite.
        """
        with torch.no_grad():
            output = self.model(self.inputs(items)).output
            check_finite(output, f"{', '.join(sample.id for sample, _ in items)}: what the model answers")
            return self.task.answer.predict(output)

    def inputs(self, items: Sequence[tuple[Sample, Clip]]) -> Inputs:
        """What the model reads of samples and their clips, by modality, on the model's device."""
        return on_device(self.collate(items)["inputs"], self.device)

    def to(self, device: torch.device | str) -> Predictor:
        """Move the model; what it is asked follows. Returns itself."""
        self.model.to(device)
        return self

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device


def load(folder: str | Path, encoders: Mapping[Modality, Encoder] | None = None) -> Predictor:
    """Build the model of an adapter folder.

    Args:
        folder: with ``adapter.safetensors`` and ``adapter.json``.
        encoders: by modality; by default those that the folder names, from their plugins.

    Raises:
        AdapterFileError: the folder is damaged, or the encoders at hand are not those it was trained on.
        UnknownNameError: no plugin registers an encoder, the method or the task that it names.
    """
    file = read(folder)
    if encoders is None:
        encoders = {Modality(m): _encoder(file, m, settings) for m, settings in file.record["encoders"].items()}
    names: dict[Kind, str] = {
        kind: registered_name(file.record, kind, kind, file.record[kind]["name"]) for kind in ("task", "method")
    }
    task = installed_plugins().create("task", **{**file.record["task"], "name": names["task"]})
    method = {**file.record["method"], "name": names["method"]}
    model, _ = build_model(encoders=encoders, method=method, task=task, **file.record["model"])
    load_into(model, file)
    return Predictor(model=model, task=task, preprocessing=preprocessing_from(file.record["preprocessing"]))


def _encoder(file: AdapterFile, modality: str, settings: Mapping[str, Any]) -> Encoder:
    """Only plugins are asked: a record must not be able to name any code to run."""
    if ":" in settings["name"]:
        raise AdapterFileError(
            f"{file.folder / RECORD}: the {modality} encoder is {settings['name']}, which is no plugin's: "
            "build the encoders and hand them over, load(folder, encoders={...})"
        )
    options = {key: value for key, value in settings.items() if key not in ("digest", "base")}
    options["name"] = registered_name(file.record, "encoder", f"encoders.{modality}", settings["name"])
    encoder = installed_plugins().create("encoder", **options)
    assert isinstance(encoder, Encoder)
    return encoder


def on_device(inputs: Inputs, device: torch.device) -> Inputs:
    """A batch's ``inputs`` on a device; the same tensors where they are there already."""
    return {m: {name: tensor.to(device) for name, tensor in tensors.items()} for m, tensors in inputs.items()}

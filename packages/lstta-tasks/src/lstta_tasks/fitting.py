"""Whether an adapter's file holds the tensors of the model that its record describes, before anything is allocated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import torch

from lstta_core.adapter_files import RECORD, TENSORS, AdapterFile, AdapterFileError, check_digests, check_tensors
from lstta_core.adapter_set import encoder_digest
from lstta_core.budget import without_weights
from lstta_core.interfaces import AudioSpec, Encoder, Modality, VisualSpec
from lstta_core.stored_tensors import kinds_of
from lstta_tasks.data.clip import Preprocessing
from lstta_tasks.network import build_model
from lstta_tasks.task import Task


def check_fits(file: AdapterFile, encoders: Mapping[Modality, Encoder], method: Mapping[str, Any], task: Task) -> None:
    """Refuse a record that describes another model than its tensors are of, at no cost whatever widths it claims.

    The model is built on the meta device. A method or head that cannot be built there is not compared; its options'
    whole numbers are then no larger than the file.

    Args:
        file: whose record and tensors.
        encoders: at hand, by modality.
        method: as ``build_model`` takes it.
        task: of the record.

    Raises:
        AdapterFileError: they do not fit.
    """
    try:
        bare = {m: without_weights(encoder) for m, encoder in encoders.items()}
        with torch.device("meta"):
            model, _ = build_model(encoders=bare, method=method, task=task, **file.record["model"])
    except RuntimeError:
        _check_numbers(file)
        return
    try:
        check_tensors(model, file, model.frozen())
    except AdapterFileError:  # the reason may be other encoders
        used = {m: encoders[m] for m in model.by_modality()}
        digests = {str(m): encoder_digest(encoder) for m, encoder in used.items()}
        check_digests(file, digests, {m: type(encoder).__name__ for m, encoder in used.items()})
        raise


def check_preprocessing(file: AdapterFile, preprocessing: Preprocessing, encoders: Mapping[Modality, Encoder]) -> None:
    """Refuse clips that are not what the encoders read.

    Raises:
        AdapterFileError: they differ.
    """
    visual, audio = (encoders[m].spec if m in encoders else None for m in (Modality.VISUAL, Modality.AUDIO))
    wanted: dict[str, Any] = {}
    if isinstance(visual, VisualSpec):
        wanted |= {"frame_size": tuple(visual.size), "frames_per_segment": visual.frames_per_segment}
    if isinstance(audio, AudioSpec):
        wanted |= {"sample_rate": audio.sample_rate}
    for name, value in wanted.items():
        if getattr(preprocessing, name) != value:
            raise AdapterFileError(
                f"{file.folder / RECORD}: preprocessing.{name}: the encoder reads {value}, got "
                f"{getattr(preprocessing, name)}: use the encoder that the adapter was trained with, or train anew"
            )


def _check_numbers(file: AdapterFile) -> None:
    most = max(1 << 16, sum(prod(kind.shape) for kind in kinds_of(file.tensors).values()))
    for key in ("method", "model", "task"):
        for place, number in _numbers(file.record[key], key):
            if abs(number) > most:
                raise AdapterFileError(
                    f"{file.folder / RECORD}: {place}: {number:,} is more than {TENSORS} has numbers for ({most:,})"
                )


def _numbers(value: Any, key: str) -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, f"{key}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _numbers(inner, f"{key}.{number}")
    elif isinstance(value, int):
        yield key, value

"""A trained adapter folder is enough by itself: ``load(folder).predict(video, text)`` needs no config."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from lstta_core.adapter_files import (
    RECORD,
    AdapterFile,
    AdapterFileError,
    check_digests,
    load_tensors,
    read_adapter,
)
from lstta_core.checked import RecordError
from lstta_core.input_digest import input_digest
from lstta_core.interfaces import Encoder, Inputs, Modality
from lstta_core.plugins import Kind, PluginError, UnknownNameError, installed_plugins
from lstta_tasks.adapter_record import check_part, check_record, differing, options_of
from lstta_tasks.data.batch import Collate
from lstta_tasks.data.clip import Clip, ClipSource, Preprocessing
from lstta_tasks.data.features import asked_clip, feature_specs, needs_clips
from lstta_tasks.data.preprocessing import preprocessing_from
from lstta_tasks.data.senses import lacking
from lstta_tasks.device import device_of
from lstta_tasks.escaped import escaped
from lstta_tasks.finite import check_finite
from lstta_tasks.fitting import check_fits, check_preprocessing
from lstta_tasks.hub.fetch import adapter_folder
from lstta_tasks.moved import moved_to
from lstta_tasks.needs import needed, registered_name
from lstta_tasks.network import TaskNetwork, build_model
from lstta_tasks.task import Sample, Task, TimedText

if TYPE_CHECKING:
    from lstta_tasks.predicting import Asked

logger = logging.getLogger(__name__)

HEAD = "head."
"""Prefix of the names of a task's last layer in networks of one tower."""


def read(folder: str | Path, revision: str | None = None) -> AdapterFile:
    """Read an adapter folder that this package wrote.

    Args:
        folder: of it, or its name on the hub, see :func:`~lstta_tasks.hub.fetch.adapter_folder`.
        revision: of what is on the hub.

    Raises:
        FileNotFoundError: the folder or a file of it is not there.
        AdapterFileError: it is damaged, or its record lacks something or says what no record may.
    """
    file = read_adapter(adapter_folder(folder, revision))
    with describing(file):
        check_record(file.record, file.folder / RECORD)
        preprocessing_from(file.record["preprocessing"])
    return file


@contextmanager
def describing(file: AdapterFile) -> Iterator[None]:
    """Turn what goes wrong where a record is made into parts into an AdapterFileError that names it."""
    try:
        yield
    except (AdapterFileError, PluginError):
        raise
    except RecordError as error:
        raise AdapterFileError(str(error)) from error
    except UnknownNameError as error:
        raise UnknownNameError(f"{file.folder / RECORD}: {error}") from error
    except (ValueError, TypeError, ArithmeticError, RuntimeError, AttributeError, MemoryError) as error:
        said = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise AdapterFileError(f"{file.folder / RECORD}: it describes what cannot be made: {said}") from error


def load_into(model: TaskNetwork, file: AdapterFile, *, but: str | None = None) -> None:
    """Load an adapter into a model; what begins with ``but`` stays as it is.

    Raises:
        AdapterFileError: it was trained on other encoders or another tokenizer, or its tensors are not this model's.
    """
    digests = {str(m): digest for m, digest in model.digests().items()}
    check_digests(file, digests, {m: type(encoder).__name__ for m, encoder in model.by_modality().items()})
    _check_inputs(model, file)
    load_tensors(model, file, model.frozen(), but=but)


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


def start_from(model: TaskNetwork, folder: Path, described: Mapping[str, Any]) -> None:
    """Give a fresh network what another task has trained: adapters and readout. Its head stays as it is.

    What the adapter was trained with otherwise, and its tensors do not show, such as a scale, is told as a warning.

    Args:
        model: the network.
        folder: of the adapter.
        described: the network's method and model, as :func:`~lstta_tasks.experiment.record.record_of` has them.

    Raises:
        FileNotFoundError: the folder or a file of it is not there.
        AdapterFileError: it was trained on other encoders, or with another method or other sizes.
    """
    file = read(folder)
    load_into(model, file, but=HEAD)
    for place, there, here in differing(file.record, described):
        where = escaped(f"{file.folder / RECORD}: {place}")
        logger.warning(
            "%s: trained with %r, this training has %r, and begins with its weights all the same", where, there, here
        )


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
        self.specs = {m: encoder.spec for m, encoder in model.by_modality().items()}
        self.collate = Collate(self.specs, timed_text=task.timed_text)

    def predict(self, video: str | Path, text: str | None = None, timed: Sequence[TimedText] = ()) -> dict[str, Any]:
        """What the task predicts for one video and text.

        Args:
            video: a media file; of a longer one than the task's clips are, its beginning, see ``Task.clip_seconds``.
            text: the question, statement, …, as the task has it.
            timed: subtitles, for tasks that read them.

        Raises:
            DecodeError: the video cannot be read.
            NotFiniteError: as :meth:`answer`.
        """
        source = self.task.clip_of(str(video), Path(video))
        sample = Sample(id=source.id, source=source, text=text, target=0, timed=tuple(timed))
        return self.answer([self.item(sample, self.decode(source))])[0]

    def predict_many(
        self,
        asked: Iterable[Asked],
        *,
        batch_size: int = 8,
        workers: int = 2,
        errors: Literal["raise", "return"] = "raise",
    ) -> Iterator[dict[str, Any] | Exception]:
        """What the task predicts for many, one after the other; see :func:`lstta_tasks.predicting.predict_many`."""
        from lstta_tasks.predicting import predict_many

        return predict_many(self, asked, batch_size=batch_size, workers=workers, errors=errors)

    def decode(self, source: ClipSource) -> Clip | None:
        """What the model needs of a file; None where its encoders read features, and no file.

        Raises:
            DecodeError: it cannot be read.
        """
        if not needs_clips(self.specs):
            return None
        from lstta_tasks.data.decode import decode_clip

        return decode_clip(source, self.preprocessing)

    def item(self, sample: Sample, clip: Clip | None) -> tuple[Sample, Clip]:
        """A sample with what :meth:`decode` gave, and with features of its clip where encoders read those.

        Where an answer in words is wanted and nothing is asked, the task's own question is.

        Raises:
            FeatureError: no file has features of it.
            DecodeError: there is nothing in it that the model could see or hear.
        """
        if sample.text is None and self.task.answer.words:
            sample = replace(sample, text=self.task.question("").text)
        if features := feature_specs(self.specs):
            clip = asked_clip(features, sample, clip, self.preprocessing.segments)
        assert clip is not None
        lacking(clip, self.specs, sample.source.id)
        return sample, clip

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


def load(
    folder: str | Path,
    encoders: Mapping[Modality, Encoder] | None = None,
    *,
    moved: Mapping[str, str] | None = None,
    revision: str | None = None,
    device: str | torch.device | None = None,
) -> Predictor:
    """Build the model of an adapter folder, ``load("USER/NAME", revision="…")`` of one on the Hugging Face hub.

    Args:
        folder: with ``adapter.safetensors`` and ``adapter.json``; or its name on the hub, unless a folder has it.
        encoders: by modality; by default those that the folder names, from their plugins.
        moved: by modality, where encoders' weights or features lie now, see :func:`lstta_tasks.moved.moved_to`.
        revision: of what is on the hub: a commit, a tag or a branch; by default its main branch as it is now.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; by default a GPU where there is one.

    Raises:
        ValueError: there is no such device.
        AdapterFileError: the folder is damaged, or the encoders at hand are not those it was trained on.
        UnknownNameError: no plugin registers an encoder, the method or the task that it names.
    """
    place = device_of(device)
    file = read(folder, revision)
    with describing(file):
        names: dict[Kind, str] = {
            kind: registered_name(file.record, kind, kind, file.record[kind]["name"]) for kind in ("task", "method")
        }
        for kind, name in names.items():
            check_part(kind, name, file.record[kind], file.folder / RECORD, kind)
        task = installed_plugins().create("task", **{**file.record["task"], "name": names["task"]})
        check_task(file, task)
        if encoders is None:
            named = moved_to(file.record["encoders"], moved or {}, file.folder / RECORD)
            encoders = {Modality(m): _encoder(file, m, settings) for m, settings in named.items()}
        preprocessing = preprocessing_from(file.record["preprocessing"])
        check_preprocessing(file, preprocessing, encoders)
        method = {**file.record["method"], "name": names["method"]}
        check_fits(file, encoders, method, task)
        model, _ = build_model(encoders=encoders, method=method, task=task, **file.record["model"])
        load_into(model, file)
    return Predictor(model=model, task=task, preprocessing=preprocessing).to(place)


def check_task(file: AdapterFile, task: Task) -> None:
    """Refuse options of a task that are not what a record keeps of it, such as where its files are.

    Raises:
        AdapterFileError: there are such.
    """
    if others := sorted(options_of(file.record["task"], "task").keys() - task.options().keys()):
        raise AdapterFileError(f"{file.folder / RECORD}: task.{others[0]}: not for a record; nothing reads it there")


def _encoder(file: AdapterFile, modality: str, settings: Mapping[str, Any]) -> Encoder:
    """Only plugins are asked: a record must not be able to name any code to run."""
    place, key = file.folder / RECORD, f"encoders.{modality}"
    if ":" in settings["name"]:
        raise AdapterFileError(
            f"{place}: the {modality} encoder is {settings['name']}, which is no plugin's: "
            "build the encoders and hand them over, load(folder, encoders={...})"
        )
    name = registered_name(file.record, "encoder", key, settings["name"])
    check_part("encoder", name, settings, place, key)
    encoder = installed_plugins().create("encoder", name, **options_of(settings, "encoder"))
    if not isinstance(encoder, Encoder) or encoder.modality != modality:
        raise AdapterFileError(f"{place}: {key}: {name!r} is no {modality} encoder")
    return encoder


def on_device(inputs: Inputs, device: torch.device) -> Inputs:
    """A batch's ``inputs`` on a device; the same tensors where they are there already."""
    return {m: {name: tensor.to(device) for name, tensor in tensors.items()} for m, tensors in inputs.items()}

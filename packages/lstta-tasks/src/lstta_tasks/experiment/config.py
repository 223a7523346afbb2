"""Reading a config and the options that override it. A misspelt key is an error that names the nearest one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop

from lstta_core.plugins import Kind
from lstta_core.readout import Readout
from lstta_tasks.data.preprocessing import Preprocessing
from lstta_tasks.experiment.factories import Factory, arguments, callable_of, factory_of, nearest
from lstta_tasks.network import build_model

SECTIONS: dict[str, type] = {
    "task": dict,  # name of a task, and its arguments
    "encoders": dict,  # by modality: name of an encoder, and its arguments
    "method": dict,  # name of a method, and its arguments; or budget, a number of parameters, instead of the width
    "model": dict,  # arguments of lstta_tasks.network.build_model
    "clips": dict,  # arguments of lstta_tasks.data.preprocessing.Preprocessing that encoders do not decide; the cache
    "loader": dict,  # batch_size, workers
    "optim_wrapper": dict,  # MMEngine's, with the optimizer's class
    "param_scheduler": list,  # MMEngine's
    "train_cfg": dict,  # max_epochs, val_interval
    "seed": int,
    "log_interval": int,  # training steps between two lines of the log
}


@dataclass(frozen=True)
class Reader:
    """What reads a section that names no plugin and no type.

    Attributes:
        factory: its arguments are keys of the section.
        given: those of its arguments that do not come from the config.
        optional: those that need not come from it.
        keys: other keys, all of them needed.
        extra: other keys that may be left out.
    """

    factory: Factory | None = None
    given: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def known(self) -> dict[str, bool]:
        """The keys that the section may have, and whether it must."""
        taken = {} if self.factory is None else arguments(self.factory)[0]
        known = {key: needed and key not in self.optional for key, needed in taken.items() if key not in self.given}
        return known | dict.fromkeys(self.keys, True) | dict.fromkeys(self.extra, False)


READERS = {
    "model": Reader(build_model, given=("encoders", "method", "task")),
    "model.readout": Reader(Readout, given=("widths",)),
    "clips": Reader(Preprocessing, optional=("frame_size", "sample_rate"), keys=("cache", "codec"), extra=("prefix",)),
    "loader": Reader(keys=("batch_size", "workers")),
    "optim_wrapper": Reader(OptimWrapper),
    "train_cfg": Reader(EpochBasedTrainLoop, given=("runner", "dataloader")),
}


def load_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config and apply ``--cfg-options``.

    Args:
        path: of a pure-Python config.
        options: dotted keys and values, applied one after the other.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is not a config, lacks a section, or has or is given a key that nothing reads.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such config; shipped ones are in configs/")
    config = _read(path)
    for key, value in (options or {}).items():
        _check_option(config, key)
        try:
            config.merge_from_dict({key: value})
        except (TypeError, KeyError) as error:
            raise ValueError(f"--cfg-options {key}: {error}") from error
    _check_sections(path, config)
    return config


def _read(path: Path) -> Config:
    if path.suffix != ".py":
        raise ValueError(f"{path}: not a config: configs are Python files")
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)  # mmengine warns about every name that it imports lazily
    try:
        config = Config.fromfile(str(path))
        # What a config imports stands among its values, and is imported when it is looked at.
        strange = [key for key in config if key not in SECTIONS and _is_setting(key, config[key])]
    except Exception as error:  # a config is a program: it may raise anything
        raise ValueError(f"{path}: not a config: {type(error).__name__}: {error}") from error
    finally:
        logging.disable(level)
    if strange:
        raise ValueError(f"{path}: nothing reads {strange[0]!r}{nearest(strange[0], SECTIONS)}")
    return config


def _is_setting(key: str, value: Any) -> bool:
    return not (key.startswith("_") or callable(value) or isinstance(value, ModuleType))


def _check_sections(path: Path, config: Config) -> None:
    missing = [section for section in SECTIONS if section not in config]
    if missing:
        raise ValueError(f"{path}: the config lacks {', '.join(missing)}; configs/base has defaults for read_base()")
    for section, kind in SECTIONS.items():
        if not isinstance(config[section], kind) or isinstance(config[section], bool):
            raise ValueError(f"{section}: a value of type {kind.__name__} is wanted, got {config[section]!r}")
    if config.seed < 0 or config.log_interval < 1:
        raise ValueError(
            f"seed must be at least 0, log_interval at least 1; got seed={config.seed}, "
            f"log_interval={config.log_interval}"
        )
    for section, reader in READERS.items():
        if (settings := _at(config, section)) is not None:
            _check_keys(section, settings, reader.known())
    for key in ("cache", "prefix"):
        if not isinstance(path := config.clips.get(key, ""), str):
            raise ValueError(f"clips.{key}: the path of a folder is wanted, got {path!r}")
    typed = {f"param_scheduler.{index}": settings for index, settings in enumerate(config.param_scheduler)}
    for section, settings in {**typed, "optim_wrapper.optimizer": config.optim_wrapper.optimizer}.items():
        if not isinstance(settings, Mapping) or "type" not in settings:
            raise ValueError(f"{section}: a dict with type=, the class itself, is wanted, got {settings!r}")
    for section, settings in typed.items():
        _check_keys(section, settings, _of_scheduler(callable_of(section, settings["type"])))


def _check_keys(section: str, settings: Any, known: Mapping[str, bool]) -> None:
    if not isinstance(settings, Mapping):
        raise ValueError(f"{section}: a dict is wanted, got {settings!r}")
    for key in settings:
        if key not in known:
            raise ValueError(f"{section}.{key}: nothing reads it{nearest(key, known)}")
    for key, needed in known.items():
        if needed and key not in settings:
            raise ValueError(f"{section}.{key}: it is missing")


def _at(config: Config, section: str) -> Any:
    """What stands there; None where nothing does."""
    place: Any = config
    for part in section.split("."):
        place = place.get(part) if isinstance(place, Mapping | Config) else None
    return place


def _check_option(config: Config, key: str) -> None:
    """Refuse a dotted key that is neither in the config nor an argument of what its section names."""
    *parents, last = key.split(".")
    place: Any = {section: config[section] for section in SECTIONS if section in config}
    for depth, part in enumerate(parents):
        place = _step(place, part, ".".join(parents[: depth + 1]))
    if isinstance(place, list):
        _step(place, last, key)
        return
    known = dict.fromkeys([*place, *_more_keys(parents, place)]) if isinstance(place, Mapping) else {}
    if last not in known:
        raise ValueError(f"--cfg-options {key}: no such key{nearest(last, known)}")


def _step(place: Any, part: str, path: str) -> Any:
    if isinstance(place, list):
        if part.isdigit() and int(part) < len(place):
            return place[int(part)]
        raise ValueError(f"--cfg-options {path}: a list of {len(place)} entries has no entry {part!r}")
    if isinstance(place, Mapping) and part in place:
        return place[part]
    if path in READERS:
        return {}
    raise ValueError(f"--cfg-options {path}: no such key{nearest(part, place if isinstance(place, Mapping) else ())}")


def _more_keys(parents: list[str], place: Mapping[str, Any]) -> Iterable[str]:
    """The keys that this part of a config may have besides those that it has."""
    section = ".".join(parents)
    kinds: dict[str, Kind] = {"task": "task", "encoders": "encoder", "method": "method"}
    if not parents:
        return SECTIONS
    if section in READERS:
        return READERS[section].known()
    if parents[0] == "param_scheduler" and "type" in place:
        return _of_scheduler(callable_of(section, place["type"]))
    if not {"name", "type"} & set(place):
        return ()
    kind = kinds.get(parents[0])
    factory = callable_of(section, place["type"]) if kind is None else factory_of(kind, section, place)
    return [*arguments(factory)[0], *(["budget"] if section == "method" else [])]


def _of_scheduler(factory: Factory) -> dict[str, bool]:
    """The keys of one of MMEngine's schedulers; the runner gives the first two and takes the last."""
    known = {name: needed for name, needed in arguments(factory)[0].items() if name not in ("optimizer", "param_name")}
    return {"type": True, **known, "convert_to_iter_based": False}

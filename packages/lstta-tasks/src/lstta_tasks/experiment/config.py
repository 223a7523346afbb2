"""Reading a config and the options that override it. A misspelt key is an error that names the nearest one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop

from lstta_core.plugins import Kind
from lstta_core.readout import Readout
from lstta_tasks.data.clip import Preprocessing
from lstta_tasks.experiment.factories import Factory, arguments, callable_of, factory_of, nearest, plain
from lstta_tasks.experiment.schedule import course, schedulers_of
from lstta_tasks.network import build_model
from lstta_tasks.shipped import find_shipped

SECTIONS: dict[str, type] = {
    "task": dict,  # name of a task, and its arguments
    "encoders": dict,  # by modality: name of an encoder, and its arguments
    "method": dict,  # name of a method, and its arguments; or budget, a number of parameters, instead of the width
    "model": dict,  # arguments of lstta_tasks.network.build_model
    "clips": dict,  # arguments of lstta_tasks.data.clip.Preprocessing that encoders do not decide; the cache
    "loader": dict,  # batch_size, workers
    "optim_wrapper": dict,  # MMEngine's, with the optimizer's class
    "schedule": dict,  # arguments of lstta_tasks.experiment.schedule.course; or instead
    "param_scheduler": list,  # MMEngine's
    "train_cfg": dict,  # max_epochs, val_interval
    "seed": int,
    "log_interval": int,  # training steps between two lines of the log
}


COURSES = ("schedule", "param_scheduler")
"""The sections of which a config has one."""
RENAMED = {"clips.features": "clips.prefix"}
"""Keys that have another name now; the old ones still work."""


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
    "schedule": Reader(course, given=("epochs",)),
    "train_cfg": Reader(EpochBasedTrainLoop, given=("runner", "dataloader")),
}


def load_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config and apply ``--cfg-options``.

    Args:
        path: of a pure-Python config, or the name of a shipped one, such as ``avqa/tiny_lstta``.
        options: dotted keys and values, applied one after the other.

    Raises:
        FileNotFoundError: no such file, and no shipped config of this name.
        ValueError: it is not a config, lacks a section, or has or is given a key that nothing reads.
    """
    path = find_shipped("config", path)
    config = _read(path)
    options = {_renamed(key): value for key, value in (options or {}).items()}
    for key, value in options.items():
        _check_option(config, key)
        try:
            config.merge_from_dict({key: value})
        except (TypeError, KeyError) as error:
            raise ValueError(f"--cfg-options {key}: {error}") from error
    _check_sections(path, config)
    return config


def settings_of(config: Config, *, into_lists: bool = True) -> dict[str, Any]:
    """A config's values by dotted key, as JSON can say them: with the schedulers that its schedule stands for, and
    callables by their addresses.

    Args:
        config: whose.
        into_lists: whether the entries of a list of dicts have keys of their own, as in ``param_scheduler.0.end``.
    """
    sections = {**plain(dict(config.items())), "param_scheduler": schedulers_of(config)}
    whole = {key: sections[key] for key in SECTIONS if key in sections and key != "schedule"}
    return {key: _said(value, key) for key, value in _flat(whole, into_lists)}


def as_python(config: Config) -> str:
    """The config with all that it builds on and is given, as a file that :func:`load_config` reads."""
    return str(config.pretty_text).strip()


def _read(path: Path) -> Config:
    if path.suffix != ".py":
        raise ValueError(f"{path}: not a config: configs are Python files")
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)  # mmengine warns about every name that it imports lazily
    try:
        # For absolute imports under read_base() mmengine asks pkg_resources, which setuptools has no more.
        with mock.patch("mmengine.config.config.get_installed_path", _folder_of):
            config = Config.fromfile(str(path))
        # What a config imports stands among its values, and is imported when it is looked at.
        strange = [key for key in config if key not in SECTIONS and _is_setting(key, config[key])]
    except Exception as error:  # a config is a program: it may raise anything
        raise ValueError(f"{path}: not a config: {type(error).__name__}: {error}") from error
    finally:
        logging.disable(level)
    if strange:
        raise ValueError(f"{path}: nothing reads {strange[0]!r}{nearest(strange[0], SECTIONS)}")
    for old in RENAMED:
        section, key = old.split(".")
        if isinstance(settings := config.get(section), dict) and key in settings:
            settings[_renamed(old).removeprefix(f"{section}.")] = settings.pop(key)
    return config


def _folder_of(package: str) -> str:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"with read_base(): there is no package {package!r}")
    return next(iter(spec.submodule_search_locations))


def _renamed(key: str) -> str:
    """The name of a key now; whoever uses an old one is told."""
    if key not in RENAMED:
        return key
    print(f"{key} is called {RENAMED[key]} now", file=sys.stderr)
    return RENAMED[key]


def _is_setting(key: str, value: Any) -> bool:
    return not (key.startswith("_") or callable(value) or isinstance(value, ModuleType))


def _check_sections(path: Path, config: Config) -> None:
    courses = [section for section in COURSES if config.get(section) is not None]
    if len(courses) > 1:
        raise ValueError(
            f"{path}: the course of the learning rate is said twice, in schedule={plain(config.schedule)} and in "
            f"param_scheduler of {len(config.param_scheduler)} entries: set one of the two to None"
        )
    missing = [section for section in SECTIONS if section not in config and section not in COURSES]
    missing += [] if courses else [" or ".join(COURSES)]
    if missing:
        raise ValueError(
            f"{path}: the config lacks {', '.join(missing)}; shipped ones have defaults to build on, as in "
            "docs/configs.md"
        )
    for section, kind in SECTIONS.items():
        if section in COURSES and section not in courses:
            continue
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
    typed = {f"param_scheduler.{index}": settings for index, settings in enumerate(config.get("param_scheduler") or ())}
    for section, settings in {**typed, "optim_wrapper.optimizer": config.optim_wrapper.optimizer}.items():
        if not isinstance(settings, Mapping) or "type" not in settings:
            raise ValueError(f"{section}: a dict with type=, the class itself, is wanted, got {settings!r}")
    for section, settings in typed.items():
        _check_keys(section, settings, _of_scheduler(callable_of(section, settings["type"])))
    schedulers_of(config)


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


def _flat(value: Any, into_lists: bool, key: str = "") -> Iterator[tuple[str, Any]]:
    """Values under dotted keys."""
    entries: Iterable[tuple[Any, Any]]
    if isinstance(value, Mapping):
        entries = value.items()
    elif into_lists and isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        entries = enumerate(value)
    else:
        yield key, value
        return
    for name, inner in entries:
        yield from _flat(inner, into_lists, f"{key}.{name}" if key else str(name))


def _said(value: Any, key: str) -> Any:
    """A value with callables as their addresses, those of a config that was written into a run folder too."""
    if isinstance(value, Mapping):
        return {name: _said(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_said(inner, "") for inner in value]
    if isinstance(value, str) and key.rpartition(".")[2] == "type":
        value = callable_of(key.removesuffix(".type"), value)
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else value

"""Reading a config and the options that override it. A misspelt key is an error that names the nearest one."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from mmengine.config import Config, ConfigDict

from lstta_core.plugins import Kind, installed_plugins

SECTIONS = (
    "task",  # name of a task, and its arguments
    "encoders",  # by modality: name of an encoder, and its arguments
    "method",  # name of a method, and its arguments; or budget, a number of parameters, instead of the width
    "model",  # arguments of lstta_tasks.model.build_model
    "clips",  # arguments of lstta_tasks.data.preprocessing.Preprocessing that encoders do not decide, and the cache
    "loader",  # batch_size, workers
    "optim_wrapper",  # MMEngine's, with the optimizer's class
    "param_scheduler",  # MMEngine's, a list
    "train_cfg",  # max_epochs, val_interval
    "seed",
    "log_interval",  # training steps between two lines of the log
)


def load_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config and apply ``--cfg-options``.

    Args:
        path: of a pure-Python config.
        options: dotted keys and values.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is not a config, lacks a section, or has or is given a key that nothing reads.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such config; shipped ones are in configs/")
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)  # mmengine warns about every name that it imports lazily
    try:
        config = Config.fromfile(str(path))
    except (SyntaxError, NameError, ImportError, TypeError) as error:
        raise ValueError(f"{path}: not a config: {error}") from error
    finally:
        logging.disable(level)
    for key in options or {}:
        _check_option(config, key)
    config.merge_from_dict(dict(options or {}))
    # What a config imports stands among its values: classes and functions, which are not settings.
    unknown = sorted(key for key in config if key not in SECTIONS and not callable(config[key]))
    if unknown:
        raise ValueError(f"{path}: nothing reads {unknown[0]!r}{_nearest(unknown[0], SECTIONS)}")
    missing = [section for section in SECTIONS if section not in config]
    if missing:
        raise ValueError(f"{path}: the config lacks {', '.join(missing)}; configs/base has defaults for read_base()")
    return config


def create(kind: Kind, section: str, settings: Mapping[str, Any], **extra: Any) -> Any:
    """What a section of a config describes: ``name`` is a plugin's, or ``type`` is a callable itself.

    Args:
        kind: what is wanted.
        section: its place in the config, for messages.
        settings: of the section.
        extra: arguments that do not come from the config.

    Raises:
        ValueError: neither or both of ``name`` and ``type``, or an argument that the factory does not take.
        UnknownNameError: no plugin registers the name.
    """
    factory = _factory(kind, section, settings)
    options = {key: value for key, value in settings.items() if key not in ("name", "type")}
    return call(factory, section, {**plain(options), **extra})


def call(factory: Callable[..., Any], section: str, options: Mapping[str, Any]) -> Any:
    """Call a factory with a section's options; one that it does not take, or lacks, is a ValueError."""
    check_arguments(factory, section, options)
    return factory(**options)


def check_arguments(factory: Callable[..., Any], section: str, options: Mapping[str, Any]) -> None:
    """Raise a ValueError that names the section where a factory does not take an option, or lacks one."""
    parameters = inspect.signature(factory).parameters
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    for key in options:
        if key not in parameters and not takes_any:
            raise ValueError(f"{section}.{key}: {factory.__name__} does not take it{_nearest(key, list(parameters))}")
    for key, parameter in parameters.items():
        optional = parameter.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        if key not in options and parameter.default is inspect.Parameter.empty and not optional:
            raise ValueError(f"{section}.{key}: {factory.__name__} needs it")


def plain(value: Any) -> Any:
    """A config's values as plain dicts and lists."""
    if isinstance(value, ConfigDict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(inner) for inner in value)
    return value


def _factory(kind: Kind, section: str, settings: Mapping[str, Any]) -> Callable[..., Any]:
    if ("name" in settings) == ("type" in settings):
        raise ValueError(f"{section}: give either the name of an {kind} or type=, the callable itself")
    if "name" in settings:
        return installed_plugins().find(kind, settings["name"]).load()
    return cast(Callable[..., Any], settings["type"])


def _check_option(config: Config, key: str) -> None:
    """Refuse a dotted key that is neither in the config nor an argument of what its section names."""
    *parents, last = key.split(".")
    place: Any = {section: config[section] for section in config}
    for depth, part in enumerate(parents):
        place = _step(place, part, ".".join(parents[: depth + 1]))
    if isinstance(place, list):
        _step(place, last, key)
        return
    known = [str(name) for name in place] if isinstance(place, Mapping) else []
    if last not in known and last not in (known := known + _arguments(parents, place)):
        raise ValueError(f"--cfg-options {key}: no such key{_nearest(last, known)}")


def _step(place: Any, part: str, path: str) -> Any:
    if isinstance(place, list):
        if part.isdigit() and int(part) < len(place):
            return place[int(part)]
        raise ValueError(f"--cfg-options {path}: a list of {len(place)} entries has no entry {part!r}")
    if not isinstance(place, Mapping) or part not in place:
        known = [str(name) for name in place] if isinstance(place, Mapping) else []
        raise ValueError(f"--cfg-options {path}: no such key{_nearest(part, known)}")
    return place[part]


def _arguments(parents: list[str], place: Any) -> list[str]:
    """The names of the arguments that the factory of this section takes."""
    kinds: dict[str, Kind] = {"task": "task", "encoders": "encoder", "method": "adapter"}
    if not isinstance(place, Mapping) or not {"name", "type"} & set(place) or not parents:
        return []
    factory = place["type"] if "type" in place else _factory(kinds[parents[0]], ".".join(parents), place)
    budget = ["budget"] if parents == ["method"] else []
    return list(inspect.signature(factory).parameters) + budget


def _nearest(key: str, known: tuple[str, ...] | list[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}" if known else ""

"""Reading a config and the options that override it. A misspelt key is an error that names the nearest one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, get_args
from unittest import mock

from mmengine.config import Config

from lstta_tasks.data.cache_record import Codec
from lstta_tasks.experiment.factories import arguments, check_keys, plain
from lstta_tasks.experiment.named import NAMING, check_named
from lstta_tasks.experiment.numbers import check_numbers
from lstta_tasks.experiment.old_keys import RENAMED, rename, renamed
from lstta_tasks.experiment.option_types import check_types
from lstta_tasks.experiment.param_scheduler import check_schedulers
from lstta_tasks.experiment.refusals import nearest, why_no_config
from lstta_tasks.experiment.runner import schedulers_of
from lstta_tasks.experiment.sections import BY_STEPS, COURSES, HABITS, OPTIONAL, READERS, SECTIONS, Reader
from lstta_tasks.experiment.train_share import check_share
from lstta_tasks.moved import moved_to, places_of
from lstta_tasks.shipped import find_shipped


def load_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config and apply ``--cfg-options``.

    Args:
        path: of a pure-Python config, or the name of a shipped one, such as ``avqa/tiny_lstta``.
        options: dotted keys and values, applied one after the other.

    Raises:
        FileNotFoundError: no such file, and no shipped config of this name.
        ValueError: it is not a config, lacks a section, or has or is given a key that nothing reads.
    """
    path = Path(path) if Path(path).is_file() else find_shipped("config", path)
    config = _read(path)
    options = {renamed(key) if key in RENAMED else key: value for key, value in (options or {}).items()}
    for key, value in options.items():
        if (section := key.partition(".")[0]) not in SECTIONS:
            raise ValueError(f"--cfg-options {key}: nothing reads {section!r}{nearest(section, SECTIONS)}")
        try:
            config.merge_from_dict({key: value})
        except (TypeError, KeyError, AttributeError) as error:  # there is no such place
            raise ValueError(f"--cfg-options {key}: {error}") from error
    _check_sections(path, config)
    for section in dict.fromkeys(key.rpartition(".")[0] for key in options):
        if section.startswith(NAMING):
            check_named(section, _at(config, section))
    return config


def with_places(config: Config, pairs: Sequence[str]) -> Config:
    """The config with other places of some encoders, see :func:`lstta_tasks.moved.moved_to`. Raises as that does."""
    if pairs:
        config.encoders.update(moved_to(config.encoders, places_of(pairs), config.filename))
    return config


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
        raise ValueError(f"{path}: {why_no_config(error)}") from error
    finally:
        logging.disable(level)
    if strange:
        raise ValueError(f"{path}: nothing reads {strange[0]!r}{nearest(strange[0], SECTIONS)}")
    for old in RENAMED:
        if _at(config, old) is not None:
            rename(config, old)
    return config


def _folder_of(package: str) -> str:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"with read_base(): there is no package {package!r}")
    return next(iter(spec.submodule_search_locations))


def _is_setting(key: str, value: Any) -> bool:
    return not (key.startswith("_") or callable(value) or isinstance(value, ModuleType))


def _check_sections(path: Path, config: Config) -> None:
    courses = [section for section in COURSES if config.get(section) is not None]
    if len(courses) > 1:
        raise ValueError(
            f"{path}: the course of the learning rate is said twice, in schedule={plain(config.schedule)} and in "
            f"param_scheduler={plain(config.param_scheduler)}: set one of the two to None"
        )
    missing = [section for section in SECTIONS if section not in config and section not in (*COURSES, *OPTIONAL)]
    missing += [] if courses else [" or ".join(COURSES)]
    if missing:
        raise ValueError(
            f"{path}: the config lacks {', '.join(missing)}; shipped ones have defaults to build on, as in "
            "docs/configs.md"
        )
    for section, kind in SECTIONS.items():
        if (section in COURSES and section not in courses) or (section in OPTIONAL and section not in config):
            continue
        if not isinstance(config[section], kind) or isinstance(config[section], bool):
            raise ValueError(f"{section}: a value of type {kind.__name__} is wanted, got {config[section]!r}")
    if config.seed < 0 or config.log_interval < 1:
        raise ValueError(
            f"seed must be at least 0, log_interval at least 1; got seed={config.seed}, "
            f"log_interval={config.log_interval}"
        )
    if {"by_epoch", "max_iters"} & config.train_cfg.keys():
        from lstta_tasks.experiment.by_steps import check_length

        check_length(config.train_cfg, config.get("param_scheduler"))
    readers = READERS if config.train_cfg.get("by_epoch", True) else {**READERS, "train_cfg": BY_STEPS}
    for section, reader in readers.items():
        if (settings := _at(config, section)) is not None:
            check_keys(section, settings, _known(reader))
    check_share(config.loader.get("train_share", 1))
    if any(config.get(section) for section in ("loss", "augment")) or "sampling" in config.loader:
        from lstta_tasks.experiment.training_data import check_training_data

        check_training_data(config)
    for key in ("cache", "prefix"):
        if not isinstance(path := config.clips.get(key, ""), str):
            raise ValueError(f"clips.{key}: the path of a folder is wanted, got {path!r}")
    optimizer = config.optim_wrapper.optimizer
    if not isinstance(optimizer, Mapping) or "type" not in optimizer:
        raise ValueError(f"optim_wrapper.optimizer: a dict with type=, the class itself, is wanted, got {optimizer!r}")
    check_numbers(config)
    if config.optim_wrapper.get("paramwise_cfg"):
        from lstta_tasks.experiment.paramwise import check_paramwise

        check_paramwise(config.optim_wrapper.paramwise_cfg)
    if any(config.get(section) for section in HABITS):
        from lstta_tasks.experiment.hooks import check_hooks

        check_hooks(config)
    if "param_scheduler" in courses:
        check_schedulers(config.param_scheduler)
    schedulers_of(config)
    for section, reader in READERS.items():
        if reader.factory is not None and (settings := _at(config, section)) is not None:
            check_types(section, reader.factory, settings)
    if config.clips.codec not in (codecs := get_args(Codec)):
        raise ValueError(f"clips.codec: one of {', '.join(codecs)} is wanted, got {config.clips.codec!r}")


def _known(reader: Reader) -> dict[str, bool]:
    """The keys that a section may have, and whether it must."""
    taken = {} if reader.factory is None else arguments(reader.factory)[0]
    known = {key: needed and key not in reader.optional for key, needed in taken.items() if key not in reader.given}
    return known | dict.fromkeys(reader.keys, True) | dict.fromkeys(reader.extra, False)


def _at(config: Config, section: str) -> Any:
    """What stands there; None where nothing does."""
    place: Any = config
    for part in section.split("."):
        place = place.get(part) if isinstance(place, Mapping | Config) else None
    return place

"""What a config says of MMEngine's hooks and backends, checked: ``custom_hooks``, ``default_hooks``, ``vis_backends``.

A class is named as elsewhere, by itself or its address, or by the short name that MMEngine has for it. Where training
needs one of its own in the place of MMEngine's, because MMEngine's would not resume or would keep frozen weights too,
the name means ours; what would break checkpoints is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import mmengine.hooks
import mmengine.visualization
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import get_priority
from mmengine.visualization.vis_backend import BaseVisBackend

from lstta_tasks.experiment.factories import arguments, call, callable_of, check_keys, options_of
from lstta_tasks.experiment.refusals import nearest

OURS = {
    "EMAHook": "lstta_tasks.training.average.AverageHook",
    "EarlyStoppingHook": "lstta_tasks.training.early_stop.EarlyStopHook",
    "LocalVisBackend": "lstta_tasks.training.local_files.LocalFiles",
    "MLflowVisBackend": "lstta_tasks.training.mlflow_runs.MLflowVisBackend",
}
"""What stands in for classes of MMEngine, with their arguments as far as they make sense here."""
_DEFAULT = "it is one of default_hooks"
REFUSED = {
    "CheckpointHook": "checkpoints and best/ are written after each validation: train_cfg.val_interval says how often",
    "LoggerHook": f"{_DEFAULT}: say default_hooks=dict(logger=dict(…))",
    "IterTimerHook": f"{_DEFAULT}, and runs always; leave it out",
    "ParamSchedulerHook": f"{_DEFAULT}, and runs always: schedule or param_scheduler say what it does",
    "RuntimeInfoHook": f"{_DEFAULT}, and runs always; leave it out",
    "DistSamplerSeedHook": f"{_DEFAULT}, and runs always; leave it out",
    "SyncBuffersHook": "buffers would differ from those of checkpoints; ours need no averaging over ranks",
    "PrepareTTAHook": "nothing here augments when it tests; leave it out",
    "NaiveVisualizationHook": "it draws data samples of MMEngine's; pictures of clips are in TensorBoard anyway",
    "NPUProfilerHook": "nothing here runs on an NPU; ProfilerHook is torch's profiler",
}
"""Hooks of MMEngine, and why a config cannot have them among ``custom_hooks``."""
DEFAULTS = {
    "logger": "LoggerHook",
    "timer": "IterTimerHook",
    "runtime_info": "RuntimeInfoHook",
    "param_scheduler": "ParamSchedulerHook",
    "sampler_seed": "DistSamplerSeedHook",
}
"""Of ``default_hooks``: MMEngine's hooks. All but the logger can only be said as they are."""
LOGGER_SAID = {
    "interval": "log_interval says it: set that",
    "log_metric_by_epoch": "train_cfg.by_epoch says it",
    "file_client_args": "MMEngine has given it up: use backend_args",
}


def check_hooks(config: Config) -> None:
    """Refuse hooks and backends that are none, or are not for a config, and options that they do not take.

    Short names are replaced by addresses, those of the classes that are meant.

    Raises:
        ValueError: such a one; the message has its place, and the way out.
    """
    hooks = [_check_hook(f"custom_hooks.{place}", one) for place, one in enumerate(config.get("custom_hooks", ()))]
    _check_once("custom_hooks", [found.__name__ if _is_ours(found) else None for found in hooks])
    _check_defaults(config.get("default_hooks", {}))
    backends = [
        _check_backend(f"vis_backends.{place}", one) for place, one in enumerate(config.get("vis_backends", ()))
    ]
    _check_once("vis_backends", [found.__name__ for found in backends])


def _check_once(section: str, names: Sequence[str | None]) -> None:
    """Refuse two of a name: backends are kept by their names, and hooks of ours keep one state in a checkpoint."""
    for place, name in enumerate(names):
        if name is not None and name in names[:place]:
            raise ValueError(f"{section}.{place}: {name} is there already, as {section}.{names.index(name)}")


def _check_hook(section: str, settings: Any) -> type[Any]:
    usual = [name for name in mmengine.hooks.__all__ if name not in REFUSED and name != "Hook"]
    found = _named(section, settings, Hook, mmengine.hooks, usual, also=REFUSED)
    if found.__module__.startswith("mmengine.") and found.__name__ in REFUSED:
        raise ValueError(f"{section}: {found.__name__} cannot be among custom_hooks: {REFUSED[found.__name__]}")
    _check_options(section, settings, found, more=() if _is_ours(found) else ("priority",))
    if "priority" in settings:
        try:
            get_priority(settings["priority"])
        except (TypeError, ValueError, KeyError) as error:
            raise ValueError(f"{section}.priority: one of MMEngine's, such as 'LOW', or 0 to 100: {error}") from error
    if _is_ours(found):
        call(found, section, options_of(settings))  # says so where a value is out of range
    return found


def _check_defaults(settings: Mapping[str, Any]) -> None:
    if "checkpoint" in settings:
        raise ValueError(f"default_hooks.checkpoint: {REFUSED['CheckpointHook']}. Leave it out")
    check_keys("default_hooks", settings, dict.fromkeys(DEFAULTS, False))
    for key, one in settings.items():
        section, usual = f"default_hooks.{key}", DEFAULTS[key]
        if isinstance(one, dict) and "type" not in one:
            one["type"] = usual
        found = _named(section, one, Hook, mmengine.hooks, [usual])
        if found is not getattr(mmengine.hooks, usual):
            raise ValueError(
                f"{section}: {found.__name__}: a hook in the place of {usual} could change what a resumed run does; "
                "put it into custom_hooks, where it runs besides"
            )
        if key == "logger":
            for option, reason in LOGGER_SAID.items():
                if option in one:
                    raise ValueError(f"{section}.{option}: {reason}")
            _check_options(section, one, found, without=tuple(LOGGER_SAID))
            call(found, section, options_of(one))
        else:
            check_keys(section, one, {"type": True})


def _check_backend(section: str, settings: Any) -> type[Any]:
    usual = [
        name for name in mmengine.visualization.__all__ if name.endswith("VisBackend") and name != "BaseVisBackend"
    ]
    found = _named(section, settings, BaseVisBackend, mmengine.visualization, usual)
    if found is mmengine.visualization.TensorboardVisBackend and len(settings) > 1:
        more = ", ".join(key for key in settings if key != "type")
        raise ValueError(f"{section}: events are in tensorboard/ of the run folder, always; leave out {more}")
    _check_options(section, settings, found, given=("save_dir",))
    return found


def _named(
    section: str,
    settings: dict[str, Any],
    base: type,
    where: Any,
    usual: Sequence[str],
    also: Mapping[str, str] | None = None,
) -> type[Any]:
    """The class that a dict with ``type=`` names: itself, its address, or a short name of MMEngine's.

    The dict has its address then, unless it has the class itself.
    """
    if not isinstance(settings, Mapping) or "type" not in settings:
        raise ValueError(f"{section}: a dict with type=, a class or its name, is wanted, got {settings!r}")
    given = settings["type"]
    if isinstance(given, str) and not {".", ":"} & set(given):
        if given not in usual and given not in (also or ()):
            raise ValueError(
                f"{section}.type: MMEngine has no {given!r} for this place{nearest(given, usual)} (a class of your own "
                "is named by itself or by its address, as 'package.module.Name')"
            )
        given = getattr(where, given)
    found: Any = callable_of(section, given)
    if not (inspect.isclass(found) and issubclass(found, base)):
        raise ValueError(f"{section}.type: a class that inherits from {base.__name__} is wanted, got {found!r}")
    if found.__module__.startswith("mmengine.") and found.__name__ in OURS:
        found = callable_of(section, OURS[found.__name__])
    if found is not settings["type"]:
        settings["type"] = _address(found)  # as a config can be written with
    named: type[Any] = found
    return named


def _is_ours(found: type[Any]) -> bool:
    return _address(found) in OURS.values()


def _address(found: type[Any]) -> str:
    return f"{found.__module__}.{found.__qualname__}"


def _check_options(
    section: str,
    settings: Mapping[str, Any],
    found: type[Any],
    *,
    given: Sequence[str] = (),
    without: Sequence[str] = (),
    more: Sequence[str] = (),
) -> None:
    """Refuse keys that the class does not take, and miss those that it needs."""
    known, takes_any = arguments(found)
    known = {key: needed and key not in given for key, needed in known.items() if key not in without}
    if takes_any:
        known = {**dict.fromkeys(settings, False), **known}
    check_keys(section, settings, {**known, **dict.fromkeys(("type", *more), False)})

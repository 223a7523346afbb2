"""What hooks keep in checkpoints, as MMEngine lets them: in ``before_save_checkpoint`` they add a key of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

PLAIN = (int, float, str, bool, type(None))


def states_of(runner: Runner, checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What hooks want to find again in ``after_load_checkpoint``.

    Args:
        runner: whose hooks these are.
        checkpoint: what is saved anyway.

    Raises:
        ValueError: a hook has changed that, or adds what a checkpoint cannot hold.
    """
    added: dict[str, Any] = {}
    for hook in runner.hooks:
        if type(hook).before_save_checkpoint is Hook.before_save_checkpoint:
            continue
        name = f"custom_hooks: {type(hook).__name__}"
        given = {**checkpoint, **added, "state_dict": dict(checkpoint["state_dict"])}
        hook.before_save_checkpoint(runner, given)
        for key, value in given.items():
            if key not in checkpoint and key not in added:
                _check_plain(value, f"{name} adds {key} to checkpoints")
                added[key] = value
            elif key == "state_dict":
                same = value.keys() == checkpoint[key].keys()
                if not same or any(value[one] is not checkpoint[key][one] for one in value):
                    raise ValueError(f"{name} changes the weights in checkpoints, so that a run could not go on")
            elif value is not {**checkpoint, **added}[key]:
                raise ValueError(f"{name} changes {key} in checkpoints: it may add a key of its own alone")
    return added


def _check_plain(value: Any, place: str) -> None:
    if isinstance(value, Mapping) and type(value) is dict:
        for key, inner in value.items():
            if not isinstance(key, str | int):
                raise ValueError(f"{place}: the key {key!r:.40} is neither text nor a whole number")
            _check_plain(inner, f"{place}.{key}")
    elif type(value) in (list, tuple):
        for inner in value:
            _check_plain(inner, place)
    elif type(value) not in PLAIN and not (type(value) is Tensor and value.device.type == "cpu"):
        raise ValueError(
            f"{place}, a {type(value).__name__}: only numbers, texts, dicts, lists and tensors of the CPU can be read "
            "again without running code"
        )

"""Why an option of a config is refused: nobody takes it, or it is missing. The nearest name is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

HOMES = {"optim_wrapper": "torch.optim", "param_scheduler": "mmengine.optim"}
"""Where the classes are that a section names."""


def check_arguments(
    factory: Callable[..., Any], takes: tuple[Mapping[str, bool], bool], section: str, options: Iterable[str]
) -> None:
    """Raise a ValueError that names the section where a factory does not take an option, or lacks one.

    Args:
        factory: that is, or would be, called.
        takes: its arguments, see :func:`~lstta_tasks.experiment.factories.arguments`.
        section: its place in the config.
        options: their names.
    """
    known, takes_any = takes
    for key in options:
        if key not in known and not takes_any:
            said = nearest(key, known)
            if section in ("task", "method") or section.startswith("encoders."):
                said += "" if "did you mean" in said else _replaced(section)
            raise ValueError(f"{section}.{key}: {factory.__name__} does not take it{said}")
    for key, needed in known.items():
        if needed and key not in options:
            raise ValueError(f"{section}.{key}: {factory.__name__} needs it")


def why_not_recorded(section: str, options: Mapping[str, Any]) -> str:
    """Which of a section's options JSON cannot say; there is one."""
    key = next(key for key, value in options.items() if not _is_json(value))
    return f"{section}.{key}: {options[key]!r} cannot be written into an adapter's record: use text, numbers and lists"


def why_no_config(error: Exception) -> str:
    """What a file of a config raised when it was read, in words."""
    said = str(error)
    if isinstance(error, FileNotFoundError) or " not found! It means" in said:
        base = error.filename if isinstance(error, FileNotFoundError) else said.partition(" not found!")[0]
        return (
            f"it builds on {base}, which is not there; shipped configs are lstta_tasks.configs.avqa.tiny_lstta and so "
            "on (lstta configs lists them)"
        )
    if not said:  # of mmengine's, where a config calls something that it imports
        said = "it calls what it imports: a config is read, not run, and has plain values, and classes as type="
    return f"not a config: {type(error).__name__}: {said}"


def why_not_importable(section: str, given: str, error: Exception) -> str:
    """A section's ``type`` is an address at which nothing is; the nearest that there is, where one is near."""
    module, _, name = given.replace(":", ".").rpartition(".")
    module = module or HOMES.get(section.partition(".")[0], "")
    try:
        near = get_close_matches(name, dir(import_module(module)), n=1) if module else []
    except (ImportError, ValueError, TypeError):  # no module at all
        near = []
    hint = f"did you mean '{module}.{near[0]}'?" if near else "the whole address is wanted, such as 'torch.optim.AdamW'"
    return f"{section}.type: {given!r} cannot be imported ({error}); {hint}"


def nearest(key: str, known: Iterable[str]) -> str:
    """The end of a message about a key that is not known: the nearest one that is, or all of them."""
    names = list(known)
    near = get_close_matches(key, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}" if names else ""


def _replaced(section: str) -> str:
    """The way out where what stood in a section belongs to another plugin."""
    return f". If another one has left it there: --cfg-options \"{section}={{'_delete_': True, 'name': …}}\""


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True

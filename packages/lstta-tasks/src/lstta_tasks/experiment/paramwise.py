"""``optim_wrapper.paramwise_cfg``, as MMEngine has it: other rates and weight decay for parts of what trains.

The rules are those of MMEngine's constructor of optimizers, which knows nothing of rates by inputs: here its factors
multiply those of :mod:`lstta_core.rates`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lstta_core.readout import RunningNorm
from lstta_tasks.experiment.factories import check_keys
from lstta_tasks.experiment.numbers import Number

SECTION = "optim_wrapper.paramwise_cfg"
FACTORS = ("bias_lr_mult", "bias_decay_mult", "norm_decay_mult", "flat_decay_mult")
OF_A_PART = ("lr_mult", "decay_mult")
REFUSED = {
    "dwconv_decay_mult": "no part that trains has depthwise convolutions; say custom_keys={'name': dict(decay_mult=…)}",
    "dcn_offset_lr_mult": "no part that trains has deformable convolutions; say custom_keys={'name': dict(lr_mult=…)}",
    "bypass_duplicate": "a parameter that modules share is in one group always; leave it out",
}
NORMS = (_BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, RunningNorm)
WANTED = Number(0, whole=False)

Factors = tuple[float, float]
"""Of the learning rate and of the weight decay."""


def check_paramwise(settings: Any) -> None:
    """Refuse keys that are not MMEngine's or have nothing to work on here, and factors that are no numbers.

    Raises:
        ValueError: such a one; the message names it.
    """
    for key, reason in REFUSED.items():
        if isinstance(settings, Mapping) and key in settings:
            raise ValueError(f"{SECTION}.{key}: {reason}")
    check_keys(SECTION, settings, dict.fromkeys(("custom_keys", *FACTORS), False))
    places = {f"{SECTION}.{key}": value for key, value in settings.items() if key != "custom_keys"}
    parts = settings.get("custom_keys", {})
    if not isinstance(parts, Mapping):
        raise ValueError(f"{SECTION}.custom_keys: a dict by parts of parameters' names is wanted, got {parts!r}")
    for part, factors in parts.items():
        check_keys(f"{SECTION}.custom_keys.{part}", factors, dict.fromkeys(OF_A_PART, False))
        places |= {f"{SECTION}.custom_keys.{part}.{key}": value for key, value in factors.items()}
    for key, value in places.items():
        if not WANTED.fits(value):
            raise ValueError(f"{key}: {WANTED} is wanted, got {value!r}")


def split_groups(
    groups: Sequence[Mapping[str, Any]], model: nn.Module, settings: Mapping[str, Any], *, decay: float | None
) -> list[dict[str, Any]]:
    """The groups of an optimizer, each split into those of one rate and one weight decay.

    Args:
        groups: of :func:`~lstta_core.rates.parameter_groups`.
        model: whose parameters these are.
        settings: checked.
        decay: the optimizer's weight decay, None where the config gives it none.

    Raises:
        ValueError: no parameter that trains has a name with one of ``custom_keys`` in it, or a factor of weight decay
            has nothing to multiply.
    """
    if decay is None and any("decay" in key for key in (*settings, *_keys_of_parts(settings))):
        raise ValueError(f"optim_wrapper.optimizer.weight_decay: it is missing; factors of {SECTION} multiply it")
    factors = dict(_factors(model, settings))
    split: list[dict[str, Any]] = []
    for group in groups:
        by_factors: dict[Factors, list[nn.Parameter]] = {}
        for parameter in group["params"]:
            by_factors.setdefault(factors[parameter], []).append(parameter)
        for (of_rate, of_decay), parameters in by_factors.items():
            own = {} if decay is None else {"weight_decay": decay * of_decay}
            split.append({**group, **own, "params": parameters, "lr": group["lr"] * of_rate})
    return split


def _keys_of_parts(settings: Mapping[str, Any]) -> Iterator[str]:
    for factors in settings.get("custom_keys", {}).values():
        yield from factors


def _factors(model: nn.Module, settings: Mapping[str, Any]) -> Iterator[tuple[nn.Parameter, Factors]]:
    """What trains, with its factors; a parameter that modules share has those of its first name."""
    parts = settings.get("custom_keys", {})
    longest_first = sorted(sorted(parts), key=len, reverse=True)
    used, names = set(), []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        names.append(name)
        part = next((part for part in longest_first if part in name), None)
        if part is not None:
            used.add(part)
            yield parameter, (parts[part].get("lr_mult", 1.0), parts[part].get("decay_mult", 1.0))
        else:
            module, _, own_name = name.rpartition(".")
            yield parameter, _by_kind(model.get_submodule(module), own_name, parameter, settings)
    for part in parts:
        if part not in used:
            there = ", ".join(dict.fromkeys(_part_of(name) for name in names))
            raise ValueError(
                f"{SECTION}.custom_keys.{part}: no parameter that trains has this in its name, or all that have it "
                f"go by a longer key; there are {there}"
            )


def _by_kind(module: nn.Module, name: str, parameter: nn.Parameter, settings: Mapping[str, Any]) -> Factors:
    norm, bias = isinstance(module, NORMS), name == "bias"
    decay = 1.0
    for applies, key in (
        (norm, "norm_decay_mult"),
        (bias, "bias_decay_mult"),
        (parameter.ndim == 1, "flat_decay_mult"),
    ):
        if applies and key in settings:
            decay = settings[key]
            break
    return settings.get("bias_lr_mult", 1.0) if bias and not norm else 1.0, decay


def _part_of(name: str) -> str:
    """How a parameter's name begins, for messages: up to the adapters or, of a readout or a head, its first word."""
    head, adapters, _ = name.partition(".adapters.")
    return f"{head}{adapters.rstrip('.')}" if adapters else name.partition(".")[0]

"""A suite of named checks: methods called ``test_…``, which pytest collects and ``run`` calls without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest import SkipTest

import torch
from torch import Tensor


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    Attributes:
        name: of the check, ``test_…``.
        passed: false where it failed; true also where it was not run for a stated reason.
        reason: why it failed or was not run; empty where it ran and passed.
    """

    name: str
    passed: bool
    reason: str = ""


class Conformance:
    """Base of the suites.

    A subclass may add checks. It may leave out or replace one of the suite's only with a stated reason.

    Attributes:
        skip_checks: from the name of a check to why it does not hold here. A check that the subclass defines anew is
            replaced, any other is not run.

    Raises:
        ValueError: when a subclass is defined: an unknown check, an empty reason, or a check replaced without one.
    """

    skip_checks: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        inherited = {name for base in cls.__mro__[1:] for name in vars(base) if name.startswith("test_")}
        for name, reason in vars(cls).get("skip_checks", {}).items():
            if name not in inherited:
                raise ValueError(f"{cls.__name__}.skip_checks: no check {name!r}; there are {sorted(inherited)}")
            if not reason.strip():
                raise ValueError(f"{cls.__name__}.skip_checks: {name} needs a reason")
            if name not in vars(cls):
                setattr(cls, name, _not_run(reason))
        for name in sorted(inherited & set(vars(cls))):
            if name not in cls.skip_checks:
                raise ValueError(f"{cls.__name__} replaces the check {name}: say why in skip_checks")

    def run(self) -> list[CheckResult]:
        """Every check, in alphabetical order; a failure of one does not stop the others."""
        return [self._run_one(name) for name in sorted(dir(self)) if name.startswith("test_")]

    def _run_one(self, name: str) -> CheckResult:
        try:
            getattr(self, name)()
        except SkipTest as skipped:
            return CheckResult(name, True, f"not run: {skipped}")
        except Exception as error:  # the code under test may raise anything, and that is a failed check
            return CheckResult(name, False, f"{type(error).__name__}: {error}")
        return CheckResult(name, True)


def require(condition: bool, message: str) -> None:
    """Fail the check with this message; works under ``python -O`` too, unlike a bare assert."""
    if not condition:
        raise AssertionError(message)


def require_close(left: Tensor, right: Tensor, tolerance: float, what: str) -> None:
    """Fail unless the tensors have one shape and differ by at most ``tolerance`` × max(1, largest value)."""
    require(left.shape == right.shape, f"{what}: shapes {tuple(left.shape)} and {tuple(right.shape)}")
    if left.numel() == 0:
        return
    apart = (left - right).abs().max().item()
    scale = max(1.0, right.abs().max().item())
    require(apart <= tolerance * scale, f"{what}: {apart:.3g} apart, at most {tolerance * scale:.3g} allowed")


def take(values: Mapping[str, Tensor], order: list[int]) -> dict[str, Tensor]:
    """Some clips of a batch: every tensor's first axis is the clip."""
    return {name: tensor[torch.tensor(order)] for name, tensor in values.items()}


def _not_run(reason: str) -> Callable[[Conformance], None]:
    def check(self: Conformance) -> None:
        raise SkipTest(reason)

    return check

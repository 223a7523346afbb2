"""A suite of named checks: methods called ``test_…``, which pytest collects and ``run`` calls without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar
from unittest import SkipTest
from zlib import crc32

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

    A subclass may add checks. It may leave out or replace one of the suite's only with a stated reason. Each check
    draws its own random numbers, the same whichever ran before it, so that none fails in some order alone.

    Attributes:
        skip_checks: from the name of a check to why it does not hold here. A check that the subclass defines anew is
            replaced, any other is not run.
        rests_on: from the name of a check to those without which it says nothing: it is not run where one of them has
            failed, so that each cause is reported once.

    Raises:
        ValueError: when a subclass is defined: an unknown check, an empty reason, or a check replaced without one.
    """

    skip_checks: ClassVar[Mapping[str, str]] = {}
    rests_on: ClassVar[Mapping[str, Sequence[str]]] = {}
    _lost: ClassVar[set[str]] = set()

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
        for name, check in list(vars(cls).items()):
            if name.startswith("test_"):
                setattr(cls, name, _after_what_it_rests_on(name, check))
        cls._lost = set()

    def run(self) -> list[CheckResult]:
        """Every check, in alphabetical order; a failure of one does not stop those that do not rest on it."""
        type(self)._lost = set()
        results: dict[str, CheckResult] = {}
        causes: dict[str, str] = {}
        names = [name for name in sorted(dir(self)) if name.startswith("test_")]
        for name in sorted(names, key=lambda name: (self._depth(name), name)):
            result = self._run_one(name)
            if not result.passed and (first := causes.setdefault(result.reason, name)) != name:
                result = CheckResult(name, True, f"not run: it fails as {first} does")
            results[name] = result
        return [results[name] for name in names]

    def _depth(self, name: str) -> int:
        return 1 + max((self._depth(before) for before in self.rests_on.get(name, ())), default=0)

    def _run_one(self, name: str) -> CheckResult:
        try:
            getattr(self, name)()
        except SkipTest as skipped:
            return CheckResult(name, True, f"not run: {skipped}")
        except Exception as error:  # the code under test may raise anything, and that is a failed check
            return CheckResult(name, False, f"{type(error).__name__}: {error}")
        return CheckResult(name, True)


def _after_what_it_rests_on(name: str, check: Callable[[Any], None]) -> Callable[[Any], None]:
    """The check, which is left out where one that it rests on has failed or was left out for that; in pytest too."""

    @wraps(check)
    def careful(self: Conformance) -> None:
        lost = type(self)._lost
        if before := next((before for before in self.rests_on.get(name, ()) if before in lost), None):
            lost.add(name)
            raise SkipTest(f"it rests on {before}, which has not passed")
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(crc32(name.encode()))
                check(self)
        except SkipTest:
            raise
        except Exception:
            lost.add(name)
            raise

    return careful


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

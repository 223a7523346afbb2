from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import ClassVar
from unittest import SkipTest

import pytest
import torch

from lstta_core.testing import CheckResult, Conformance
from lstta_core.testing.suite import require_close


class Suite(Conformance):
    def test_one(self) -> None:
        pass

    def test_two(self) -> None:
        raise RuntimeError("two is broken")

    def test_three(self) -> None:
        raise SkipTest("three does not apply")


def test_run_gives_every_check_with_its_reason() -> None:
    assert Suite().run() == [
        CheckResult("test_one", True),
        CheckResult("test_three", True, "not run: three does not apply"),
        CheckResult("test_two", False, "RuntimeError: two is broken"),
    ]


def test_a_check_is_left_out_with_a_reason() -> None:
    class Less(Suite):
        skip_checks: ClassVar = {"test_two": "the second has no two"}

    assert Less().run()[2] == CheckResult("test_two", True, "not run: the second has no two")


def test_a_check_is_replaced_with_a_reason() -> None:
    class Other(Suite):
        skip_checks: ClassVar = {"test_two": "two means three here"}

        def test_two(self) -> None:
            raise RuntimeError("three")

    assert Other().run()[2] == CheckResult("test_two", False, "RuntimeError: three")


def test_checks_may_be_added() -> None:
    class More(Suite):
        def test_zero(self) -> None:
            pass

    assert "test_zero" in {result.name for result in More().run()}


def test_a_check_draws_the_same_whichever_ran_before() -> None:
    drawn = []

    class Draws(Conformance):
        def test_draws(self) -> None:
            drawn.append(torch.rand(3))

    torch.manual_seed(7)
    expected = torch.rand(2)
    torch.manual_seed(7)
    for _ in range(2):
        Draws().run()
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(torch.rand(2), expected)


class Chain(Conformance):
    rests_on: ClassVar = {"test_a": ["test_b"], "test_b": ["test_c"]}

    def test_a(self) -> None:
        raise RuntimeError("a")

    def test_b(self) -> None:
        raise RuntimeError("b")

    def test_c(self) -> None:
        raise RuntimeError("c")

    def test_d(self) -> None:
        raise RuntimeError("c")


def test_what_rests_on_a_failed_check_is_not_run() -> None:
    expected = [
        CheckResult("test_a", True, "not run: it rests on test_b, which has not passed"),
        CheckResult("test_b", True, "not run: it rests on test_c, which has not passed"),
        CheckResult("test_c", False, "RuntimeError: c"),
        CheckResult("test_d", True, "not run: it fails as test_c does"),
    ]
    assert Chain().run() == expected
    assert Chain().run() == expected


def test_pytest_reports_each_cause_once_too(tmp_path: Path) -> None:
    raising = PLUGIN_TEST.replace("return ToyLanguage()", "raise RuntimeError('no weights')")
    (tmp_path / "test_toy.py").write_text(raising)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "1 failed, 19 skipped" in result.stdout


def test_left_out_checks_need_a_reason_and_must_exist() -> None:
    with pytest.raises(ValueError, match=r"Silent\.skip_checks: test_two needs a reason"):
        type("Silent", (Suite,), {"skip_checks": {"test_two": "  "}})
    with pytest.raises(ValueError, match=r"no check 'test_tow'; there are \['test_one', 'test_three', 'test_two'\]"):
        type("Misspelt", (Suite,), {"skip_checks": {"test_tow": "why"}})


def test_replacing_a_check_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="Sly replaces the check test_two: say why in skip_checks"):
        type("Sly", (Suite,), {"test_two": lambda self: None})


PLUGIN_TEST = """
from lstta_core.testing import EncoderConformance, ToyLanguage

class TestToy(EncoderConformance):
    skip_checks = {"test_is_deterministic": "a reason that is shown"}

    def make_encoder(self):
        return ToyLanguage()
"""


def test_ten_lines_are_a_test_and_pytest_shows_what_is_left_out(tmp_path: Path) -> None:
    assert len(PLUGIN_TEST.split("\n")) <= 10
    (tmp_path / "test_toy.py").write_text(PLUGIN_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(tmp_path)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "18 passed, 2 skipped" in result.stdout
    assert "a reason that is shown" in result.stdout


def test_require_close_compares_with_the_largest_value() -> None:
    require_close(torch.tensor([1000.0]), torch.tensor([1000.005]), 1e-5, "close")
    with pytest.raises(AssertionError, match=r"far: 0\.5 apart, at most 1e-05 allowed"):
        require_close(torch.tensor([0.5]), torch.tensor([0.0]), 1e-5, "far")
    with pytest.raises(AssertionError, match="shapes"):
        require_close(torch.zeros(2), torch.zeros(3), 1e-5, "other")
    with pytest.raises(AssertionError):
        require_close(torch.tensor([float("nan")]), torch.tensor([0.0]), 1e-5, "nan")

"""What selection goes by."""

from __future__ import annotations

import pytest

from lstta_tasks.task import Report, Score


@pytest.mark.parametrize(("lower_is_better", "merit"), [(False, 0.3), (True, -0.3)])
def test_merit_is_higher_for_the_better_report(lower_is_better: bool, merit: float) -> None:
    scores = (Score("other", 7.0, 5), Score("chosen", 0.3, 5, lower_is_better=lower_is_better))
    report = Report("chosen", scores)
    assert report.value("chosen") == 0.3
    assert report.merit == merit

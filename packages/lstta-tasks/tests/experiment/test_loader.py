"""What the workers of a loader say."""

from __future__ import annotations

import pytest

from lstta_tasks.experiment.loader import _tell_unless_nobody_listens


def test_a_worker_is_silent_of_a_training_that_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    _tell_unless_nobody_listens(ConnectionResetError, ConnectionResetError(104, "Connection reset by peer"), None)
    assert capsys.readouterr().err == ""
    _tell_unless_nobody_listens(ValueError, ValueError("a fault of ours"), None)
    assert "ValueError: a fault of ours" in capsys.readouterr().err

"""The conformance suite of tasks: what every task must keep, for the tests of whoever writes one.

Under pytest, inherit in a class whose name starts with ``Test``:

    class TestMyTask(TaskConformance):
        @pytest.fixture(autouse=True)
        def data(self, tmp_path: Path) -> None:
            self.root = write_some_annotations(tmp_path)

        def make_task(self) -> Task:
            return MyTask(root=self.root)

Without pytest, ``task_checks(MyTask(root=…))`` gives the same checks as a list of results.
"""

from __future__ import annotations

from lstta_tasks.testing.task_suite import TaskConformance, task_checks

__all__ = ["TaskConformance", "task_checks"]

"""The ten lines of docs/library.md, and of the page that an index shows of lstta-core, run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lstta_core.adapter_files import read_adapter

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", ["docs/library.md", "packages/lstta-core/README.md"])
def test_the_ten_lines_run(page: str, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert re.search(r"mine: [\d,]+ of [\d,]+ parameters train", result.stdout)
    file = read_adapter(tmp_path / "mine")
    assert all(name.startswith("adapters.mine.") for name in file.tensors)

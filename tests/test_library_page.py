"""The ten lines of docs/library.md run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lstta_core.adapter_files import read_adapter

PAGE = Path(__file__).parents[1] / "docs/library.md"


def test_the_ten_lines_run(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert re.search(r"mine: [\d,]+ of [\d,]+ parameters train", result.stdout)
    file = read_adapter(tmp_path / "mine")
    assert all(name.startswith("adapters.mine.") for name in file.tensors)

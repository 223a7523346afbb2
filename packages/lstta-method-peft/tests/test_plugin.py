from __future__ import annotations

import subprocess
import sys

from lstta_core.plugins import installed_plugins


def test_lora_is_found_by_its_name() -> None:
    method = installed_plugins().create("method", "lora", r=3)
    assert (method.r, method.alpha) == (3, 6)


def test_listing_imports_nothing_heavy() -> None:
    program = (
        "import sys; from lstta_core.plugins import installed_plugins; "
        "assert 'lora' in installed_plugins().names('method'); "
        "print(sorted({'torch', 'peft', 'transformers'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

"""From a config to its parts, and through a split in batches: evaluation, prediction.

MMEngine offers the optimizers of transformers and of bitsandbytes by name. Where these are installed it imports them
for that, with peft and accelerate: seconds at every start, and what they print, for names that no config of ours can
use. So whatever else imports mmengine has to import this package first.
"""

import importlib
import sys

if "mmengine.optim" not in sys.modules:
    hidden = {"transformers", "bitsandbytes"} - set(sys.modules)
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: to Python a module that is not there
    try:
        importlib.import_module("mmengine.optim")
    finally:
        for name in hidden:
            del sys.modules[name]

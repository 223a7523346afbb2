"""From a config to its parts, and through a split in batches: evaluation, prediction.

MMEngine offers an optimizer of transformers by name. Where transformers is installed it imports it for that, and with
it peft and accelerate: seconds at every start, for a name that no config of ours can use. So whatever else imports
mmengine has to import this package first.
"""

import importlib
import sys

if not {"transformers", "mmengine.optim"} & set(sys.modules):
    sys.modules["transformers"] = None  # type: ignore[assignment]  # to Python this is a module that is not there
    try:
        importlib.import_module("mmengine.optim")
    finally:
        del sys.modules["transformers"]

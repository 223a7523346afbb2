"""What is used of fvcore, imported in silence: its losses, which we do not use, are scripts of torch's.

From torch 2.15 on each of them warns whoever runs the program. Whatever replaces fvcore's trace one day (decision 15)
replaces this file.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fvcore.nn.jit_analysis import JitModelAnalysis
    from fvcore.nn.jit_handles import conv_flop_count, get_shape

__all__ = ["JitModelAnalysis", "conv_flop_count", "get_shape"]

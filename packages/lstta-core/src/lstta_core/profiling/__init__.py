"""What a model costs: parameters, multiply-accumulates (MACs) forward and backward, memory and time, by part."""

from lstta_core.profiling.macs import MacCount, Macs, UncountedError, count_macs, count_module_macs, tensors_in
from lstta_core.profiling.measure import Measurement, measure
from lstta_core.profiling.parameters import ParameterCount, count_parameters
from lstta_core.profiling.parts import Part, Parts

__all__ = [
    "MacCount",
    "Macs",
    "Measurement",
    "ParameterCount",
    "Part",
    "Parts",
    "UncountedError",
    "count_macs",
    "count_module_macs",
    "count_parameters",
    "measure",
    "tensors_in",
]

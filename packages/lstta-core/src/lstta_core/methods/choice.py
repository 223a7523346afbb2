"""What a config's method has become. Imports no torch: it is part of a plugin's top module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstta_core.interfaces import Method
    from lstta_core.lockstep import TrimodalModel


@dataclass(frozen=True)
class MethodChoice:
    """A method, and how it came about.

    Attributes:
        method: for :meth:`~lstta_core.lockstep.TrimodalModel.add_adapter`.
        name: it is registered under.
        options: all that it was called with, the solved one included; what an adapter folder records.
        models: that it is for.
        budget: that was asked for, or None.
    """

    method: Method
    name: str
    options: Mapping[str, Any]
    models: Sequence[TrimodalModel]
    budget: int | None = None

    @cached_property
    def parameters(self) -> int:
        """How many it trains in the models, readout and head not counted; counted when it is first asked for."""
        from lstta_core.budget import count_parameters

        return sum(count_parameters(self.method, model) for model in self.models)

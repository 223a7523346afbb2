"""What a method is: the contract of what a config names, and what it may change inside the encoders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from lstta_core.adapter import Adapter, Size, Stage

if TYPE_CHECKING:
    from lstta_core.encoder import Encoder
    from lstta_core.modality import Modality


@dataclass(frozen=True)
class EncoderChange:
    """What a method changes inside the encoders; by default nothing.

    Attributes:
        trainable: names of the encoders' parameters that train, as ``<modality>.<parameter name>``.
        modules: modules inside the encoders that follow ``train()`` and ``eval()`` (dropout); the rest stays in eval.
        switch: true puts the change into force; false takes all of it out of the encoders, which are then as before
            to the bit, with the same parameter names. Always called in turn.
    """

    trainable: tuple[str, ...] = ()
    modules: tuple[nn.Module, ...] = ()
    switch: Callable[[bool], None] = lambda on: None


class Method:
    """What a config names: it decides what trains.

    A method either puts adapters at stages (``lstta``, ``bottleneck``), or changes what trains inside the encoders
    (``lora``, ``full``), or neither (``none``). It overrides what it does and leaves the other as it is: the one
    exception to 'abstract or final', since nearly every method would have to say that it does not do the other.

    Attributes:
        size: the option that ``budget`` solves for, or None where the size of the method is fixed.
    """

    size: Size | None = None

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Change the encoders, if that is what the method does, and return the change *switched off*; else no change.

        Args:
            encoders: frozen, and without any other method's change in force.
        """
        return EncoderChange()

    def adapter(self, stage: Stage) -> Adapter | None:
        """The adapter at this stage, freshly initialised; None, as it is here, for none."""
        return None

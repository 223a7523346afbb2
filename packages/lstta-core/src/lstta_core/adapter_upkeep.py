"""What is asked of named adapters besides running them: one less, and how much the active one trains."""

from __future__ import annotations

from abc import abstractmethod

from torch import nn

from lstta_core.method import EncoderChange


class AdapterUpkeep(nn.Module):
    """The part of :class:`~lstta_core.adapter_set.AdapterSet` that no forward pass needs; attributes are as there."""

    adapters: nn.ModuleDict
    active: str | None
    _changes: dict[str, EncoderChange]

    @abstractmethod
    def trainable_parameters(self) -> list[nn.Parameter]:
        """The parameters that the active adapter trains, in the order of their names."""

    @abstractmethod
    def _activate(self, name: str | None) -> None: ...

    @abstractmethod
    def _check_name(self, name: str) -> None: ...

    def delete_adapter(self, name: str) -> None:
        """Take this adapter away; if it is the active one, none is active then.

        Raises:
            ValueError: there is none of this name.
        """
        self._check_name(name)
        if name == self.active:
            self._activate(None)
        del self._changes[name], self.adapters[name]

    def print_trainable_parameters(self) -> None:
        """Print one line: how many parameters the active adapter trains, of how many in the model."""
        trained = sum(parameter.numel() for parameter in self.trainable_parameters())
        every = sum(parameter.numel() for parameter in self.parameters())
        print(f"{self.active or 'no adapter'}: {trained:,} of {every:,} parameters train ({trained / every:.2%})")

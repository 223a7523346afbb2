"""Which part of a model a parameter or a module belongs to."""

from __future__ import annotations

from torch import nn

from lstta_core.trimodal import TrimodalModel

Part = tuple[str, ...]
"""``("visual encoder",)``, ``("adapters", "stage 2", "down")``, ``("readout",)``."""

LOSS: Part = ("loss",)
"""What the model's own modules do not run."""


class Parts:
    """The parts of a model: each encoder, the adapters by stage and module, and what stands around the lockstep model.

    Args:
        model: a :class:`~lstta_core.trimodal.TrimodalModel`, or one that holds one.

    Raises:
        ValueError: it holds none, or several.
    """

    def __init__(self, model: nn.Module) -> None:
        found = [(name, m) for name, m in model.named_modules() if isinstance(m, TrimodalModel)]
        if len(found) != 1:
            raise ValueError(f"{type(model).__name__} must hold one TrimodalModel to be profiled, has {len(found)}")
        name, self.trimodal = found[0]
        self._root = f"{name}." if name else ""

    def of(self, name: str) -> Part:
        """The part that holds this parameter or module, given its name in the model."""
        if not name.startswith(self._root):
            return (name.partition(".")[0],) if name and f"{name}." != self._root else LOSS
        match name.removeprefix(self._root).split("."):
            case ["encoders", modality, *_]:
                return (f"{modality} encoder",)
            case ["adapters", _, stage, child, *_]:
                return ("adapters", f"stage {stage}", child)
            case ["adapters", _, stage]:
                return ("adapters", f"stage {stage}", "itself")
        return ("lockstep",)

    def encoder_names(self) -> dict[str, str]:
        """The name in the model of each modality's encoder."""
        return {str(m): f"{self._root}encoders.{m}" for m in self.trimodal.by_modality()}

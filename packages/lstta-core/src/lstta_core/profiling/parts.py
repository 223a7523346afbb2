"""Which part of a model a parameter or a module belongs to."""

from __future__ import annotations

from torch import nn

from lstta_core.lockstep import TrimodalModel

Part = tuple[str, ...]
"""``("visual encoder",)``, ``("adapters", "stage 2", "down")``, ``("readout",)``."""

LOSS: Part = ("loss",)
"""What the model's own modules do not run."""


class Parts:
    """The parts of a model: each encoder, the adapters by stage and module, and what stands around lockstep models.

    Args:
        model: a :class:`~lstta_core.lockstep.TrimodalModel`, or one that holds one or several. Of several, the parts'
            names begin with the name of what holds the lockstep model.

    Raises:
        ValueError: it holds none.
    """

    def __init__(self, model: nn.Module) -> None:
        self.lockstep = {name: module for name, module in model.named_modules() if isinstance(module, TrimodalModel)}
        if not self.lockstep:
            raise ValueError(f"{type(model).__name__} has no TrimodalModel: there are no parts to tell apart")

    def of(self, name: str) -> Part:
        """The part that holds this parameter or module, given its name in the model."""
        for root in self.lockstep:
            if name == root or name.startswith(f"{root}." if root else ""):
                first, *others = self._inside(name.removeprefix(root).removeprefix("."))
                return (f"{self._prefix(root)}{first}", *others)
        depth = 1 if len(self.lockstep) == 1 else 2
        return (".".join(name.split(".")[:depth]),) if name else LOSS

    def encoders(self) -> dict[str, nn.Module]:
        """By their names in the model."""
        return {
            f"{root}.encoders.{m}" if root else f"encoders.{m}": encoder
            for root, model in self.lockstep.items()
            for m, encoder in model.by_modality().items()
        }

    def _prefix(self, root: str) -> str:
        return "" if len(self.lockstep) == 1 else f"{root.rpartition('.')[0] or root}: "

    @staticmethod
    def _inside(name: str) -> Part:
        match name.split("."):
            case ["encoders", modality, *_]:
                return (f"{modality} encoder",)
            case ["adapters", _, stage, child, *_]:
                return ("adapters", f"stage {stage}", child)
            case ["adapters", _, stage]:
                return ("adapters", f"stage {stage}", "itself")
        return ("lockstep",)

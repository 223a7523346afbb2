"""Named adapters on one set of frozen encoders: add, switch, disable, delete. One is in force, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Self, cast

import torch
from torch import Tensor, nn

from lstta_core.adapter_upkeep import AdapterUpkeep
from lstta_core.interfaces import Adapter, Encoder, EncoderChange, Method, Modality, Stage

if TYPE_CHECKING:
    from lstta_core.preface import Preface

PREFACE = "preface"


class AdapterSet(AdapterUpkeep):
    """Frozen encoders, and by name what methods train between their blocks and inside them.

    Only what the active name trains wants gradients, so ``(p for p in model.parameters() if p.requires_grad)`` is what
    belongs into an optimizer. A state dict holds the adapters of all names; of what methods change inside the encoders
    it holds the active one's.

    Args:
        encoders: by modality. They are frozen and put in eval mode here.
        adapted_stages: the places where a method may put an adapter.
        crossed: by modality, how many blocks have run at stage 0 (none) … K (all).
    """

    def __init__(
        self,
        encoders: Mapping[Modality, Encoder],
        adapted_stages: Sequence[Stage],
        crossed: Mapping[Modality, Sequence[int]],
    ) -> None:
        super().__init__()
        self.adapted_stages = tuple(adapted_stages)
        self.crossed = crossed
        self.encoders = nn.ModuleDict({m: encoders[m] for m in Modality if m in encoders})
        self.encoders.requires_grad_(False)
        self.encoders.eval()
        self.adapters = nn.ModuleDict()
        self.active: str | None = None
        self._changes: dict[str, EncoderChange] = {}

    def add_adapter(self, name: str, method: Method) -> None:
        """Put a method's adapters at the stages under this name and make them the active ones.

        Raises:
            ValueError: the name is taken, or cannot be part of a parameter's name.
        """
        if name in self.adapters:
            raise ValueError(f"there is an adapter named {name!r} already; the names are {list(self.adapters)}")
        if not name or "." in name or name in dir(self.adapters):
            raise ValueError(f"{name!r} cannot name an adapter: take a word without a dot that torch does not use")
        made = {str(stage.index): method.adapter(stage) for stage in self.adapted_stages}
        at_stages: dict[str, nn.Module] = {stage: adapter for stage, adapter in made.items() if adapter is not None}
        with self.disabled():
            self._changes[name] = method.prepare_at_stages(self.by_modality(), self.crossed)
        widths = {m: encoder.widths[-1] for m, encoder in self.by_modality().items()}
        if (preface := method.preface(widths)) is not None:
            at_stages[PREFACE] = preface
        self.adapters[name] = nn.ModuleDict(at_stages).to(self.device).train(self.training)
        self.set_adapter(name)

    def set_adapter(self, name: str) -> None:
        """Make this adapter the active one.

        Raises:
            ValueError: there is none of this name.
        """
        self._check_name(name)
        self._activate(name)

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The frozen model, to the bit, for as long as the context lasts."""
        active = self.active
        self._activate(None)
        try:
            yield
        finally:
            self._activate(active)

    def adapter_at(self, stage: int) -> Adapter | None:
        """The active name's adapter at this stage, if it has one there."""
        if self.active is None:
            return None
        at_stages = cast(nn.ModuleDict, self.adapters[self.active])
        return cast(Adapter, at_stages[str(stage)]) if str(stage) in at_stages else None

    @property
    def preface(self) -> Preface | None:
        """What the active name puts before the text, if it does."""
        if self.active is None:
            return None
        at_stages = cast(nn.ModuleDict, self.adapters[self.active])
        return cast("Preface", at_stages[PREFACE]) if PREFACE in at_stages else None

    def by_modality(self) -> dict[Modality, Encoder]:
        """The encoders, typed."""
        return {Modality(m): cast(Encoder, encoder) for m, encoder in self.encoders.items()}

    @property
    def device(self) -> torch.device:
        """Where the encoders are. Those of ready-made features have no parameters, but a buffer."""
        return next(chain(self.encoders.parameters(), self.encoders.buffers())).device

    def train(self, mode: bool = True) -> Self:
        """Train mode for what is trained; frozen encoders stay in eval mode, so that they do not drift."""
        super().train(mode)
        self.encoders.eval()
        if self.active is not None:
            for module in self._changes[self.active].modules:
                module.train(mode)
        return self

    @property
    def trained_inside(self) -> tuple[str, ...]:
        """What the active adapter trains inside the encoders, as ``<modality>.<parameter name>``."""
        return () if self.active is None else self._changes[self.active].trainable

    @property
    def hear(self) -> Callable[[Mapping[Modality, Tensor]], None] | None:
        """What is told the other streams before blocks run, see :class:`~lstta_core.method.EncoderChange`."""
        return None if self.active is None else self._changes[self.active].hear

    def trainable_names(self) -> list[str]:
        """The names of all parameters that the active adapter trains, sorted."""
        if self.active is None:
            return []
        at_stages = [f"adapters.{self.active}.{name}" for name, _ in self.adapters[self.active].named_parameters()]
        return sorted([*at_stages, *(f"encoders.{name}" for name in self.trained_inside)])

    def trainable_parameters(self) -> list[nn.Parameter]:
        """The parameters that the active adapter trains, in the order of their names."""
        return [self.get_parameter(name) for name in self.trainable_names()]

    def _activate(self, name: str | None) -> None:
        """Put this adapter in force instead of the active one; the only place where anything is switched."""
        if self.active is not None:
            for parameter in self.trainable_parameters():
                parameter.requires_grad_(False)
            for module in self._changes[self.active].modules:
                module.eval()
            self._changes[self.active].switch(False)
        self.active = name
        if name is not None:
            self._changes[name].switch(True)
            for parameter in self.trainable_parameters():
                parameter.requires_grad_(True)
            for module in self._changes[name].modules:
                module.train(self.training)

    def _check_name(self, name: str) -> None:
        if name not in self.adapters:
            raise ValueError(f"there is no adapter named {name!r}; the names are {list(self.adapters)}")


def encoder_digest(encoder: Encoder) -> str:
    """SHA-256 over the names, shapes and float32 values of all parameters and persistent buffers, in hex.

    The digest is of what was loaded: take it before weights are cast to another precision. An encoder on the meta
    device, which has no values, has an empty one.
    """
    tensors = encoder.state_dict()
    return "" if any(tensor.is_meta for tensor in tensors.values()) else tensors_digest(tensors)


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the names, shapes and values (floats as float32) of tensors, in hex."""
    sha = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().to("cpu")
        values = values.to(torch.float32) if values.is_floating_point() else values
        sha.update(f"{name}:{tuple(values.shape)}:".encode())
        sha.update(values.contiguous().numpy().tobytes())
    return sha.hexdigest()

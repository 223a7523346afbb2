"""LoRA (Hu et al. 2022) inside the encoders, through the peft library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import nn

from lstta_core.counts import check_above_zero, check_counts
from lstta_core.interfaces import Encoder, EncoderChange, Method, Modality, Size
from lstta_core.targets import QUERY_AND_VALUE, Target, matching


class LoRA(Method):
    """``W x + (alpha / r) · B A dropout(x)`` for the encoders' linear layers of these names. B is zero at the start.

    A and B are float32, whatever the frozen weights are.

    Args:
        r: the rank.
        alpha: see the formula; None for 2r, which keeps the factor where r changes.
        dropout: on what A reads; active in train mode, though the encoders stay in eval mode.
        target: the names of the linear layers, see :data:`~lstta_core.targets.Target`.
    """

    size = Size("r")

    def __init__(
        self, *, r: int = 16, alpha: float | None = None, dropout: float = 0.0, target: Target = QUERY_AND_VALUE
    ) -> None:
        check_counts(r=r)
        self.r = r
        self.alpha = 2 * r if alpha is None else alpha
        check_above_zero(alpha=self.alpha)
        self.dropout = dropout
        self.target = target

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Wrap the linear layers and take the wrappers out again, to be put in by the change's switch.

        Raises:
            ValueError: no linear layer of an encoder matches.
        """
        names = [name for modality, encoder in encoders.items() for name in self._targets(modality, encoder)]
        # A holder of all encoders, so that what peft leaves on the model that it is given does not stay with them.
        holder = nn.ModuleDict({m: encoders[m] for m in encoders})
        config = LoraConfig(
            r=self.r,
            lora_alpha=cast(int, self.alpha),
            lora_dropout=self.dropout,
            target_modules="|".join(re.escape(name) for name in names),
        )
        inject_adapter_in_model(config, holder)
        layers = {name: cast(LoraLayer, holder.get_submodule(name)) for name in names}
        for layer in layers.values():
            for parameter in _own_parameters(layer).values():
                parameter.data = parameter.data.to(torch.promote_types(parameter.dtype, torch.float32))
        trainable = tuple(f"{name}.{key}" for name, layer in layers.items() for key in _own_parameters(layer))
        switch = _Switch([(holder.get_submodule(name.rpartition(".")[0]), name, layers[name]) for name in names])
        switch(False)
        return EncoderChange(trainable, tuple(layer.lora_dropout for layer in layers.values()), switch)

    def _targets(self, modality: Modality, encoder: Encoder) -> list[str]:
        linear = [name for name, module in encoder.named_modules() if isinstance(module, nn.Linear)]
        wanted = matching(self.target, modality, linear, what="lora: linear layer")
        return [f"{modality}.{name}" for name in wanted]


def _own_parameters(layer: LoraLayer) -> dict[str, nn.Parameter]:
    """What peft added to the layer, by name."""
    module = cast(nn.Module, layer)
    return {name: p for name, p in module.named_parameters() if not name.startswith("base_layer.")}


class _Switch:
    """Puts wrapped layers into an encoder and the original ones back.

    Args:
        places: the module that holds the layer, the layer's name, of which the last part counts, and the wrapper.
    """

    def __init__(self, places: list[tuple[nn.Module, str, LoraLayer]]) -> None:
        self.places = places

    def __call__(self, on: bool) -> None:
        for holder, name, layer in self.places:
            wrapper, base = cast(nn.Module, layer), layer.get_base_layer()
            if on:
                # The encoder may have been moved since.
                wrapper.to(next(base.parameters()).device)
            holder.add_module(name.rpartition(".")[2], wrapper if on else base)

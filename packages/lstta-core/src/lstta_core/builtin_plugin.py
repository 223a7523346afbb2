"""The methods of lstta-core, registered through the hook that is everybody's."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_methods(register: Register) -> None:
    register("lstta", "lstta_core.methods.lstta.adapter:LSTTA", summary="long short-term trimodal adapters")
    register("none", "lstta_core.methods.none:NoAdapter", summary="the readout alone, on frozen encoders")
    register("bottleneck", "lstta_core.methods.bottleneck:Bottleneck", summary="bottlenecks, each modality by itself")
    register("lavish", "lstta_core.methods.lavish:Lavish", summary="latents between sight and sound")
    register("full", "lstta_core.methods.full:FullFineTuning", summary="every parameter of the encoders")

"""The plugin of core: its own methods, registered through the hook that is everybody's. Imports nothing heavy."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_methods(register: Register) -> None:
    home = "lstta_core.methods"
    register("lstta", f"{home}.lstta.adapter:LSTTA", summary="long short-term trimodal adapters")
    register("none", f"{home}.none:NoAdapter", summary="the readout alone, on frozen encoders")
    register("layers", f"{home}.layers:Layers", summary="a learned mix of the encoders' layers, for the readout")
    register("bottleneck", f"{home}.bottleneck:Bottleneck", summary="bottlenecks, each modality by itself")
    register("lavish", f"{home}.lavish:Lavish", summary="latents between sight and sound")
    register("means", f"{home}.means:Means", summary="means of sight and sound before a prompt")
    register("dgsct", f"{home}.dgsct:DGSCT", summary="lavish with channel, spatial and temporal gates")
    register("moka", f"{home}.moka:MokA", summary="low-rank updates between blocks that have heard the text")
    register("cola", f"{home}.cola:CoLA", summary="low-rank updates inside the encoders that the others steer")
    register("prompt", f"{home}.prompt:Prompt", summary="learned tokens in front of the encoders' own")
    register("full", f"{home}.full:FullFineTuning", summary="every parameter of the encoders")

"""Save the adapters of this version for every later one to load: python save.py

Each folder holds an adapter as this version writes it, and ``output.safetensors``, what it gave for :func:`streams`. A
folder that is there is never written again.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

import lstta_core
from lstta_core.adapter_files import save_adapter
from lstta_core.interfaces import Adapter, Modality, Stage, Stream, Streams
from lstta_core.plugins import installed_plugins

HERE = Path(__file__).parent
WIDTHS = {Modality.VISUAL: 13, Modality.AUDIO: 11, Modality.LANGUAGE: 7}
METHODS = {
    "lstta": {"width": 6, "heads": 2, "latents": 3, "window": 3},
    "bottleneck": {"width": 5},
    "lavish": {"width": 4, "latents": 2, "groups": 1},
}


def build(name: str, options: dict[str, object]) -> Adapter:
    """The adapter of a last stage."""
    stage = Stage(index=2, count=2, widths=WIDTHS)
    adapter = installed_plugins().create("method", name, **options).adapter(stage)
    assert isinstance(adapter, Adapter)
    return adapter


def streams() -> Streams:
    """Two clips of five segments without any random number; the second has no sound."""

    def stream(modality: Modality, segments: int, tokens: int, present: list[bool]) -> Stream:
        count = 2 * segments * tokens * WIDTHS[modality]
        values = torch.sin(torch.arange(count, dtype=torch.float64) * 0.7).float()
        is_present = torch.tensor(present)
        mask = is_present[:, None, None].expand(2, segments, tokens).clone()
        mask[0, :, -1] = False
        return Stream(values.view(2, segments, tokens, WIDTHS[modality]), mask, is_present)

    return {
        Modality.VISUAL: stream(Modality.VISUAL, 5, 3, [True, True]),
        Modality.AUDIO: stream(Modality.AUDIO, 5, 4, [True, False]),
        Modality.LANGUAGE: stream(Modality.LANGUAGE, 1, 6, [True, True]),
    }


def output(adapter: Adapter) -> dict[str, torch.Tensor]:
    """What the adapter gives: tokens, and importances where it has them, by modality."""
    with torch.no_grad():
        given = adapter.eval()(streams())
    tokens = {f"tokens.{modality}": stream.tokens.contiguous() for modality, stream in given.streams.items()}
    return tokens | {f"importances.{modality}": g.contiguous() for modality, g in given.importances.items()}


def main() -> None:
    for name, options in METHODS.items():
        folder = HERE / f"{lstta_core.__version__}-{name}"
        if folder.exists():
            continue
        torch.manual_seed(7)
        adapter = build(name, options)
        adapter.measure(streams())
        with torch.no_grad():
            for parameter in adapter.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
        save_adapter(folder, adapter.state_dict(), {"method": {"name": name, **options}, "encoders": {}})
        save_file(output(adapter), folder / "output.safetensors")
        print(folder)


if __name__ == "__main__":
    main()

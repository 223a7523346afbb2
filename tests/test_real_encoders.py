"""LSTTA on three real pretrained encoders: attach, one training step, save, load."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from lstta_core import LSTTA, Modality, TrimodalModel, installed_plugins, read_adapter, save_adapter
from lstta_core.adapter_files import load_tensors, trained_tensors
from lstta_core.adapter_set import encoder_digest
from lstta_core.testing import synthetic_inputs

MODELS = Path(os.environ.get("LSTTA_SHARED", Path(__file__).parents[2] / "shared")) / "models"
FOLDERS = {"visual": "dinov2-small", "audio": "whisper-tiny-en", "language": "minilm-l6"}
OPTIONS = {"visual": {"size": (42, 70)}, "audio": {"seconds": 5.0}, "language": {}}

pytestmark = [
    pytest.mark.real_weights,
    pytest.mark.skipif(not MODELS.is_dir(), reason=f"no real encoders in {MODELS}: set LSTTA_SHARED"),
]


def build() -> TrimodalModel:
    plugins = installed_plugins()
    encoders = {
        Modality(m): plugins.create("encoder", f"hf-{m}", model=str(MODELS / folder), **OPTIONS[m])
        for m, folder in FOLDERS.items()
    }
    torch.manual_seed(3)
    model = TrimodalModel(encoders)
    model.add_adapter("mine", LSTTA(width=32))
    return model


def test_attach_train_save_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = build()
    inputs = {m: synthetic_inputs(encoder.spec, batch=2, segments=5) for m, encoder in model.by_modality().items()}
    before = {m: encoder_digest(encoder) for m, encoder in model.by_modality().items()}
    with torch.no_grad():
        fresh = model(inputs)
        with model.disabled():
            frozen = model(inputs)
    for m in Modality:
        assert torch.equal(fresh.streams[m].tokens, frozen.streams[m].tokens)

    optimizer = torch.optim.AdamW(model.trainable_parameters(), lr=1e-2)
    model.train()
    sum(stream.tokens.square().mean() for stream in model(inputs).streams.values()).backward()
    optimizer.step()
    model.eval()
    assert {m: encoder_digest(encoder) for m, encoder in model.by_modality().items()} == before

    save_adapter(tmp_path / "mine", trained_tensors(model, "encoders."), {"encoders": {}})
    again = build()
    load_tensors(again, read_adapter(tmp_path / "mine"), "encoders.")
    with torch.no_grad():
        trained, loaded = model(inputs), again.eval()(inputs)
    for m in Modality:
        assert torch.equal(trained.streams[m].tokens, loaded.streams[m].tokens)
        assert not torch.equal(trained.streams[m].tokens, fresh.streams[m].tokens)
    with capsys.disabled():
        print()
        model.print_trainable_parameters()

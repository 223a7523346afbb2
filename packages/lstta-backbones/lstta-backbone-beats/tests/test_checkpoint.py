"""What checkpoint files are read, and what is wrong with others."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lstta_backbone_beats.encoder import beats
from lstta_core import Modality
from lstta_core.adapter_set import encoder_digest
from lstta_core.plugins import installed_plugins

Write = Callable[..., Path]


def test_it_is_registered_and_known_by_its_file(checkpoint: Write) -> None:
    registered = installed_plugins().find("encoder", "beats")
    assert (registered.distribution, registered.modality) == ("lstta-backbone-beats", "audio")
    encoder = registered.load()(model=str(checkpoint()))
    assert (encoder.name, encoder.modality, encoder.widths) == ("small", Modality.AUDIO, (12, 12, 12))
    assert (encoder.spec.sample_rate, encoder.spec.span) == (16000, "clip")
    assert encoder_digest(encoder) == encoder_digest(beats(model=checkpoint()))


def test_a_predictor_is_left_out(checkpoint: Write) -> None:
    plain = encoder_digest(beats(model=checkpoint()))
    assert (
        encoder_digest(beats(model=checkpoint({"finetuned_model": True}, {"predictor.bias": torch.ones(3)}))) == plain
    )


@pytest.mark.parametrize(
    ("cfg", "model", "match"),
    [
        ({"layer_norm_first": True}, {}, "cfg.layer_norm_first is True, published checkpoints of BEATs have False"),
        ({"gru_rel_pos": False}, {}, "cfg.gru_rel_pos is False, published"),
        ({"activation_fn": "relu"}, {}, "cfg.activation_fn is 'relu', published"),
        ({}, {"encoder.layers.1.fc1.weight": None}, "its model lacks encoder.layers.1.fc1.weight: these are not"),
        ({}, {"quantize.embedding.weight": torch.ones(3)}, "its model has quantize.embedding.weight: these are not"),
        ({}, {"encoder.pos_conv.0.weight_g": None}, "its model lacks encoder.pos_conv.weight"),
        (
            {},
            {"encoder.layers.2.fc2.bias": torch.ones(5)},
            r"encoder.layers.2.fc2.bias has shape \(5,\), its cfg says \(12,\)",
        ),
        (
            {},
            {"encoder.layers.2.self_attn.relative_attention_bias.weight": torch.ones(20, 3)},
            "its blocks have position biases of their own",
        ),
    ],
)
def test_another_network_is_refused(checkpoint: Write, cfg: dict[str, Any], model: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        beats(model=checkpoint(cfg, model))


def test_a_file_that_is_not_there_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.pt: no such file; download a checkpoint"):
        beats(model=tmp_path / "none.pt")


@pytest.mark.parametrize(
    ("held", "key"), [([1], "cfg"), ({"model": {}}, "cfg"), ({"cfg": {}, "model": torch.ones(1)}, "model")]
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, held: Any, key: str) -> None:
    torch.save(held, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=f"a dict with the dicts 'cfg' and 'model'; it has no '{key}'"):
        beats(model=tmp_path / "other.pt")


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("ran"),))


def test_code_in_a_file_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"cfg": Trap(), "model": {}}, "trap.pt")
    Path("bare.pt").write_bytes(pickle.dumps(Trap(), protocol=2))
    Path("broken.pt").write_bytes(b"PK\x03\x04 and no more")
    for name in ("trap.pt", "bare.pt", "broken.pt"):
        with pytest.raises(ValueError, match="cannot be read as tensors and plain values"):
            beats(model=name)
    assert not Path("ran").exists()

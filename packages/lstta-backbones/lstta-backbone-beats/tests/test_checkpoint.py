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


@pytest.mark.parametrize(
    ("cfg", "match"),
    [
        ({"encoder_layers": "2"}, "cfg.encoder_layers is '2', a whole number, 1 or more is wanted"),
        ({"encoder_embed_dim": -3}, "cfg.encoder_embed_dim is -3, a whole number"),
        ({"conv_pos_groups": True}, "cfg.conv_pos_groups is True, a whole number"),
        ({"deep_norm": 1}, "cfg.deep_norm is 1, True or False is wanted"),
    ],
)
def test_sizes_that_are_none_are_refused(checkpoint: Write, cfg: dict[str, Any], match: str) -> None:
    path = checkpoint()
    held = torch.load(path)
    torch.save({**held, "cfg": {**held["cfg"], **cfg}}, path)
    with pytest.raises(ValueError, match=rf"small\.pt: {match}"):
        beats(model=path)


def test_damaged_files_are_named(checkpoint: Write, tmp_path: Path) -> None:
    whole = checkpoint().read_bytes()
    contents = {"empty": b"", "text": b"an error page\n", "half": whole[: len(whole) // 2], "head": whole[:100]}
    for name, content in contents.items():
        (tmp_path / f"{name}.pt").write_bytes(content)
        with pytest.raises(ValueError, match=rf"{name}\.pt: it cannot be read as tensors and plain values \(\w+\)"):
            beats(model=tmp_path / f"{name}.pt")
    with pytest.raises(ValueError, match="it is a folder; give the path of a checkpoint file"):
        beats(model=tmp_path)


@pytest.mark.parametrize(
    ("model", "match"),
    [
        ({"bias": [1.0]}, r"model\['bias'\] is a list; tensors by their names are wanted"),
        ({7: torch.ones(1)}, r"model\[7\] is a Tensor; tensors by their names"),
        ({"bias": torch.tensor([1.0, float("nan")])}, "bias has values that are not finite"),
    ],
)
def test_weights_that_are_none_are_refused(tmp_path: Path, model: dict[Any, Any], match: str) -> None:
    torch.save({"cfg": {}, "model": model}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=match):
        beats(model=tmp_path / "other.pt")


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

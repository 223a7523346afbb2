"""Loading encoders from local directories: every family, precision, what a checkpoint may lack, and safety."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import transformers as t
from safetensors.torch import load_file, save_file

from lstta_backbone_transformers import checkpoints, load
from lstta_core import Modality
from lstta_core.adapter_set import encoder_digest

pytestmark = [
    pytest.mark.filterwarnings("ignore:At least one mel filter:UserWarning"),
    pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning"),
]
LOADERS: dict[Modality, Callable[..., Any]] = {
    Modality.VISUAL: load.visual,
    Modality.AUDIO: load.audio,
    Modality.LANGUAGE: load.language,
}


@pytest.fixture(autouse=True)
def nothing_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_WAITING", type(checkpoints._WAITING)())


def saved(small: ModuleType, name: str, folder: Path) -> Any:
    """A family's small model and tokenizer on disk; the library's model."""
    return save(small, next(case for case in small.CASES if case.name == name), folder)


def save(small: ModuleType, case: Any, folder: Path) -> Any:
    model = case.library()
    model.save_pretrained(folder)
    small.tokenizer().save_pretrained(folder)
    return model


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_every_family_loads_from_a_directory(case: Any, small: ModuleType, tmp_path: Path) -> None:
    if case.name.startswith("pe-av"):
        pytest.skip("the library loads the vision model of PE-AV through timm")
    model = save(small, case, tmp_path)
    options = dict(case.options)
    if "settings" in options:
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(options.pop("settings")))
    load_it = load.sound_as_picture if case.name.endswith("-hears") else LOADERS[case.modality]
    encoder = load_it(model=tmp_path, **options)
    ours = case.encoder(model)
    assert encoder_digest(encoder) == encoder_digest(ours)
    assert encoder.widths == ours.widths
    assert encoder.modality == case.modality
    assert not encoder.model.training
    if case.modality is not Modality.LANGUAGE:
        assert encoder.spec == ours.spec


def test_the_precision_is_the_one_asked_for_and_not_the_files(small: ModuleType, tmp_path: Path) -> None:
    case = next(case for case in small.CASES if case.name == "dinov2")
    case.library().to(torch.float16).save_pretrained(tmp_path)
    assert {p.dtype for p in load.visual(model=tmp_path).parameters()} == {torch.float32}
    half = load.visual(model=tmp_path, dtype=torch.bfloat16)
    assert {p.dtype for p in half.parameters()} == {torch.bfloat16}


def test_a_bimodal_checkpoint_is_read_once_for_both_encoders(
    small: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(small, "clip-vision", tmp_path)
    reads: list[Any] = []
    original = t.AutoModel.from_pretrained

    def read(*args: Any, **options: Any) -> Any:
        reads.append(args)
        return original(*args, **options)

    monkeypatch.setattr(t.AutoModel, "from_pretrained", read)
    sees, reads_text = load.visual(model=tmp_path), load.language(model=tmp_path)
    assert len(reads) == 1
    assert not checkpoints._WAITING, "both encoders are taken, so nothing is kept"
    again = load.visual(model=tmp_path)
    assert len(reads) == 2
    assert {p.data_ptr() for p in sees.parameters()}.isdisjoint(p.data_ptr() for p in again.parameters())
    assert encoder_digest(sees) == encoder_digest(again) != encoder_digest(reads_text)
    load.language(model=tmp_path, dtype=torch.bfloat16)
    assert len(reads) == 3, "another precision is another load"


def test_few_bimodal_checkpoints_wait_for_their_other_encoder(small: ModuleType, tmp_path: Path) -> None:
    for place in range(checkpoints.MOST_WAITING + 1):
        saved(small, "siglip-vision", tmp_path / str(place))
        load.visual(model=tmp_path / str(place))
    assert [key[0].name for key in checkpoints._WAITING] == ["1", "2"]


@pytest.mark.parametrize(
    ("config", "loader"),
    [
        (lambda small: t.RobertaForMaskedLM(t.RobertaConfig(**small.TEXT, **small.IDS)), load.language),
        (lambda small: t.ViTForImageClassification(t.ViTConfig(**small.VISION)), load.visual),
    ],
    ids=["roberta", "vit"],
)
def test_a_pooler_that_the_checkpoint_lacks_is_left_out(
    config: Callable[[ModuleType], Any], loader: Callable[..., Any], small: ModuleType, tmp_path: Path
) -> None:
    config(small).save_pretrained(tmp_path)
    small.tokenizer().save_pretrained(tmp_path)
    one, two = loader(model=tmp_path), loader(model=tmp_path)
    assert one.model.pooler is None
    assert encoder_digest(one) == encoder_digest(two), "something was initialised at random"


def test_a_parameter_that_inference_never_reads_may_be_missing(small: ModuleType, tmp_path: Path) -> None:
    saved(small, "hubert-group", tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["masked_spec_embed"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    encoder: Any = load.audio(model=tmp_path)
    assert (encoder.model.masked_spec_embed == 0).all()


def test_missing_weights_are_named(small: ModuleType, tmp_path: Path) -> None:
    saved(small, "bert", tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"weights lack encoder\.layer\.1\.output\.dense\.weight; .* whole bert"):
        load.language(model=tmp_path)


def test_weights_that_are_not_safetensors_are_refused(small: ModuleType, tmp_path: Path) -> None:
    model = saved(small, "bert", tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"no \*\.safetensors; other formats can run code"):
        load.language(model=tmp_path)


def test_code_beside_the_weights_is_never_run(small: ModuleType, tmp_path: Path) -> None:
    saved(small, "bert", tmp_path)
    trap = tmp_path / "ran"
    (tmp_path / "trap.py").write_text(f"open({str(trap)!r}, 'w')\n")
    edit(tmp_path / "config.json", auto_map={"AutoModel": "trap.Model", "AutoConfig": "trap.Config"})
    edit(tmp_path / "tokenizer_config.json", auto_map={"AutoTokenizer": ["trap.Slow", "trap.Fast"]})
    load.language(model=tmp_path)
    assert not trap.exists()


def test_the_librarys_attention_can_be_chosen(small: ModuleType, tmp_path: Path) -> None:
    saved(small, "bert", tmp_path)
    encoder: Any = load.language(model=tmp_path, attention="eager")
    assert encoder.model.config._attn_implementation == "eager"


def test_eager_attention_gives_what_sdpa_gives(small: ModuleType, tmp_path: Path) -> None:
    saved(small, "qwen3", tmp_path)
    ids = torch.tensor([[[5, 6, 7, small.PAD], [8, 9, 10, 11]]])
    inputs = {"ids": ids, "mask": ids != small.PAD}
    finished = []
    for attention in ("eager", "sdpa"):
        encoder = load.language(model=tmp_path, attention=attention)
        with torch.no_grad():
            state = encoder.embed(inputs)
            for index in range(encoder.depth):
                state = encoder.run_block(index, state)
            finished.append(encoder.finish(state)[state.mask])
    assert (finished[0] - finished[1]).abs().max() < 1e-5

"""Three real pretrained encoders: they load, and give what the library gives for its own processor's features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as t

from lstta_backbone_transformers import load
from lstta_core import Encoder

pytestmark = pytest.mark.real_weights


def run(encoder: Encoder, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        state = encoder.embed(inputs)
        for index in range(encoder.depth):
            state = encoder.run_block(index, state)
        return encoder.finish(state)


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return ((one - other).abs().max() / other.abs().max()).item()


def test_dinov2(models: Path) -> None:
    folder = models / "dinov2-small"
    encoder = load.visual(model=folder)
    assert encoder.widths == (384,) * 12
    assert encoder.spec.size == (224, 224)
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, 1, 224, 224, 3), dtype=np.uint8)
    library = t.Dinov2Model.from_pretrained(folder, dtype=torch.float32).eval()
    pixels = t.BitImageProcessorPil.from_pretrained(folder)(list(frames[0, :, 0]), return_tensors="pt")
    with torch.no_grad():
        theirs = library(**pixels)
    ours = run(encoder, {"frames": torch.from_numpy(frames), "mask": torch.ones(1, 2, 1, dtype=torch.bool)})
    assert apart(ours, theirs.last_hidden_state) < 1e-5


def test_whisper(models: Path) -> None:
    folder = models / "whisper-tiny-en"
    encoder = load.audio(model=folder)
    assert encoder.widths == (384,) * 4
    assert encoder.spec.seconds == 30
    length = torch.tensor([[16000, 16000, 9999]])
    sound = np.random.default_rng(0).integers(-8000, 8000, (1, 3, 16000)).astype(np.int16)
    sound[0, 2, 9999:] = 0
    wave = sound.reshape(-1)[:41999].astype(np.float32) / 32768
    library: Any = t.WhisperModel.from_pretrained(folder, dtype=torch.float32).eval()
    extractor = t.WhisperFeatureExtractor.from_pretrained(folder)
    with torch.no_grad():
        theirs = library.encoder(**extractor(wave, sampling_rate=16000, return_tensors="pt"))
    ours = run(encoder, {"sound": torch.from_numpy(sound), "length": length})
    assert apart(ours, theirs.last_hidden_state) < 1e-4


def test_minilm(models: Path) -> None:
    folder = models / "minilm-l6"
    encoder = load.language(model=folder)
    assert encoder.widths == (384,) * 6
    texts = ["Which instrument is louder?", "Yes."]
    rows = [encoder.spec.tokenize(text) for text in texts]
    ids = torch.full((2, 1, max(map(len, rows))), encoder.spec.pad_id)
    for row, own in zip(ids, rows, strict=True):
        row[0, : len(own)] = torch.tensor(own)
    mask = ids != encoder.spec.pad_id
    tokenizer = t.AutoTokenizer.from_pretrained(folder)
    library = t.BertModel.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        theirs = library(**tokenizer(texts, padding=True, return_tensors="pt"))
    ours = run(encoder, {"ids": ids, "mask": mask})
    assert apart(ours[mask[:, 0]], theirs.last_hidden_state[mask[:, 0]]) < 1e-5


@pytest.mark.filterwarnings("ignore:At least one mel filter:UserWarning")
def test_dinov2_hears(models: Path) -> None:
    """The tokens of the library's own forward on the pictures of two sounds; the second ends after .6 s."""
    encoder = load.sound_as_picture(model=models / "dinov2-small", sound_seconds=1.0)
    assert encoder.widths == (384,) * 12
    sound = torch.from_numpy(np.random.default_rng(0).integers(-9000, 9000, (1, 2, 16000), dtype=np.int16))
    length = torch.tensor([[16000, 9600]])
    inputs = {"sound": sound, "length": length}
    wave = sound[0].float() / 32768 * (torch.arange(16000) < length[0][:, None])
    picture = encoder.front.features(wave, length[0])["pixels"]
    assert picture.shape == (2, 3, 224, 224)
    assert -2 < picture.min() < picture.max() < 2
    library = t.Dinov2Model.from_pretrained(models / "dinov2-small", dtype=torch.float32).eval()
    with torch.no_grad():
        theirs = library(picture).last_hidden_state
        heard = encoder.embed(inputs).mask[:, 1:].view(2, 16, 16)
    assert apart(run(encoder, inputs), theirs) < 1e-5
    assert heard.all(2).sum(1).tolist() == [16, 10]
    assert torch.equal(heard.all(2), heard.any(2))

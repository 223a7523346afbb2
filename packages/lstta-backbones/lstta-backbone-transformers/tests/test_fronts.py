"""Sound on the device against the library's feature extractors.

The tolerances are the largest differences that were measured, rounded up. They come from float32 where the library
computes in float64, and show in bins some 100 dB below the loudest: a pure tone is the worst case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
import transformers as t
from numpy.typing import NDArray

from lstta_backbone_transformers.fronts import ASTFront, ClapFront, Front, WaveformFront, WhisperFront

SOUNDS = ("tone", "noise", "quiet", "half silent", "silence")


def sound(kind: str, rate: int, samples: int) -> NDArray[np.float32]:
    random, time = np.random.default_rng(0), np.arange(samples) / rate
    noise = random.integers(-20000, 20000, samples).astype(np.float64)
    values = {
        "tone": np.round(8000 * np.sin(2 * np.pi * 440 * time)),
        "noise": noise,
        "quiet": random.integers(-3, 4, samples).astype(np.float64),
        "half silent": noise * (time < time[-1] / 2),
        "silence": np.zeros(samples),
    }
    return (values[kind] / 32768).astype(np.float32)


def ours(front: Front, wave: NDArray[np.float32], samples: int) -> torch.Tensor:
    padded = torch.zeros(2, samples)
    padded[1, : len(wave)] = torch.from_numpy(wave)
    return front.features(padded, torch.tensor([0, len(wave)]))["input"][1]


def largest(one: torch.Tensor, other: Any) -> float:
    return (one - torch.as_tensor(np.asarray(other)).float().reshape(one.shape)).abs().max().item()


@pytest.mark.parametrize("kind", SOUNDS)
@pytest.mark.parametrize("mels", [80, 128])
def test_whisper_equals_the_librarys_extractor(kind: str, mels: int) -> None:
    extractor = t.WhisperFeatureExtractor(feature_size=mels)
    wave = sound(kind, 16000, 31013)
    theirs = extractor(wave, sampling_rate=16000, return_tensors="np")["input_features"]
    front = WhisperFront(t.WhisperConfig(num_mel_bins=mels), {}, None)
    tolerance = {"tone": 1e-4}.get(kind, 3e-6)  # of values from -1.5 to 1.3
    assert largest(ours(front, wave, 480000), theirs) <= tolerance


@pytest.mark.filterwarnings("ignore:At least one mel filter:UserWarning")
@pytest.mark.parametrize("kind", SOUNDS)
def test_ast_equals_the_librarys_extractor(kind: str) -> None:
    wave = sound(kind, 16000, 31013)
    theirs = t.ASTFeatureExtractor()(wave, sampling_rate=16000, return_tensors="np")["input_values"]
    front = ASTFront(t.ASTConfig(), {}, None)
    tolerance = {"tone": 1e-3}.get(kind, 3e-5)  # of values from -1.3 to 1.3
    assert largest(ours(front, wave, 163840), theirs) <= tolerance


@pytest.mark.parametrize("kind", SOUNDS)
@pytest.mark.parametrize("fusion", [False, True])
def test_clap_equals_the_librarys_extractor(kind: str, fusion: bool) -> None:
    truncation = "fusion" if fusion else "rand_trunc"
    wave = sound(kind, 48000, 91013)
    theirs = t.ClapFeatureExtractor(truncation=truncation)(wave, sampling_rate=48000, return_tensors="np")
    front = ClapFront(t.ClapAudioConfig(enable_fusion=fusion), {}, None)
    tolerance = {"tone": 0.1}.get(kind, 5e-4)  # decibels, from -100 to 36
    assert largest(ours(front, wave, 480000), theirs["input_features"][0][0]) <= tolerance


@pytest.mark.parametrize("padding", ["pad", "repeat", "repeatpad"])
def test_clap_pads_as_the_librarys_extractor(padding: str) -> None:
    settings: dict[str, Any] = {"padding": padding, "max_length_s": 1, "truncation": "rand_trunc"}
    wave = sound("noise", 48000, 10007)
    theirs = t.ClapFeatureExtractor(**settings)(wave, sampling_rate=48000, return_tensors="np")
    front = ClapFront(t.ClapAudioConfig(), settings, None)
    assert largest(ours(front, wave, 48000), theirs["input_features"][0][0]) <= 5e-4


@pytest.mark.parametrize("kind", SOUNDS)
@pytest.mark.parametrize("normalise", [False, True])
def test_waveform_equals_the_librarys_extractor(kind: str, normalise: bool) -> None:
    settings = {"do_normalize": normalise}
    extractor = t.Wav2Vec2FeatureExtractor(**settings, return_attention_mask=True)
    wave = sound(kind, 16000, 13007)
    theirs = extractor(wave, sampling_rate=16000, padding="max_length", max_length=17011, return_tensors="np")
    front = WaveformFront(t.Wav2Vec2Config(feat_extract_norm="layer"), settings, None)
    assert largest(ours(front, wave, 17011), theirs["input_values"]) <= 5e-7


def test_wav2vec_hears_what_the_librarys_mask_says() -> None:
    model = t.Wav2Vec2Model(
        t.Wav2Vec2Config(hidden_size=4, num_attention_heads=1, num_hidden_layers=1, num_conv_pos_embedding_groups=1)
    )
    front = WaveformFront(t.Wav2Vec2Config(feat_extract_norm="layer"), {}, None)
    length = torch.arange(400, 1760, 13)
    centres = front.centres(1760)
    library: Any = model
    counts = library._get_feat_extract_output_lengths(length)
    assert front.heard(centres, length).sum(1).tolist() == counts.tolist()
    assert centres[0] == 200
    assert centres[1] - centres[0] == 320


def test_whisper_may_be_cut_and_refuses_what_does_not_fit() -> None:
    config = t.WhisperConfig()
    front = WhisperFront(config, {}, 2.0)
    assert front.window == 32000
    assert front.features(torch.zeros(1, 32000), torch.tensor([32000]))["input"].shape == (1, 80, 200)
    for seconds in (0.01, 31.0, 0.0, -2.0):
        with pytest.raises(ValueError, match="position table"):
            WhisperFront(config, {}, seconds)


@pytest.mark.filterwarnings("ignore:At least one mel filter:UserWarning")
@pytest.mark.parametrize(
    ("front", "config"),
    [(ASTFront, t.ASTConfig()), (ClapFront, t.ClapAudioConfig()), (WaveformFront, t.HubertConfig())],
)
def test_only_whisper_may_be_cut(front: Any, config: Any) -> None:
    with pytest.raises(ValueError, match="leave seconds out"):
        front(config, {}, 2.0)


@pytest.mark.filterwarnings("ignore:At least one mel filter:UserWarning")
def test_tokens_sound_where_a_click_moves_them() -> None:
    """The features that a click changes lie around the tokens whose centres are near it."""
    click = 100003
    front = ASTFront(t.ASTConfig(), {}, None)
    wave = torch.full((1, 163840), 0.01) * torch.randn(163840, generator=torch.Generator().manual_seed(0))
    louder = wave.clone()
    louder[0, click] = 0.9
    length = torch.tensor([163840])
    changed = (front.features(louder, length)["input"] - front.features(wave, length)["input"])[0].abs().amax(1) > 1e-3
    centres = front.centres(163840)
    columns = centres[: len(centres) // 12]
    hit = [
        int(c)
        for c, frame in zip(columns, range(0, 1010, 10), strict=True)
        if changed[frame : frame + front.patch].any()
    ]
    assert hit
    assert min(hit) <= click <= max(hit)
    assert max(abs(c - click) for c in hit) <= (front.patch // 2 + 2) * 160


def test_constants_survive_a_cast(small: Any) -> None:
    case = next(case for case in small.CASES if case.name == "whisper")
    encoder = case.encoder(case.library())
    before: Mapping[str, torch.Tensor] = encoder.front.features(torch.ones(1, 100), torch.tensor([100]))
    encoder.to(torch.bfloat16)
    after = encoder.front.features(torch.ones(1, 100), torch.tensor([100]))
    assert torch.equal(before["input"], after["input"])


@pytest.mark.parametrize(("longest", "seconds"), [(3.0, 3.0), (2.99, 3.0), (0.001, 0.02), (31.0, 30.0)])
def test_whisper_is_cut_to_the_longest_sound_there_is(longest: float, seconds: float) -> None:
    front = WhisperFront(t.WhisperConfig(), {}, None)
    front.cut(longest)
    assert front.window == round(seconds * 16000)

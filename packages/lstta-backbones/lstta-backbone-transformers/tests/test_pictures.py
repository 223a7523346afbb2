"""Sound as a picture: its values against loops, where a patch sounds, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray

from lstta_backbone_transformers import load
from lstta_backbone_transformers.families import FAMILIES
from lstta_backbone_transformers.pictures import DEVIATION, MEAN, PictureFront, hearing
from lstta_core import LSTTA, Modality, TrimodalModel
from lstta_core.adapter_set import encoder_digest
from lstta_core.testing import synthetic_inputs

t: Any = transformers
pytestmark = pytest.mark.filterwarnings("ignore:At least one mel filter:UserWarning")


def front(side: tuple[int, int], seconds: float | None = None, patch: int = 1, **options: Any) -> PictureFront:
    config = t.ViTConfig(image_size=16, patch_size=patch)
    return hearing(FAMILIES["vit"], size=side, **options).front(config, {}, seconds)  # type: ignore[arg-type, return-value]


def picture(wave: NDArray[np.float64], rows: int, bands: int, hop: int, field: int, bins: int) -> NDArray[np.float64]:
    """One channel, frame by frame: Kaldi's filter banks as their documentation says."""

    def mel(hertz: float) -> float:
        return 1127 * math.log(1 + hertz / 700)

    low, step = mel(20), (mel(8000) - mel(20)) / (bands + 1)
    values = np.zeros((rows, bands))
    for row in range(rows):
        frame = wave[row * hop : row * hop + field]
        if len(frame) < field:
            continue
        frame = frame - frame.mean()
        frame = np.array([frame[i] - 0.97 * frame[max(i - 1, 0)] for i in range(field)])
        frame = frame * [0.5 - 0.5 * math.cos(2 * math.pi * i / (field - 1)) for i in range(field)]
        power = np.abs(np.fft.rfft(frame, bins)) ** 2
        for band in range(bands):
            heard = 0.0
            for place in range(bins // 2 + 1):
                at = (mel(place * 16000 / bins) - low) / step - band
                heard += max(0.0, min(at, 2 - at)) * power[place]
            values[row, band] = (math.log(max(heard, 2**-23)) - MEAN) / (2 * DEVIATION)
    return values


@pytest.mark.parametrize(
    ("rows", "bands", "samples", "seconds", "hop", "field", "bins"),
    [(192, 11, 3001, None, 83, 400, 512), (7, 13, 4001, 0.25, 571, 1142, 2048)],
    ids=["as LAVISH", "frames far apart"],
)
def test_it_is_the_loops(
    rows: int, bands: int, samples: int, seconds: float | None, hop: int, field: int, bins: int
) -> None:
    made = front((rows, bands), seconds)
    random = np.random.default_rng(0)
    wave = random.uniform(-0.4, 0.4, samples) + 0.1
    padded = torch.zeros(2, made.window)
    padded[1, :samples] = torch.from_numpy(wave[: made.window]).float()
    got = made.features(padded, torch.tensor([0, min(samples, made.window)]))["pixels"]
    assert got.shape == (2, 3, rows, bands)
    expected = picture(wave[: made.window], rows, bands, hop, field, bins)
    for channel in range(3):
        np.testing.assert_allclose(got[1, channel].numpy(), expected, atol=2e-5)
    assert (expected != 0).any(1).sum() == min((min(samples, made.window) - field) // hop + 1, rows)
    assert (got[0] == 0).all(), "no sound at all"


@pytest.mark.parametrize("rows", [192, 224])
def test_frames_of_a_second_are_as_far_apart_as_published(rows: int) -> None:
    made = front((rows, 5))
    assert (made.window, made.field, made.size) == (16000, 400, 512)
    assert made.hop == pytest.approx({192: 5.2, 224: 4.4}[rows] * 16, abs=1)


def test_a_patch_is_heard_where_its_first_frame_is() -> None:
    made = front((20, 15), 1.0, patch=5)  # a frame every 800 samples, of 1,600; rows of patches begin every 4,000
    length = torch.tensor([0, 1599, 1600, 5599, 5600, 16000])
    heard = made.heard(made.centres(16000), length).view(6, 4, 3)
    assert (heard == heard[..., :1]).all(), "a row of patches is one time"
    assert heard[..., 0].sum(1).tolist() == [0, 0, 1, 1, 2, 4]


def test_each_segment_is_its_own_picture() -> None:
    """A click in one segment changes the tokens of that segment alone, and those near it most."""
    config = t.ViTConfig(hidden_size=14, num_hidden_layers=1, num_attention_heads=2, intermediate_size=13)
    config.image_size, config.patch_size = 40, 5
    torch.manual_seed(0)
    encoder = load.AudioEncoder(model=t.ViTModel(config).eval(), family=hearing(FAMILIES["vit"]), span="segment")  # type: ignore[arg-type]
    sound = torch.randint(-300, 300, (2, 3, 16000), dtype=torch.int16)
    louder = sound.clone()
    louder[1, 2, 9000] = 30000
    length = torch.full((2, 3), 16000)
    with torch.no_grad():
        before, after = (encoder.embed({"sound": s, "length": length}) for s in (sound, louder))
    change = before.layout.to_segments((before.tokens - after.tokens).abs().amax(-1))
    assert change.shape == (2, 3, 65)
    assert (change.flatten(0, 1)[:5] == 0).all()
    by_row = change[1, 2, 1:].view(8, 8).amax(1)
    assert by_row.argmax() == 9000 // 2000
    assert (by_row[:4] == 0).all()
    assert (by_row[6:] == 0).all()


def test_adapters_and_states_are_bound_to_the_picture(small: ModuleType, tmp_path: Path) -> None:
    """Whatever changes the picture changes the digest; casting, which leaves the picture as it is, does not move it."""
    torch.manual_seed(0)
    t.Dinov2Model(t.Dinov2Config(**small.VISION)).save_pretrained(tmp_path)

    def made(**options: Any) -> Any:
        return load.sound_as_picture(model=tmp_path, **{"size": (20, 15), "seconds": 0.5, **options})

    changes: tuple[dict[str, Any], ...] = ({"size": (15, 20)}, {"seconds": 0.4}, {"mean": -4.0}, {"deviation": 3.0})
    digests = [encoder_digest(made(**change)) for change in ({}, *changes)]
    assert len(set(digests)) == 1 + len(changes)
    assert encoder_digest(made()) == digests[0]
    assert torch.equal(made().to(torch.bfloat16).said, made().said)


def test_sight_and_sound_of_one_checkpoint(small: ModuleType, tmp_path: Path) -> None:
    """Both towers from one folder: the same weights, held twice, and an adapter between them."""
    torch.manual_seed(0)
    t.Dinov2Model(t.Dinov2Config(**small.VISION)).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"crop_size": {"height": 25, "width": 20}}))
    sees, hears = load.visual(model=tmp_path), load.sound_as_picture(model=tmp_path, sound_seconds=0.5)
    assert all(torch.equal(*pair) for pair in zip(sees.parameters(), hears.parameters(), strict=True))
    assert {p.data_ptr() for p in sees.parameters()}.isdisjoint(p.data_ptr() for p in hears.parameters())
    assert (hears.spec.sample_rate, hears.spec.span, hears.spec.seconds) == (16000, "segment", 0.5)
    model = TrimodalModel({sees.modality: sees, hears.modality: hears})
    model.add_adapter("both", LSTTA(width=8, heads=2, latents=3))
    inputs = {m: synthetic_inputs(e.spec, batch=2, segments=3) for m, e in model.encoders.items()}
    streams = model(inputs).streams  # type: ignore[arg-type]
    assert streams[Modality.VISUAL].tokens.shape == streams[Modality.AUDIO].tokens.shape == (2, 3, 21, 14)


@pytest.mark.parametrize(
    ("model_type", "options", "seconds", "match"),
    [
        ("videomae", {}, None, "videomae reads video; a log-mel is one picture"),
        ("vit", {"size": (16, 15)}, None, r"size=\(16, 15\) must be multiples of the patch size 16"),
        ("vit", {"size": (0, 0)}, None, r"size\[0\]: a whole number, 1 or more is wanted, got 0"),
        ("vit", {"size": (32, 32, 3)}, None, r"size=\(32, 32, 3\): \(height, width\) is wanted"),
        ("vit", {"deviation": 0.0}, None, "deviation: a number above 0 is wanted, got 0.0"),
        ("vit", {"deviation": math.nan}, None, "deviation: a number above 0 is wanted, got nan"),
        ("vit", {"mean": math.inf}, None, "mean=inf: a finite number is wanted"),
        ("vit", {}, math.inf, "seconds: a number above 0 is wanted, got inf"),
        ("vit", {}, 0.02, "a picture of 0.02 s and 224 rows: it must hold 0.025 s at least"),
    ],
)
def test_what_does_not_fit_is_refused(
    model_type: str, options: dict[str, Any], seconds: float | None, match: str
) -> None:
    config = (t.VideoMAEConfig if model_type == "videomae" else t.ViTConfig)()
    with pytest.raises(ValueError, match=match):
        hearing(FAMILIES[model_type], **options).front(config, {}, seconds)  # type: ignore[arg-type]

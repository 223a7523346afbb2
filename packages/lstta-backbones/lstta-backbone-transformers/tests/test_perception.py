"""PE-AV beside its library on clips of different lengths: input, masks, states, pooled output; and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor

from lstta_backbone_transformers import checkpoints, load
from lstta_backbone_transformers.perception import PerceptionFront
from lstta_core import Encoder, Modality
from lstta_core.testing import synthetic_inputs

t: Any = transformers


def case(perception: ModuleType, name: str) -> Any:
    return next(case for case in perception.PERCEPTION_CASES if case.name == name)


def states(encoder: Encoder, inputs: dict[str, Tensor]) -> list[Tensor]:
    """Tokens after embed, after each block, and finished."""
    with torch.no_grad():
        state = encoder.embed(inputs)
        tokens = [state.tokens]
        for index in range(encoder.depth):
            state = encoder.run_block(index, state)
            tokens.append(state.tokens)
        return [*tokens, encoder.finish(state)]


def hidden_states(model: Any, tower: Any, **given: Tensor) -> tuple[list[Tensor], Any]:
    """The library's tokens before and after each of its layers."""
    seen: list[Tensor] = []
    hooks = [layer.register_forward_hook(lambda _, inputs, output: seen.append(output)) for layer in tower.layers]
    hooks.append(tower.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])))
    with torch.no_grad():
        output = model(**given)
    for hook in hooks:
        hook.remove()
    return seen, output


def test_sound_of_any_length_equals_the_library(perception: ModuleType) -> None:
    one = case(perception, "pe-audio")
    encoder = one.encoder(one.library())
    length = torch.tensor([[137, 1], [40, 21]])
    sound = torch.randint(-9000, 9000, (2, 2, 140), dtype=torch.int16)
    ours = states(encoder, {"sound": sound, "length": length})

    extractor = t.PeAudioFeatureExtractor(**perception.SETTINGS)
    waves = [sound.flatten(0, 1)[row, :n].numpy() / np.float32(32768) for row, n in enumerate(length.flatten())]
    given = extractor(waves, sampling_rate=1000, padding=True, return_tensors="pt")
    assert given["padding_mask"].sum(1).tolist() == [140, 20, 40, 40]
    theirs, output = hidden_states(encoder.model, encoder.model, **given)
    with torch.no_grad():
        state = encoder.embed({"sound": sound, "length": length})
    assert torch.equal(state.mask[:, 1:], output.output_mask.bool())
    assert state.layout.segment[:, 0].tolist() == [-1] * 4
    valid = torch.nn.functional.pad(output.output_mask.bool(), (1, 0), value=True)
    for one_state, other in zip(ours, [*theirs, perception.with_class(output)], strict=True):
        assert (one_state - other)[valid].abs().max() <= 2e-6
    assert (ours[-1][:, 0] - output.pooler_output).abs().max() <= 2e-6


def test_frames_of_clips_of_any_length_equal_the_library(perception: ModuleType) -> None:
    one = case(perception, "pe-av-video")
    model = one.library()
    encoder = one.encoder(model)
    inputs = synthetic_inputs(encoder.spec, batch=3, segments=5)
    ours = states(encoder, inputs)
    mask = inputs["mask"].flatten(1)
    assert mask.sum(1).tolist() == [10, 8, 6]
    pixels = encoder.pixels(inputs["frames"].flatten(1, 2))
    tower = model.video_model.video_encoder
    theirs, output = hidden_states(tower, tower, pixel_values_videos=pixels, padding_mask_videos=mask.long())
    valid = torch.nn.functional.pad(mask, (1, 0), value=True)
    for one_state, other in zip(ours, [*theirs, perception.with_class(output)], strict=True):
        assert (one_state - other)[valid].abs().max() <= 2e-6
    assert (ours[-1][:, 0] - output.pooler_output).abs().max() <= 2e-6
    with torch.no_grad():
        layout = encoder.embed(inputs).layout
    assert layout.segment[0].tolist() == [-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert layout.to_segments(ours[-1]).shape == (3, 5, 2, 12)


def test_its_joint_embedding_can_be_made_of_both_towers(perception: ModuleType) -> None:
    """The towers are those that the whole model's own embeddings come from."""
    one = case(perception, "pe-av-audio")
    model = one.library()
    hears = one.encoder(model)
    wave = torch.randint(-9000, 9000, (2, 1, 200), dtype=torch.int16)
    finished = states(hears, {"sound": wave, "length": torch.tensor([[200], [200]])})[-1]
    with torch.no_grad():
        ours = model.audio_model.audio_head(finished[:, 0])
        theirs = model.get_audio_embeds(wave.float() / 32768)
    assert (ours - theirs).abs().max() <= 2e-6


def test_all_three_parts_of_a_checkpoint_are_known() -> None:
    assert checkpoints.parts_of("pe_audio_video").keys() == set(Modality)


def test_without_timm_it_is_refused_in_a_line(
    perception: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "find_spec", lambda name: None)
    one = case(perception, "pe-av-audio")
    one.library().save_pretrained(tmp_path / "small")
    with pytest.raises(ImportError, match=r"^small \(pe_audio_video\) holds a vision model of timm: pip install timm$"):
        load.audio(model=tmp_path / "small")


def test_the_size_is_that_of_the_vision_model(perception: ModuleType) -> None:
    config = t.PeVideoEncoderConfig()
    assert checkpoints.FAMILIES["pe_video_encoder"].native_size(config) == (336, 336)
    one = case(perception, "pe-av-video")
    with pytest.raises(ValueError, match=r"pe_video_encoder reads frames of \(15, 15\) only, got size=\(20, 20\)"):
        type(one)(**{**vars(one), "options": {"size": (20, 20)}}).encoder(one.library())


@pytest.mark.parametrize(
    ("settings", "seconds", "match"),
    [
        ({}, 2.0, "reads any length: leave seconds out, got 2.0"),
        ({"hop_length": 10}, None, "hop_length=10, feature_size=1 .* steps of 20"),
        ({"feature_size": 2}, None, "hop_length=20, feature_size=2 .* steps of 20"),
    ],
)
def test_what_does_not_fit_is_refused(
    perception: ModuleType, settings: dict[str, Any], seconds: float | None, match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        PerceptionFront(perception.hears(), settings, seconds)

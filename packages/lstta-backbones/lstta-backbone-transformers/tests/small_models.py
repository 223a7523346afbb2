"""Every family from a small random configuration of the real architecture, and the library's own forward of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import transformers
from lstta_transformers_small_configs import (  # as conftest.py calls it
    BLOCK,
    CLAP_FOLDS,
    CLAP_SETTINGS,
    CLS,
    DECODER,
    GROUP,
    IDS,
    LAYER,
    PAD,
    SEP,
    SLOW,
    SWIN,
    TEXT,
    VISION,
    VOCABULARY,
    WHISPER_SETTINGS,
    clap,
    clip,
    siglip,
    siglip2,
    tokenizer,
)
from torch import Tensor, nn

from lstta_backbone_transformers.audio import AudioEncoder
from lstta_backbone_transformers.families import FAMILIES, parts_of
from lstta_backbone_transformers.language import LanguageEncoder
from lstta_backbone_transformers.sound import rows_of
from lstta_backbone_transformers.visual import VisualEncoder
from lstta_core import Encoder, Modality

t: Any = transformers


@dataclass(frozen=True)
class Case:
    """One family.

    Attributes:
        name: of the case; families with variants have several.
        config: makes the small configuration.
        loader: the library's class.
        modality: which encoder of the checkpoint.
        options: of our encoder.
        arguments: features → what the library's forward is called with.
        tokens: the library's output → (R, M, D).
    """

    name: str
    config: Callable[[], Any]
    modality: Modality
    loader: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    arguments: Callable[[Any, Mapping[str, Tensor]], dict[str, Any]] = lambda model, f: {"pixel_values": f["pixels"]}
    tokens: Callable[[Any], Tensor] = lambda output: output.last_hidden_state

    def library(self) -> Any:
        """The library's whole model with random weights; all norms and biases too, so that each of them counts."""
        torch.manual_seed(0)
        config = self.config()
        model = getattr(t, self.loader)(config) if self.loader else t.AutoModel.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        return model.eval()

    def part(self, model: Any) -> Any:
        """The module of this modality."""
        return model.get_submodule(parts_of(model.config.model_type)[self.modality])

    def encoder(self, model: nn.Module) -> Encoder:
        """Our encoder around the library's model."""
        part = self.part(model)
        family: Any = FAMILIES[part.config.model_type]
        match self.modality:
            case Modality.VISUAL:
                return VisualEncoder(model=part, family=family, **self.options).eval()
            case Modality.AUDIO:
                return AudioEncoder(model=part, family=family, **self.options).eval()
            case Modality.LANGUAGE:
                return LanguageEncoder(model=part, family=family, tokenizer=tokenizer(), **self.options).eval()

    def reference(self, encoder: Encoder, inputs: Mapping[str, Tensor]) -> Tensor:
        """The library's forward on the features that our encoder makes of these inputs."""
        part = encoder.model
        features = features_of(encoder, inputs)
        dtype = next(part.parameters()).dtype
        features = {name: x.to(dtype) if x.is_floating_point() else x for name, x in features.items()}
        with torch.no_grad():
            output = part(**self.arguments(part, features))
        return self.tokens(output)


def features_of(encoder: Any, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the library's model reads."""
    if isinstance(encoder, LanguageEncoder):
        return {"ids": inputs["ids"].flatten(0, 1), "mask": inputs["mask"].flatten(0, 1)}
    if isinstance(encoder, VisualEncoder):
        frames = inputs["frames"]
        if encoder.spec.span == "clip":
            frames = frames.flatten(1, 2)
            short = -frames.shape[1] % encoder.window
            frames = torch.cat([frames, frames[:, -1:].repeat(1, short, 1, 1, 1)], 1)
            return {"pixels": encoder.pixels(frames.reshape(-1, encoder.window, *frames.shape[2:]))}
        return {"pixels": encoder.pixels(frames.flatten(0, 2))}
    rows = rows_of(inputs["sound"], inputs["length"], span=encoder.spec.span, window=encoder.front.window)
    samples = torch.arange(rows.wave.shape[1]) < rows.length[:, None]
    return {**encoder.front.features(rows.wave, rows.length), "samples": samples}


def _interpolated(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"pixel_values": features["pixels"], "interpolate_pos_encoding": True}


def _patches(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    pixels, side = features["pixels"], model.config.patch_size
    corners = [(y, x) for y in range(0, pixels.shape[2], side) for x in range(0, pixels.shape[3], side)]
    squares = [pixels[:, :, y : y + side, x : x + side].permute(0, 2, 3, 1).flatten(1) for y, x in corners]
    patches = torch.stack(squares, dim=1)
    shape = torch.tensor([[pixels.shape[2] // side, pixels.shape[3] // side]]).expand(len(pixels), -1)
    return {
        "pixel_values": patches,
        "pixel_attention_mask": torch.ones(patches.shape[:2], dtype=torch.long),
        "spatial_shapes": shape,
    }


def _mel(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"input_values": features["input"]}


def _features(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"input_features": features["input"]}


def _not_longer(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    four = features["input"].expand(-1, 4, -1, -1)
    return {"input_features": four, "is_longer": torch.zeros(len(four), 1, dtype=torch.bool)}


def _wave(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    mask = features["samples"].long() if "mask" in features else None
    return {"input_values": features["input"], "attention_mask": mask}


def _text(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"input_ids": features["ids"], "attention_mask": features["mask"].long()}


def _unmasked(model: Any, features: Mapping[str, Tensor]) -> dict[str, Any]:
    return {"input_ids": features["ids"]}


def _unfolded(output: Any) -> Tensor:
    """CLAP gives (R, D, frequencies, times), folds of the picture laid side by side again; back to (R, M, D)."""
    picture = output.last_hidden_state
    rows, width, low, _ = picture.shape
    across = picture.shape[3] // CLAP_FOLDS
    return picture.view(rows, width, low, CLAP_FOLDS, across).permute(0, 3, 2, 4, 1).reshape(rows, -1, width)


VISUAL_CASES = (
    Case("vit", lambda: t.ViTConfig(**VISION), Modality.VISUAL),
    Case(
        "vit-resized",
        lambda: t.ViTConfig(**VISION),
        Modality.VISUAL,
        options={"size": (25, 10), "frames_per_segment": 2},
        arguments=_interpolated,
    ),
    Case("clip-vision", clip, Modality.VISUAL),
    Case("siglip-vision", siglip, Modality.VISUAL),
    Case("siglip2-vision", siglip2, Modality.VISUAL, options={"size": (15, 25)}, arguments=_patches),
    Case("dinov2", lambda: t.Dinov2Config(**VISION), Modality.VISUAL, options={"size": (20, 15)}),
    Case(
        "dinov3",
        lambda: t.DINOv3ViTConfig(**{**VISION, "hidden_size": 24, "num_attention_heads": 3, "num_register_tokens": 2}),
        Modality.VISUAL,
        options={"size": (15, 20)},
    ),
    Case("swinv2", lambda: t.Swinv2Config(**SWIN), Modality.VISUAL),
    Case(
        "videomae",
        lambda: t.VideoMAEConfig(**VISION, num_frames=10, tubelet_size=2, use_mean_pooling=False),
        Modality.VISUAL,
    ),
    Case(
        "videomae-filled",
        lambda: t.VideoMAEConfig(**VISION, num_frames=6, tubelet_size=2),
        Modality.VISUAL,
        options={"frames_per_segment": 4},
    ),
)
AUDIO_CASES = (
    Case(
        "ast",
        lambda: t.ASTConfig(**{**BLOCK, "hidden_size": 14, "num_attention_heads": 2, "patch_size": 5}, max_length=101),
        Modality.AUDIO,
        arguments=_mel,
    ),
    Case(
        "whisper",
        lambda: t.WhisperConfig(
            d_model=14,
            encoder_layers=3,
            encoder_attention_heads=2,
            encoder_ffn_dim=13,
            num_mel_bins=11,
            max_source_positions=113,
            vocab_size=VOCABULARY,
            decoder_layers=1,
            decoder_attention_heads=2,
            decoder_ffn_dim=13,
            **IDS,
            decoder_start_token_id=CLS,
        ),
        Modality.AUDIO,
        options={"settings": WHISPER_SETTINGS},
        arguments=_features,
    ),
    *(
        Case(
            f"{name}-{kind}",
            partial(getattr(t, config), **options),
            Modality.AUDIO,
            options={"settings": SLOW, "span": span},
            arguments=_wave,
        )
        for name, config in (("wav2vec2", "Wav2Vec2Config"), ("hubert", "HubertConfig"), ("wavlm", "WavLMConfig"))
        for kind, options, span in (("group", GROUP, "segment"), ("layer", LAYER, "clip"))
    ),
    *(
        Case(
            f"clap-audio-{name}",
            clap(fusion),
            Modality.AUDIO,
            options={"settings": CLAP_SETTINGS, "span": span},
            arguments=_not_longer if fusion else _features,
            tokens=_unfolded,
        )
        for name, fusion, span in (("fused", True, "clip"), ("unfused", False, "segment"))
    ),
)
LANGUAGE_CASES = tuple(
    Case(name, config, Modality.LANGUAGE, loader=loader, arguments=arguments)
    for name, config, loader, arguments in (
        ("bert", lambda: t.BertConfig(**TEXT, **IDS), "", _text),
        ("roberta", lambda: t.RobertaConfig(**TEXT, **IDS), "", _text),
        ("xlm-roberta", lambda: t.XLMRobertaConfig(**TEXT, **IDS), "", _text),
        ("clap-text", clap(False), "", _text),
        (
            "deberta-v2",
            lambda: t.DebertaV2Config(
                **TEXT,
                **IDS,
                relative_attention=True,
                pos_att_type=["p2c", "c2p"],
                position_biased_input=False,
                type_vocab_size=0,
                share_att_key=True,
                position_buckets=5,
                norm_rel_ebd="layer_norm",
                max_position_embeddings=61,
            ),
            "",
            _text,
        ),
        (
            "deberta-v2-conv",
            lambda: t.DebertaV2Config(
                **TEXT,
                **IDS,
                relative_attention=True,
                pos_att_type=["p2c", "c2p"],
                conv_kernel_size=3,
                conv_act="gelu",
                position_buckets=5,
                norm_rel_ebd="layer_norm",
                share_att_key=True,
                max_position_embeddings=61,
            ),
            "",
            _text,
        ),
        ("mpnet", lambda: t.MPNetConfig(**TEXT, **IDS), "", _text),
        (
            "modernbert",
            lambda: t.ModernBertConfig(
                **{**TEXT, "hidden_size": 12},
                **IDS,
                local_attention=5,
                cls_token_id=CLS,
                sep_token_id=SEP,
                layer_types=["full_attention", "sliding_attention", "sliding_attention"],
            ),
            "",
            _text,
        ),
        (
            "t5",
            lambda: t.T5Config(
                d_model=14,
                d_kv=5,
                d_ff=13,
                num_layers=3,
                num_heads=3,
                vocab_size=VOCABULARY,
                pad_token_id=PAD,
                eos_token_id=SEP,
                relative_attention_num_buckets=7,
                relative_attention_max_distance=11,
            ),
            "T5EncoderModel",
            _text,
        ),
        ("clip-text", clip, "", _text),
        ("clip-text-old", partial(clip, eos_token_id=2), "", _text),
        ("siglip-text", siglip, "", _unmasked),
        ("siglip2-text", siglip2, "", _unmasked),
        ("qwen2", lambda: t.Qwen2Config(**DECODER), "", _text),
        (
            "qwen3",
            lambda: t.Qwen3Config(
                **DECODER,
                sliding_window=3,
                use_sliding_window=True,
                layer_types=["full_attention", "sliding_attention", "full_attention"],
            ),
            "",
            _text,
        ),
        ("llama", lambda: t.LlamaConfig(**DECODER), "", _text),
    )
)
CASES = (*VISUAL_CASES, *AUDIO_CASES, *LANGUAGE_CASES)

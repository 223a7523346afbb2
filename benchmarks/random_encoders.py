"""Encoders of real architectures with random weights, for benchmarks: nothing is downloaded."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any, Literal

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

from lstta_backbone_transformers.audio import AudioEncoder
from lstta_backbone_transformers.families import FAMILIES
from lstta_backbone_transformers.language import LanguageEncoder
from lstta_backbone_transformers.visual import VisualEncoder
from lstta_core.interfaces import Encoder, Modality
from lstta_core.testing.inputs import TEXTS


def small_encoders(*, frame: tuple[int, int], seconds: float) -> dict[Modality, Encoder]:
    """DINOv2-S (12 blocks), Whisper tiny's encoder (4) and MiniLM (6), all 384 wide.

    Args:
        frame: height and width in pixels, multiples of 14.
        seconds: of sound a clip, to which Whisper's position table is cut.
    """
    return _of_width(384, text_blocks=6, frame=frame, seconds=seconds)


def large_encoders(*, text_blocks: int, frame: tuple[int, int], seconds: float) -> dict[Modality, Encoder]:
    """The same families 768 wide: with 9 blocks for texts 3.91 times the parameters of :func:`small_encoders`."""
    return _of_width(768, text_blocks=text_blocks, frame=frame, seconds=seconds)


def _of_width(width: int, *, text_blocks: int, frame: tuple[int, int], seconds: float) -> dict[Modality, Encoder]:
    heads = {"num_attention_heads": width // 64, "hidden_size": width}
    vision = transformers.Dinov2Config(**heads, num_hidden_layers=12, image_size=56, patch_size=14)
    sound = transformers.WhisperConfig(
        d_model=width,
        encoder_layers=4,
        encoder_attention_heads=width // 64,
        encoder_ffn_dim=4 * width,
        decoder_layers=1,
    )
    text = transformers.BertConfig(**heads, num_hidden_layers=text_blocks, intermediate_size=4 * width)
    return {
        Modality.VISUAL: _visual(transformers.Dinov2Model(vision), size=frame),
        Modality.AUDIO: _audio(transformers.WhisperModel(sound).encoder, span="clip", seconds=seconds),
        Modality.LANGUAGE: _language(transformers.BertModel(text)),
    }


def base_encoders() -> dict[Modality, Encoder]:
    """ViT-B/16, AST on 10.24 s, RoBERTa: 12 blocks of width 768 each, frames of 224 × 224."""
    sound = transformers.ASTModel(transformers.ASTConfig())
    text = transformers.RobertaConfig(vocab_size=50265, max_position_embeddings=514)
    return {
        Modality.VISUAL: _visual(transformers.ViTModel(transformers.ViTConfig()), size=(224, 224)),
        Modality.AUDIO: _audio(sound, span="clip"),
        Modality.LANGUAGE: _language(transformers.RobertaModel(text)),
    }


def tiny_encoders() -> dict[Modality, Encoder]:
    """The families of :func:`base_encoders` with 2 blocks of width 32 and few tokens; they read the same cache."""
    two: dict[str, Any] = {"num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 32}
    vision = transformers.ViTConfig(**two, intermediate_size=64, patch_size=112)
    sound = transformers.ASTConfig(**two, intermediate_size=64, frequency_stride=56, time_stride=56)
    text = transformers.RobertaConfig(**two, intermediate_size=64, vocab_size=64, max_position_embeddings=130)
    return {
        Modality.VISUAL: _visual(transformers.ViTModel(vision), size=(224, 224)),
        Modality.AUDIO: _audio(transformers.ASTModel(sound), span="clip"),
        Modality.LANGUAGE: _language(transformers.RobertaModel(text)),
    }


Name = Literal["base", "tiny"]


@cache
def _initialised(size: Name) -> dict[Modality, Encoder]:
    with torch.random.fork_rng(devices=[]):  # what is drawn afterwards must not depend on who came first
        torch.manual_seed(0)
        return base_encoders() if size == "base" else tiny_encoders()


def copies(size: Name) -> dict[Modality, Encoder]:
    """Encoders of a size, alike whenever they are asked for: initialised once, copied each time."""
    return copy.deepcopy(_initialised(size))


def visual(*, size: Name) -> Encoder:
    """For configs, as the other two."""
    return copy.deepcopy(_initialised(size)[Modality.VISUAL])


def audio(*, size: Name) -> Encoder:
    """The encoder of sound."""
    return copy.deepcopy(_initialised(size)[Modality.AUDIO])


def language(*, size: Name) -> Encoder:
    """The encoder of texts."""
    return copy.deepcopy(_initialised(size)[Modality.LANGUAGE])


def _visual(model: Any, **options: Any) -> Encoder:
    return VisualEncoder(model=model, family=_family(model), **options).eval()


def _audio(model: Any, **options: Any) -> Encoder:
    return AudioEncoder(model=model, family=_family(model), **options).eval()


def _language(model: Any) -> Encoder:
    words = sorted({word for text in TEXTS for word in text.split()})
    inner = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate(["[PAD]", "[UNK]", *words])}, unk_token="[UNK]")
    )
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]")
    return LanguageEncoder(model=model, family=_family(model), tokenizer=tokenizer, max_length=64).eval()


def _family(model: Any) -> Any:
    return FAMILIES[model.config.model_type]

"""Encoders of real architectures with random weights, for benchmarks: nothing is downloaded."""

from __future__ import annotations

from typing import Any

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

from lstta_backbone_transformers.audio import AudioEncoder
from lstta_backbone_transformers.families import FAMILIES
from lstta_backbone_transformers.language import LanguageEncoder
from lstta_backbone_transformers.visual import VisualEncoder
from lstta_core.interfaces import Encoder, Modality
from lstta_core.testing.inputs import TEXTS

_FOUR = {"num_attention_heads": 6, "hidden_size": 384}


def small_encoders(*, frame: tuple[int, int], seconds: float) -> dict[Modality, Encoder]:
    """DINOv2-S (12 blocks), Whisper tiny's encoder (4) and MiniLM (6), all 384 wide.

    Args:
        frame: height and width in pixels, multiples of 14.
        seconds: of sound a clip, to which Whisper's position table is cut.
    """
    vision = transformers.Dinov2Config(**_FOUR, num_hidden_layers=12, image_size=56, patch_size=14)
    sound = transformers.WhisperConfig(
        d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=1536, decoder_layers=1
    )
    text = transformers.BertConfig(**_FOUR, num_hidden_layers=6, intermediate_size=1536)
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

"""Small configurations of the real architectures: sides, widths and vocabularies of a few units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from lstta_core.testing.inputs import TEXTS

t: Any = transformers
WORDS = sorted({word for text in TEXTS for word in text.split()})
VOCABULARY = len(WORDS) + 5
CLS, PAD, MASK, SEP, UNKNOWN = 0, 1, 2, 3, 4


def tokenizer(max_length: int = 512) -> transformers.PreTrainedTokenizerFast:
    """Words to ids 5 …, with [CLS] and [SEP] around them."""
    special = {"[CLS]": CLS, "[PAD]": PAD, "[SEP]": SEP, "[MASK]": MASK, "[UNK]": UNKNOWN}
    words = {word: 5 + i for i, word in enumerate(WORDS)}
    inner = Tokenizer(models.WordLevel({**special, **words}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.BertProcessing(("[SEP]", SEP), ("[CLS]", CLS))
    return t.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", model_max_length=max_length
    )


CLAP_FOLDS = 2
Settings = dict[str, Any]
BLOCK: Settings = {"num_hidden_layers": 3, "intermediate_size": 13}
VISION: Settings = {**BLOCK, "hidden_size": 14, "num_attention_heads": 2, "image_size": 15, "patch_size": 5}
TEXT: Settings = {**BLOCK, "hidden_size": 14, "num_attention_heads": 2, "vocab_size": VOCABULARY}
IDS: Settings = {"pad_token_id": PAD, "bos_token_id": CLS, "eos_token_id": SEP}
WAVE: Settings = {
    **BLOCK,
    "hidden_size": 14,
    "num_attention_heads": 2,
    "conv_dim": (5, 7),
    "conv_kernel": (11, 3),
    "conv_stride": (7, 2),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 5,
    "num_conv_pos_embedding_groups": 2,
    "mask_time_prob": 0.05,
}
GROUP: Settings = {**WAVE, "feat_extract_norm": "group", "do_stable_layer_norm": False}
LAYER: Settings = {**WAVE, "feat_extract_norm": "layer", "do_stable_layer_norm": True}
CLAP: Settings = {
    "depths": [2, 1, 1],
    "num_attention_heads": [1, 2, 2],
    "patch_embeds_hidden_size": 6,
    "hidden_size": 24,
    "projection_dim": 5,
    "spec_size": 32,
    "num_mel_bins": 16,
    "patch_size": 4,
    "patch_stride": 4,
    "window_size": 2,
    "aff_block_r": 2,
}
SWIN: Settings = {
    "embed_dim": 6,
    "depths": [2, 1, 2],
    "num_heads": [1, 2, 3],
    "window_size": 3,
    "image_size": 36,
    "patch_size": 2,
    "mlp_ratio": 2.0,
}
DECODER: Settings = {
    **TEXT,
    **IDS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_size": 24,
    "head_dim": 6,
}
SLOW: Settings = {"sampling_rate": 1000}


def clip(eos_token_id: int = SEP) -> Any:
    return t.CLIPConfig(
        vision_config=VISION,
        text_config={**TEXT, **IDS, "eos_token_id": eos_token_id, "max_position_embeddings": 23},
        projection_dim=5,
    )


def siglip() -> Any:
    return t.SiglipConfig(vision_config=VISION, text_config={**TEXT, "max_position_embeddings": 17})


def siglip2() -> Any:
    vision = {k: v for k, v in VISION.items() if k != "image_size"}
    return t.Siglip2Config(
        vision_config={**vision, "num_patches": 16}, text_config={**TEXT, "max_position_embeddings": 17}
    )


def clap(fusion: bool) -> Callable[[], Any]:
    return lambda: t.ClapConfig(
        audio_config={**CLAP, "enable_fusion": fusion, "fusion_type": "aff_2d"},
        text_config={**TEXT, **IDS, "max_position_embeddings": 29},
        projection_dim=5,
    )


CLAP_SETTINGS: Settings = {**SLOW, "hop_length": 17, "fft_window_size": 64, "max_length_s": 1, "frequency_max": 500}
WHISPER_SETTINGS: Settings = {**SLOW, "hop_length": 4, "n_fft": 32, "chunk_length": 1}

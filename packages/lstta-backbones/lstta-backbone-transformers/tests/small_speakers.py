"""Small random language models of every family that speaks, and the encoders around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import transformers
from lstta_transformers_small_configs import (
    CLS,
    DECODER,
    IDS,
    PAD,
    SEP,
    VOCABULARY,
    tokenizer,
)  # as conftest.py calls it

from lstta_backbone_transformers.families import FAMILIES
from lstta_backbone_transformers.speaker import Speaker

t: Any = transformers
WINDOW: dict[str, Any] = {
    "sliding_window": 4,
    "layer_types": ["full_attention", "sliding_attention", "full_attention"],
}
CONFIGS: dict[str, Callable[[], Any]] = {
    "llama": lambda: t.LlamaConfig(**DECODER),
    "qwen2": lambda: t.Qwen2Config(**DECODER, tie_word_embeddings=True),
    "qwen3": lambda: t.Qwen3Config(**DECODER, use_sliding_window=True, **WINDOW),
    "gemma": lambda: t.GemmaConfig(**DECODER),
    "gemma2": lambda: t.Gemma2Config(**DECODER, **WINDOW, query_pre_attn_scalar=6),
    "gemma3_text": lambda: t.Gemma3TextConfig(**DECODER, **WINDOW, query_pre_attn_scalar=6),
    "smollm3": lambda: t.SmolLM3Config(**DECODER, no_rope_layers=[1, 0, 1]),
    "gpt2": lambda: t.GPT2Config(n_embd=24, n_layer=3, n_head=4, n_positions=128, vocab_size=VOCABULARY, **IDS),
}


def library(name: str) -> Any:
    """The library's model with random weights, norms and biases too, so that each of them counts."""
    torch.manual_seed(0)
    model = t.AutoModelForCausalLM.from_config(CONFIGS[name]())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.generation_config.pad_token_id = PAD
    return model.eval()


def speaker(model: Any, **options: Any) -> Speaker:
    """Our encoder around it."""
    family: Any = FAMILIES[model.config.model_type]
    return Speaker(model=model, family=family, tokenizer=options.pop("tokenizer", words()), **options).eval()


def words() -> Any:
    """The small tokenizer, with a start and an end."""
    made = tokenizer()
    made.add_special_tokens({"bos_token": "[CLS]", "eos_token": "[SEP]"})
    assert (made.bos_token_id, made.eos_token_id) == (CLS, SEP)
    return made

#!/usr/bin/env python3
"""What training by each recipe may take on an H100, on paper: nothing is run, and nothing was ever run on the data.

    python benchmarks/recipes.py

MACs of the encoders' blocks of a sample, from their shapes and numbers of tokens, beside those of the model whose step
DESIGN.md section 7 has (ViT-B/16 on 8 frames, AST, RoBERTa on 24 tokens, the last 4 of 12 stages, 57 ms for 16 clips
on an H100, 45 ms from a prefix cache, 3.7 GiB, a plain prototype): times in proportion, and so is memory by tokens of a
batch, weights apart. Small stand-ins for tests are made here too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as t
from tokenizers import Tokenizer, models, pre_tokenizers

from lstta_tasks.experiment.config import load_config

SMALL: dict[str, int] = {
    "hidden_size": 32,
    "num_hidden_layers": 12,
    "num_attention_heads": 2,
    "intermediate_size": 37,
}
BLOCKS, WIDTH, PATCHES = 12, 768, 197
SHAPES: dict[str, Callable[[], Any]] = {
    "openai/clip-vit-base-patch16": lambda: t.CLIPConfig(vision_config={**SMALL, "patch_size": 16}, text_config=SMALL),
    "MIT/ast-finetuned-audioset-10-10-0.4593": lambda: t.ASTConfig(**SMALL),
    "microsoft/wavlm-base-plus": lambda: t.WavLMConfig(**SMALL),
    "openai/whisper-small": lambda: t.WhisperConfig(
        d_model=32,
        encoder_layers=12,
        encoder_attention_heads=2,
        encoder_ffn_dim=37,
        decoder_layers=1,
        decoder_attention_heads=2,
    ),
    "FacebookAI/roberta-base": lambda: t.RobertaConfig(**SMALL, max_position_embeddings=514),
    "microsoft/deberta-v3-base": lambda: t.DebertaV2Config(
        **SMALL,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        type_vocab_size=0,
        share_att_key=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
    ),
}
"""Of the checkpoints that recipes name, made small."""
SOUND = {"MIT/ast-finetuned-audioset-10-10-0.4593": 1214, "openai/whisper-small": 1500}
"""Tokens of a clip's sound, of encoders with a fixed length; others have 50 a second."""
WORDS = {"music_avqa": 14, "meld": 60, "mosei": 30, "msrvtt": 14, "violin": 32, "urfunny": 100, "ave": 0, "llp": 0}
"""Ids of a text, a guess at the data's."""
SAMPLES = {
    "music_avqa": 32_087,
    "meld": 9_989,
    "mosei": 16_326,
    "msrvtt": 180_000,
    "violin": 76_122,
    "urfunny": 10_598,
    "ave": 3_339,
    "llp": 10_000,
}
"""Of an epoch: of the first four as docs/tasks and the files have them, of the others as in the papers."""
KNOWN_MS, KNOWN_PREFIX_MS = 57 / 16, 45 / 16
"""A sample of the model of DESIGN.md section 7."""
KNOWN_GIB, KNOWN_TOKENS, WEIGHTS_GIB = 3.7, 16 * (8 * PATCHES + 1214 + 24), 0.5
"""Its peak memory, the tokens of its batch, and its frozen weights in bfloat16: 260 M, as in every recipe."""


def macs(tokens: int, rows: int = 1) -> int:
    """Of 12 blocks of width 768, forward, for rows of so many tokens."""
    return rows * BLOCKS * tokens * (12 * WIDTH**2 + 2 * tokens * WIDTH)


KNOWN = macs(PATCHES, 8) + macs(1214) + macs(24)


def stand_in(model: str, folder: Path) -> Path:
    """A small checkpoint with random weights of a family on the hub, and a tokenizer of no words, in a folder."""
    path = folder / model.replace("/", "--")
    if not path.exists():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            t.AutoModel.from_config(SHAPES[model]()).save_pretrained(path)
        inner = Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}, unk_token="<unk>"))
        inner.pre_tokenizer = pre_tokenizers.Whitespace()
        special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
        t.PreTrainedTokenizerFast(tokenizer_object=inner, **special, model_max_length=510).save_pretrained(path)
    return path


def stand_ins(recipe: str, folder: Path) -> dict[str, str]:
    """Options that take all encoders of a recipe from such folders."""
    encoders = load_config(f"recipes/{recipe}").encoders
    return {f"encoders.{m}.model": str(stand_in(encoder["model"], folder)) for m, encoder in encoders.items()}


def table() -> str:
    """As Markdown."""
    lines = [
        "| recipe | samples an epoch | GMACs forward | H100-hours, all epochs | from a prefix | clips a step | GiB |",
        "|" + "---|" * 7,
    ]
    for name, samples in SAMPLES.items():
        config = load_config(f"recipes/{name}")
        segments = config.clips.segments
        heard = SOUND.get(config.encoders.audio.model, round(50 * segments * config.clips.sound_seconds))
        rows = segments if name == "violin" else 1
        forward = macs(PATCHES, segments) + macs(heard) + macs(WORDS[name], rows)
        clips = config.loader.batch_size
        tokens = clips * (segments * PATCHES + heard + rows * WORDS[name])
        gib = WEIGHTS_GIB + (KNOWN_GIB - WEIGHTS_GIB) * tokens / KNOWN_TOKENS
        ours = forward / KNOWN * samples * config.train_cfg.max_epochs / 3.6e6
        hours = f"{ours * KNOWN_MS:.2f} | {ours * KNOWN_PREFIX_MS:.2f}"
        lines.append(f"| `{name}` | {samples:,} | {forward / 1e9:,.0f} | {hours} | {clips} | {gib:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())

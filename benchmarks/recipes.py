#!/usr/bin/env python3
"""What a sample of each recipe costs, counted, and what training may take on an H100, estimated from that.

    python benchmarks/recipes.py [NAME …]      # a minute and two gigabytes of memory a recipe; nothing is downloaded

The encoders have random weights in the shapes of the checkpoints that the recipes name. Counted are the MACs of a
sample, forward and in a training step. Times on a GPU are those of a plain prototype of another model in proportion
(DESIGN.md section 7: ViT-B/16 on 8 frames, AST, RoBERTa on 24 tokens, the last 4 of 12 stages, 57 ms a step of 16 clips
on an H100). No recipe has ever run on its data, nor on a GPU.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as t
from tokenizers import Tokenizer, models, pre_tokenizers

from lstta_tasks.costs.profile import macs_of_a_sample
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment

Sizes = dict[str, Any]
FULL: Sizes = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
SMALL: Sizes = {"hidden_size": 32, "num_hidden_layers": 12, "num_attention_heads": 2, "intermediate_size": 37}
CLIP = "openai/clip-vit-base-patch16"
SHAPES: dict[str, Callable[[Sizes], Any]] = {
    CLIP: lambda sizes: t.CLIPConfig(
        vision_config={**sizes, "patch_size": 16},
        text_config={
            **sizes,
            **({"hidden_size": 512, "num_attention_heads": 8, "intermediate_size": 2048} if full(sizes) else {}),
        },
    ),
    "MIT/ast-finetuned-audioset-10-10-0.4593": lambda sizes: t.ASTConfig(**sizes),
    "microsoft/wavlm-base-plus": lambda sizes: t.WavLMConfig(**sizes),
    "openai/whisper-small": lambda sizes: t.WhisperConfig(
        d_model=sizes["hidden_size"],
        encoder_layers=sizes["num_hidden_layers"],
        encoder_attention_heads=sizes["num_attention_heads"],
        encoder_ffn_dim=sizes["intermediate_size"],
        decoder_layers=1,
    ),
    "FacebookAI/roberta-base": lambda sizes: t.RobertaConfig(**sizes, vocab_size=50265, max_position_embeddings=514),
    "microsoft/deberta-v3-base": lambda sizes: t.DebertaV2Config(
        **sizes,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        type_vocab_size=0,
        share_att_key=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
    ),
}
"""The recipes' checkpoints."""
KNOWN_MS = 57 / 16
"""A sample of the model of DESIGN.md section 7."""
WORDS = {"music_avqa": 14, "meld": 60, "mosei": 30, "msrvtt": 14, "violin": 32, "urfunny": 100}
"""Ids of a text that are counted, about as long as the data's are."""
SAMPLES = {  # of an epoch, and clips in all; from the data sets' papers, see docs/tasks
    "music_avqa": (32_087, 9_288),
    "meld": (9_989, 13_708),
    "mosei": (16_326, 22_856),
    "msrvtt": (180_000, 10_000),
    "violin": (76_122, 15_887),
    "urfunny": (10_598, 16_514),
}


def full(sizes: Sizes) -> bool:
    return sizes is FULL


def stand_in(model: str, folder: Path, sizes: Sizes) -> Path:
    """A checkpoint with random weights in the shape of one on the hub, and a tokenizer of a few words, in a folder."""
    path = folder / model.replace("/", "--")
    if not path.exists():
        config = SHAPES[model](sizes)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            made = t.AutoModel.from_config(config)
        made.half().save_pretrained(path)
        inner = Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}, unk_token="<unk>"))
        inner.pre_tokenizer = pre_tokenizers.Whitespace()
        special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
        t.PreTrainedTokenizerFast(tokenizer_object=inner, **special, model_max_length=510).save_pretrained(path)
    return path


def stand_ins(recipe: str, folder: Path, sizes: Sizes) -> dict[str, str]:
    """Options that take all encoders of a recipe from such folders."""
    encoders = load_config(f"recipes/{recipe}").encoders
    return {f"encoders.{m}.model": str(stand_in(encoder["model"], folder, sizes)) for m, encoder in encoders.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="NAME", help=f"default: {', '.join(SAMPLES)}")
    names = parser.parse_args().recipes or list(SAMPLES)
    print("| recipe | trains | GMACs a sample, forward | a step | H100-hours an epoch, never run |\n|" + "---|" * 5)
    with tempfile.TemporaryDirectory() as folder:
        known = counted("music_avqa", Path(folder), 24, {"clips.segments": 8, "clips.sound_seconds": 1.25})[2]
        for name in names:
            trains, forward, step = counted(name, Path(folder), WORDS[name], {})
            hours = step / known * KNOWN_MS * SAMPLES[name][0] / 3.6e6
            print(f"| {name} | {trains:,} | {forward / 1e9:,.0f} | {step / 1e9:,.0f} | {hours:.1f} |", flush=True)


def counted(recipe: str, folder: Path, words: int, options: dict[str, Any]) -> tuple[int, int, int]:
    """Parameters that train, and MACs of a sample, forward and in a step."""
    gc.collect()
    answers = {"task.answers": [str(number) for number in range(42)]} if recipe == "music_avqa" else {}
    given = {**stand_ins(recipe, folder, FULL), **answers, "model.frozen_dtype": "float32", **options}
    experiment = Experiment(load_config(f"recipes/{recipe}", given))
    macs = macs_of_a_sample(experiment, text_length=words).total
    return sum(p.numel() for p in experiment.model.parameters() if p.requires_grad), macs.forward, macs.step


if __name__ == "__main__":
    main()

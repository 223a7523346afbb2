"""CLIP's ViT-B/16, AST and RoBERTa from the hub, 12 blocks of 768 each, with adapters at the last 4 of 12 stages.

Frozen weights are in bfloat16. Other encoders: encoders.audio.update(model="microsoft/wavlm-base-plus").
"""

encoders = dict(
    visual=dict(name="hf-visual", model="openai/clip-vit-base-patch16"),
    audio=dict(name="hf-audio", model="MIT/ast-finetuned-audioset-10-10-0.4593", span="clip"),
    language=dict(name="hf-language", model="FacebookAI/roberta-base"),
)
model = dict(stages=12, adapted=4, readout=dict(width=256, heads=4), frozen_dtype="bfloat16")

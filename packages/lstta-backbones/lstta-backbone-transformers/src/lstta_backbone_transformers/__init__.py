"""Hugging Face transformers as encoders. This module only registers names; nothing heavy is imported before use."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_encoders(register: Register) -> None:
    """Register one loader a modality; which architecture it is says the checkpoint."""
    home = "lstta_backbone_transformers.load"
    register(
        "hf-visual",
        f"{home}:visual",
        modality="visual",
        summary="ViT, CLIP, SigLIP, SigLIP 2, DINOv2, DINOv3, Swin V2 or VideoMAE from Hugging Face",
    )
    register(
        "hf-audio",
        f"{home}:audio",
        modality="audio",
        summary="AST, Whisper, wav2vec 2.0, HuBERT, WavLM or CLAP from Hugging Face",
    )
    register(
        "hf-language",
        f"{home}:language",
        modality="language",
        summary="BERT, RoBERTa, DeBERTa, MPNet, ModernBERT, T5, CLIP, Qwen, Llama and more from Hugging Face",
    )

"""Hugging Face transformers as encoders. This module only registers names; nothing heavy is imported before use."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2
FAMILIES = {
    "visual": "ViT, CLIP, SigLIP, SigLIP 2, DINOv2, DINOv3, Swin V2, VideoMAE or PE-AV",
    "audio": "AST, Whisper, wav2vec 2.0, HuBERT, WavLM, CLAP or PE-AV",
    "language": "BERT, RoBERTa, DeBERTa, MPNet, ModernBERT, T5, CLIP, Qwen, Llama and more",
}


@hookimpl
def lstta_register_encoders(register: Register) -> None:
    """Register one loader a modality, and one of language models that speak; the checkpoint says which it is."""
    for modality, families in FAMILIES.items():
        target = f"lstta_backbone_transformers.load:{modality}"
        register(f"hf-{modality}", target, modality=modality, summary=f"{families} from Hugging Face")
    heard = "a visual model from Hugging Face that is shown log-mels, as LAVISH does"
    register(
        "hf-sound-as-picture", "lstta_backbone_transformers.load:sound_as_picture", modality="audio", summary=heard
    )
    said = "Llama, Qwen, Gemma, SmolLM or GPT-2 from Hugging Face, to answer in words"
    register("hf-speaker", "lstta_backbone_transformers.load:speaker", modality="language", summary=said)

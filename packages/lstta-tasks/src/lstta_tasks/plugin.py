"""The tasks of lstta-tasks and its encoders of ready-made features, registered through everybody's hooks."""

from __future__ import annotations

from lstta_core.hookspecs import Register, hookimpl

LSTTA_API_VERSION = 2


@hookimpl
def lstta_register_encoders(register: Register) -> None:
    for modality in ("visual", "audio", "language"):
        target = f"lstta_tasks.features.encoder:Precomputed{modality.title()}"
        summary = "features from .npy, .npz or HDF5 files in place of an encoder's"
        register(f"precomputed-{modality}", target, modality=modality, summary=summary)


@hookimpl
def lstta_register_tasks(register: Register) -> None:
    register("avqa", "lstta_tasks.tasks.avqa:AVQA", summary="questions about videos with sound (MUSIC-AVQA)")
    register("avqa-options", "lstta_tasks.tasks.avqa_options:AVQAOptions", summary="questions with four options (AVQA)")
    register("sentiment", "lstta_tasks.tasks.sentiment:Sentiment", summary="a score in [-3, 3] (CMU-MOSI, CMU-MOSEI)")
    register("emotion", "lstta_tasks.tasks.emotion:Emotion", summary="emotion of an utterance in a dialogue (MELD)")
    register("humor", "lstta_tasks.tasks.humor:Humor", summary="is a punchline funny (UR-FUNNY V2)")
    register("retrieval", "lstta_tasks.tasks.retrieval:Retrieval", summary="text to video with sound (MSR-VTT)")
    register("captioning", "lstta_tasks.tasks.captioning:Captioning", summary="a sentence on a clip (MSR-VTT, VATEX)")
    register("open-qa", "lstta_tasks.tasks.open_qa:OpenQA", summary="questions answered in words (MUSIC-AVQA)")
    register("inference", "lstta_tasks.tasks.inference:Inference", summary="does a statement follow (VIOLIN)")
    register("ave", "lstta_tasks.tasks.ave:AVE", summary="what is seen and heard in each second (AVE)")
    register("avvp", "lstta_tasks.tasks.avvp:AVVP", summary="what is heard, what is seen in each second (LLP)")
    register(
        "classification", "lstta_tasks.tasks.classification:Classification", summary="labels in a CSV of one's own"
    )

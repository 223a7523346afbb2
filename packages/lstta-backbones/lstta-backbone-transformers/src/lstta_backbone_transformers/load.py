"""What a config names: an encoder from a hub id or a local directory.

    hf-visual    model="facebook/dinov2-base"
    hf-audio     model="models/whisper-tiny.en"
    hf-language  model="sentence-transformers/all-MiniLM-L6-v2", revision="…"
    hf-speaker   model="Qwen/Qwen2.5-0.5B-Instruct"
    hf-sound-as-picture   model="facebook/dinov2-base"

Which architecture it is says the checkpoint itself. The two encoders of a bimodal checkpoint (CLIP, SigLIP, CLAP) are
loaded once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import torch
from transformers import AutoTokenizer

from lstta_backbone_transformers.audio import AudioEncoder
from lstta_backbone_transformers.checkpoints import load_part, load_speaking, locate
from lstta_backbone_transformers.family import AudioFamily, LanguageFamily, VisualFamily
from lstta_backbone_transformers.language import LanguageEncoder
from lstta_backbone_transformers.pictures import DEVIATION, MEAN, hearing
from lstta_backbone_transformers.speaker import Speaker
from lstta_backbone_transformers.visual import VisualEncoder
from lstta_core.interfaces import Modality


def visual(
    *,
    model: str | Path,
    revision: str | None = None,
    dtype: torch.dtype = torch.float32,
    attention: str | None = None,
    size: tuple[int, int] | None = None,
    frames_per_segment: int | None = None,
) -> VisualEncoder:
    """A visual encoder.

    Args:
        model: hub id or local directory.
        revision: of the hub: a commit, tag or branch.
        dtype: of the weights, whatever the checkpoint stores.
        attention: the library's attention implementation; its own choice where nothing is said, which is
            ``"sdpa"`` wherever the architecture has it.
        size: see :class:`VisualEncoder`.
        frames_per_segment: see :class:`VisualEncoder`.

    Raises:
        ConnectionError, PermissionError, FileNotFoundError, ImportError, ValueError: see ``checkpoints``.
    """
    checkpoint = locate(model, revision)
    part = load_part(checkpoint, Modality.VISUAL, dtype=dtype, attention=attention)
    return VisualEncoder(
        model=part.model,
        family=cast(VisualFamily, part.family),
        settings=checkpoint.settings,
        size=size,
        frames_per_segment=frames_per_segment,
        name=checkpoint.name,
        revision=checkpoint.revision,
        licence=checkpoint.licence,
    )


def audio(
    *,
    model: str | Path,
    revision: str | None = None,
    dtype: torch.dtype = torch.float32,
    attention: str | None = None,
    span: Literal["segment", "clip"] = "clip",
    seconds: float | None = None,
    segments: int | None = None,
    sound_seconds: float | None = None,
) -> AudioEncoder:
    """An audio encoder.

    Args:
        model: as for :func:`visual`, and so the next three.
        revision: of the hub.
        dtype: of the weights.
        attention: the library's implementation.
        span: see :class:`AudioEncoder`.
        seconds: likewise; by default the longest sound that the next two allow, where they are given.
        segments: of a clip; a config's ``clips.segments``, where it says nothing here.
        sound_seconds: of a segment; likewise ``clips.sound_seconds``.
    """
    checkpoint = locate(model, revision)
    part = load_part(checkpoint, Modality.AUDIO, dtype=dtype, attention=attention)
    return AudioEncoder(
        model=part.model,
        family=cast(AudioFamily, part.family),
        settings=checkpoint.settings,
        span=span,
        seconds=seconds,
        longest=None if sound_seconds is None else sound_seconds * (segments or 1 if span == "clip" else 1),
        name=checkpoint.name,
        revision=checkpoint.revision,
        licence=checkpoint.licence,
    )


def sound_as_picture(
    *,
    model: str | Path,
    revision: str | None = None,
    dtype: torch.dtype = torch.float32,
    attention: str | None = None,
    size: tuple[int, int] | None = None,
    seconds: float | None = None,
    mean: float = MEAN,
    deviation: float = DEVIATION,
    sound_seconds: float | None = None,
) -> AudioEncoder:
    """An audio encoder of a visual checkpoint, which is shown the log-mel of each segment.

    The checkpoint may be that of the visual encoder: one transformer for both sight and sound. Each of the two then
    holds the weights by itself, since a method may change an encoder's weights, and those of one alone.

    Args:
        model: as for :func:`visual`, and so the next three.
        revision: of the hub.
        dtype: of the weights.
        attention: the library's implementation.
        size: (height, width) of the picture: frames, and bands. By default what the visual encoder would read.
        seconds: of a picture; by default ``sound_seconds``, and one where that is not given either.
        mean: of log-mels, see :class:`~lstta_backbone_transformers.pictures.PictureFront`.
        deviation: likewise.
        sound_seconds: of a segment; a config's ``clips.sound_seconds``, where it says nothing here.

    Raises:
        ValueError: the checkpoint has no visual encoder or reads video, or the size does not fit it.
    """
    checkpoint = locate(model, revision)
    part = load_part(checkpoint, Modality.VISUAL, dtype=dtype, attention=attention)
    return AudioEncoder(
        model=part.model,
        family=hearing(cast(VisualFamily, part.family), size=size, mean=mean, deviation=deviation),
        settings=checkpoint.settings,
        span="segment",
        seconds=seconds,
        longest=sound_seconds,
        name=checkpoint.name,
        revision=checkpoint.revision,
        licence=checkpoint.licence,
    )


def language(
    *,
    model: str | Path,
    revision: str | None = None,
    dtype: torch.dtype = torch.float32,
    attention: str | None = None,
    max_length: int | None = None,
) -> LanguageEncoder:
    """A language encoder. ``max_length``: see :class:`LanguageEncoder`; the rest as for :func:`visual`."""
    checkpoint = locate(model, revision)
    part = load_part(checkpoint, Modality.LANGUAGE, dtype=dtype, attention=attention)
    return LanguageEncoder(
        model=part.model,
        family=cast(LanguageFamily, part.family),
        tokenizer=AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False),
        max_length=max_length,
        name=checkpoint.name,
        revision=checkpoint.revision,
        licence=checkpoint.licence,
    )


def speaker(
    *,
    model: str | Path,
    revision: str | None = None,
    dtype: torch.dtype = torch.float32,
    attention: str | None = None,
    max_length: int | None = None,
    chat: bool | None = None,
) -> Speaker:
    """A language model that speaks. ``max_length`` and ``chat``: see :class:`Speaker`; the rest as :func:`visual`."""
    checkpoint = locate(model, revision)
    part = load_speaking(checkpoint, dtype=dtype, attention=attention)
    return Speaker(
        model=part.model,
        family=cast(LanguageFamily, part.family),
        tokenizer=AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False),
        max_length=max_length,
        chat=chat,
        name=checkpoint.name,
        revision=checkpoint.revision,
        licence=checkpoint.licence,
    )

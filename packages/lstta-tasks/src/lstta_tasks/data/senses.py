"""What of a clip a model can see and hear."""

from __future__ import annotations

from collections.abc import Collection

from lstta_core.interfaces import TIMED, Modality
from lstta_tasks.data.clip import Clip, DecodeError

NAMES = {Modality.VISUAL: "pictures", Modality.AUDIO: "sound"}


def lacking(clip: Clip, modalities: Collection[Modality], name: str) -> str | None:
    """What a model finds missing in a clip, in words; None where it has all.

    Args:
        clip: decoded, or with features.
        modalities: that the model reads.
        name: of the clip, for messages.

    Raises:
        DecodeError: it has nothing that the model could see or hear.
    """
    there = {Modality.VISUAL: clip.has_video, Modality.AUDIO: clip.has_sound} | dict.fromkeys(clip.features, True)
    wanted = [m for m in TIMED if m in modalities]
    found = [m for m in wanted if there[m]]
    if wanted and not found:
        said = " or ".join(NAMES[m] for m in wanted)
        raise DecodeError(f"{name}: there is no {said} in it, and the adapter reads nothing else of a clip")
    gone = [NAMES[m] for m in wanted if m not in found]
    return f"no {gone[0]} in it: answered from its {NAMES[found[0]]}" if gone else None

"""Items of a data set as if their files lacked a modality: tests without it, and training that drops it at times."""

from __future__ import annotations

from dataclasses import replace

from lstta_core.interfaces import Modality
from lstta_tasks.data.clip import Clip
from lstta_tasks.task import Sample


def lacking(sample: Sample, clip: Clip, modality: Modality) -> tuple[Sample, Clip]:
    """The two as they were without sight, sound or words. The clip's arrays are set to zeros in place.

    So they still lie side by side with those of the batch's other clips, see :mod:`lstta_tasks.data.batch`.
    """
    if modality is Modality.LANGUAGE:
        return replace(sample, text=None, timed=()), clip
    if modality is Modality.VISUAL:
        clip.frames.fill(0)
        return sample, replace(clip, has_video=False)
    clip.sound.fill(0)
    clip.sound_length.fill(0)
    return sample, replace(clip, has_sound=False)

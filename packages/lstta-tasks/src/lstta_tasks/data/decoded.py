"""What decoding makes of a clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lstta_core.features import Features
from lstta_core.modality import Modality


class DecodeError(ValueError):
    """A clip cannot be decoded. The message names the file and the reason."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A decoded clip of T segments with F frames each.

    Attributes:
        frames: (T, F, H, W, 3), uint8, RGB. Zeros without video.
        frame_times: (T, F), float64: when each frame came on the screen, in seconds from the clip's start. Slightly
            negative where the first frame was there before the clip began. Zeros without video.
        sound: (T, n), int16, mono: the samples of each segment, then zeros.
        sound_length: (T,), int64: how many samples of each segment are valid.
        has_video: whether the clip has pictures.
        has_sound: whether the clip has any samples.
        duration: in seconds; the video's where there is one, else the sound's. The sound's, too, where it goes on
            for more than a second after the last picture.
        features: from files, of the modalities whose encoders read those.
    """

    frames: NDArray[np.uint8]
    frame_times: NDArray[np.float64]
    sound: NDArray[np.int16]
    sound_length: NDArray[np.int64]
    has_video: bool
    has_sound: bool
    duration: float
    features: Mapping[Modality, Features] = field(default_factory=dict)

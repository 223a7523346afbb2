"""What a config's section ``augment`` says: how training's clips and texts are changed. All of it is off by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lstta_core.interfaces import Modality


@dataclass(frozen=True, kw_only=True)
class Augment:
    """How training samples are changed. What is drawn for one follows from seed, epoch and the sample's id alone.

    Attributes:
        crop: the least share of a picture's sides that a cut keeps, above 0 and at most 1, which keeps all; the cut is
            one for all pictures of a clip, and is enlarged to their size.
        flip: the probability that pictures are mirrored, left to right.
        colour: how far brightness, contrast and saturation are off, each by a factor from 1 - ``colour`` to 1 +
            ``colour``, below 1.
        time_shift: by how many segments pictures, sound and subtitles move together at most, to either side. What comes
            free shows the nearest picture, and is silent.
        time_masks: how many stretches of a clip's sound are silenced.
        time_mask: the longest of them, as a share of the clip.
        frequency_masks: how many bands are taken out of a clip's sound.
        frequency_mask: the widest of them, as a share of the mel scale.
        drop: the probability, by modality, that a sample is without it; one that it has always stays.

    Raises:
        ValueError: a value is out of range; the message names its key.
    """

    crop: float = 1.0
    flip: float = 0.0
    colour: float = 0.0
    time_shift: int = 0
    time_masks: int = 0
    time_mask: float = 0.1
    frequency_masks: int = 0
    frequency_mask: float = 0.2
    drop: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("time_shift", "time_masks", "frequency_masks"):
            if isinstance(value := getattr(self, name), bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"augment.{name}: a whole number, 0 or more, is wanted, got {value!r}")
        if not _is_share(self.crop) or self.crop == 0:
            raise ValueError(f"augment.crop: a number above 0 and at most 1 is wanted, got {self.crop!r}")
        shares = {name: getattr(self, name) for name in ("flip", "colour", "time_mask", "frequency_mask")}
        shares |= {f"drop.{name}": value for name, value in self.drop.items()}
        for name, value in shares.items():
            if not _is_share(value) or (name == "colour" and value == 1):
                most = "below 1" if name == "colour" else "to 1"
                raise ValueError(f"augment.{name}: a number from 0 {most} is wanted, got {value!r}")
        for name in self.drop:
            if name not in tuple(Modality):
                raise ValueError(f"augment.drop.{name}: one of {', '.join(Modality)} is wanted")


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1

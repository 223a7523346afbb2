"""Features that somebody else computed: what one clip's are, and where they are read. Imports no torch.

n  steps in time        N  tokens of a step        D  width of a token
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class FeatureError(ValueError):
    """Features cannot be used. The message names their file and their key."""


@dataclass(frozen=True, eq=False)
class Features:
    """The features of one clip, text or video.

    Attributes:
        values: (n, N, D), float32, finite.
        times: (n, 2), float64: when each step begins and ends, in seconds from the clip's start, or from the video's
            where they are of a whole one. None where that is not known: then steps are equally long and fill the clip.
    """

    values: NDArray[np.float32]
    times: NDArray[np.float64] | None = None

    @property
    def end(self) -> float | None:
        """When the last step ends; None where that is not known, or nothing is there."""
        return None if self.times is None or not len(self.times) else float(self.times[:, 1].max())

    def later(self, seconds: float) -> Features:
        """The same on a clock that starts so much later."""
        return self if self.times is None else replace(self, times=self.times - seconds)


class FeatureSource(Protocol):
    """Where features are read, by the ids of what they are of."""

    @property
    def place(self) -> str:
        """The file or folder, for messages."""

    def names(self) -> Collection[str]:
        """The ids that there are features of; a look-up in it is quick."""

    def read(self, name: str) -> Features:
        """The features of this id.

        Raises:
            FeatureError: there are none, or they cannot be used.
        """

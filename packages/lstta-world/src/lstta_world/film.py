"""Films: shots of talkers one after another, with hard cuts between. Times are in seconds from the film's start."""

from __future__ import annotations

from dataclasses import dataclass

from lstta_world import talk_truth
from lstta_world.spans import Span
from lstta_world.talk import Talk


@dataclass(frozen=True)
class Film:
    """What is shown, shot by shot."""

    shots: tuple[Talk, ...]

    @property
    def duration(self) -> float:
        """Of all shots together."""
        return sum(shot.duration for shot in self.shots)

    def start(self, shot: int) -> float:
        """When a shot begins."""
        return sum(before.duration for before in self.shots[:shot])

    def spoken(self, shot: int) -> Span:
        """When the line of a shot begins and ends."""
        first, last = talk_truth.spoken(self.shots[shot])
        return self.start(shot) + first, self.start(shot) + last

    def word_spans(self, shot: int) -> list[Span]:
        """When each word of a shot's line is said."""
        start = self.start(shot)
        return [(start + word.onset, start + word.onset + word.duration) for word in self.shots[shot].words]

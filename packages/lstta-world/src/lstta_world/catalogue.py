"""The data sets that can be generated. Nothing is imported here, so that ``--help`` stays fast."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A data set of the catalogue.

    Attributes:
        module: beside this one; its ``DATA_SET`` is a :class:`~lstta_world.data_set.DataSet`.
        help: what it is, in a line.
        clips: how many there are by default in train, val and test.
        samples: what they are called.
    """

    module: str
    help: str
    clips: tuple[int, int, int]
    samples: str


CATALOGUE = {
    "avqa": Entry("music_avqa", "questions about musicians, as MUSIC-AVQA", (2000, 200, 300), "questions"),
    "retrieval": Entry("msrvtt", "captions of musicians, as MSR-VTT 1k-A", (2000, 200, 300), "captions"),
    "inference": Entry(
        "violin", "statements about concerts with a narrator, as VIOLIN", (2000, 200, 300), "statements"
    ),
    "humor": Entry("urfunny", "set-ups and punchlines at a concert, as UR-FUNNY V2", (2000, 200, 300), "punchlines"),
    "sentiment": Entry("mosi", "opinions about films, as CMU-MOSI and CMU-MOSEI", (2000, 300, 400), "scores"),
    "emotion": Entry("meld", "dialogues with emotions, as MELD", (2000, 300, 400), "utterances"),
    "ave": Entry("ave", "instruments that are seen and heard at once, as AVE", (2000, 200, 300), "events"),
    "avvp": Entry("llp", "instruments that are seen and heard apart, as LLP", (2000, 200, 300), "clips"),
    "moments": Entry(
        "moments", "what is shown and said second by second, as MUSIC-AVQA", (2000, 200, 300), "questions"
    ),
    "played": Entry(
        "played", "what is shown and played second by second, as MUSIC-AVQA", (2000, 200, 300), "questions"
    ),
}
"""By the name of the task that reads it; ``moments`` and ``played`` are read by the task ``avqa``."""

"""Built-in clips in which an instrument is seen and heard at once, in AVE's own layout.

``<root>/AVE/<VideoID>.mp4``; ``Annotations.txt`` with a header, ``trainSet.txt``, ``valSet.txt`` and ``testSet.txt``
without one: rows of ``Category&VideoID&Quality&StartTime&EndTime``. Four of AVE's 28 events occur.
"""

from __future__ import annotations

from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.event_clips import EventClip, draw_event
from lstta_world.music_avqa import video_id
from lstta_world.shown import Shown
from lstta_world.splits import Split, scene_rng

CATEGORIES = {"accordion": "Accordion", "flute": "Flute", "ukulele": "Ukulele", "violin": "Violin, fiddle"}
"""What AVE calls the instruments that are events."""
HEADER = "Category&VideoID&Quality&StartTime&EndTime"


def plan(split: Split, clips: int, seed: int) -> list[EventClip]:
    """The clips of a split, without rendering anything; the event is each one's last player."""
    return [draw_event(scene_rng(seed, split, index), split, tuple(CATEGORIES)) for index in range(clips)]


def name_of(split: Split, index: int) -> str:
    """Eleven characters, as those of videos on the net."""
    return f"ave{video_id(split, index)}"


def row(clip: EventClip, name: str) -> str:
    """Of one clip."""
    event = clip.players[-1]
    start, length = event.both.index(True), sum(event.both)
    return f"{CATEGORIES[event.performer.instrument]}&{name}&good&{start}&{start + length}"


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of ten seconds with one event each."""
    rows: dict[Split, list[str]] = {}
    films: dict[str, Shown] = {}
    for split, count in counts.items():
        planned = plan(split, count, seed)
        rows[split] = [row(clip, name_of(split, index)) for index, clip in enumerate(planned)]
        films |= {f"AVE/{name_of(split, index)}.mp4": clip for index, clip in enumerate(planned)}
    files = {f"{split}Set.txt": of_split for split, of_split in rows.items()}
    files["Annotations.txt"] = [HEADER, *(line for of_split in rows.values() for line in of_split)]
    return Contents(
        samples={split: len(of_split) for split, of_split in rows.items()},
        annotations={file: "".join(f"{line}\n" for line in lines).encode() for file, lines in files.items()},
        films=films,
        relevant={split: {} for split in counts},
    )


DATA_SET = DataSet({"dataset": "ave"}, contents)

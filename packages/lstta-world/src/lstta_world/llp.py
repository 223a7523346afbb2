"""Built-in clips in which instruments are seen and heard, each at its own times, in LLP's own layout.

``<root>/video/<name>.mp4``; tab-separated ``AVVP_train.csv`` (``filename``, ``event_labels`` of the clip), and of val
and test ``AVVP_<split>_audio.csv`` and ``AVVP_<split>_visual.csv`` (``filename``, ``onset``, ``offset``,
``event_labels``) and ``AVVP_<split>_pd.csv``, which has the clips as that of train. A filename is a video's with the
seconds that the clip is of. Four of LLP's 25 labels occur, speech only to be heard.
"""

from __future__ import annotations

from itertools import groupby

from lstta_world.data_set import Contents, Counts, DataSet
from lstta_world.event_clips import SECONDS, EventClip, Seconds, draw_labels
from lstta_world.music_avqa import video_id
from lstta_world.shown import Shown
from lstta_world.splits import Split, scene_rng

LABELS = {"accordion": "Accordion", "cello": "Cello", "violin": "Violin_fiddle"}
"""What LLP calls the instruments that have a label."""
SPEECH = "Speech"


def plan(split: Split, clips: int, seed: int) -> list[EventClip]:
    """The clips of a split, without rendering anything."""
    return [draw_labels(scene_rng(seed, split, index), split, tuple(LABELS)) for index in range(clips)]


def name_of(split: Split, index: int) -> str:
    """Of a video."""
    return f"llp{video_id(split, index)}"


def labelled(clip: EventClip, side: str) -> dict[str, Seconds]:
    """The labels that are heard (``audio``) or seen (``visual``), and in which seconds."""
    found = {
        LABELS[player.performer.instrument]: player.heard if side == "audio" else player.seen
        for player in clip.players
        if player.performer.instrument in LABELS
    }
    if side == "audio":
        found[SPEECH] = clip.speech
    return {label: seconds for label, seconds in found.items() if any(seconds)}


def contents(counts: Counts, seed: int) -> Contents:
    """Clips of ten seconds."""
    files: dict[str, list[str]] = {}
    films: dict[str, Shown] = {}
    for split, count in counts.items():
        planned = {f"{name_of(split, i)}_0_{SECONDS}": clip for i, clip in enumerate(plan(split, count, seed))}
        films |= {f"video/{name_of(split, i)}.mp4": clip for i, clip in enumerate(planned.values())}
        weak = {
            name: dict.fromkeys(label for side in ("audio", "visual") for label in labelled(clip, side))
            for name, clip in planned.items()
        }
        listed = ["filename\tevent_labels", *(f"{name}\t{','.join(labels)}" for name, labels in weak.items())]
        files["AVVP_train.csv" if split == "train" else f"AVVP_{split}_pd.csv"] = listed
        if split != "train":
            for side in ("audio", "visual"):
                rows = [line for name, clip in planned.items() for line in _rows(name, labelled(clip, side))]
                files[f"AVVP_{split}_{side}.csv"] = ["filename\tonset\toffset\tevent_labels", *rows]
    return Contents(
        samples=dict(counts),
        annotations={file: "".join(f"{line}\n" for line in lines).encode() for file, lines in files.items()},
        films=films,
        relevant={split: {} for split in counts},
    )


def _rows(name: str, labels: dict[str, Seconds]) -> list[str]:
    rows = []
    for label, seconds in labels.items():
        start = 0
        for so, some in groupby(seconds):
            end = start + len(list(some))
            if so:
                rows.append(f"{name}\t{start}\t{end}\t{label}")
            start = end
    return rows


DATA_SET = DataSet({"dataset": "avvp"}, contents)

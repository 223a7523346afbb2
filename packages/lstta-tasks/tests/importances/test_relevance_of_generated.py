"""The file that the generator writes fits the samples that each task reads, and the clips that the cache decodes."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from lstta_core.interfaces import Modality
from lstta_tasks.importances.relevance_file import (
    RELEVANT_SECONDS,
    check_within_clips,
    read_relevant_seconds,
    relevance_file,
)
from lstta_tasks.task import Task
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.emotion import Emotion
from lstta_tasks.tasks.humor import Humor
from lstta_tasks.tasks.inference import Inference
from lstta_tasks.tasks.sentiment import Sentiment
from lstta_world import relevant_seconds
from lstta_world.generate import generate


@pytest.mark.parametrize("kind", [AVQA, Emotion, Humor, Inference, Sentiment])
def test_every_sample_has_its_seconds(kind: type[Task], tmp_path: Path) -> None:
    generate(kind.name, tmp_path, train=2, val=1, test=3, seed=5, workers=1)
    file = relevance_file({"name": kind.name, "root": tmp_path})
    assert file is not None
    assert RELEVANT_SECONDS == relevant_seconds.RELEVANT_SECONDS
    task = kind(root=tmp_path)  # type: ignore[call-arg]
    for split in task.splits():
        samples = {sample.id: sample for sample in task.samples(split)}
        relevant = read_relevant_seconds(file, split, samples)
        assert list(relevant) == list(samples)
        assert all(set(entry.spans) == {Modality.VISUAL, Modality.AUDIO} for entry in relevant.values())
        if kind is AVQA:
            assert all(relevant[name].group == "/".join(sample.labels[:2]) for name, sample in samples.items())
        durations = {name: duration(sample.source.video) for name, sample in samples.items()}
        check_within_clips(file, relevant, durations)
        assert all(end <= durations[s] for s in relevant for spans in relevant[s].spans.values() for _, end in spans)


def duration(video: Path | None) -> float:
    with av.open(str(video)) as container:
        return (container.duration or 0) / av.time_base

"""Samples meet their clips; those that have none are counted, never fed as zeros."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_world import World
from torch.utils.data import DataLoader

from lstta_core.interfaces import AudioSpec, Modality, VisualSpec
from lstta_tasks.data.batch import Collate, SampleDataset
from lstta_tasks.data.cache import open_cache
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.task import Sample
from lstta_tasks.tasks.avqa import AVQA


def sample(name: str, clip: str) -> Sample:
    return Sample(id=name, source=ClipSource(clip, Path("nowhere.mp4")), text=None, target=0)


def test_each_sample_comes_with_its_clip(world: World) -> None:
    reader = open_cache(world.cache)
    samples = AVQA(root=world.root).samples("val")
    dataset = SampleDataset(samples, reader)
    assert len(dataset) == len(samples) == 15
    assert dataset.missing == []
    for index in range(len(dataset)):
        found, clip = dataset[index]
        assert found == samples[index]
        np.testing.assert_array_equal(clip.frames, reader.read(found.source.id).frames)
        np.testing.assert_array_equal(clip.sound, reader.read(found.source.id).sound)


def test_missing_clips_are_listed_once_and_their_samples_left_out(world: World) -> None:
    samples = [
        sample("a", "gone"),
        sample("b", "00000001"),
        sample("c", "lost"),
        sample("d", "gone"),
        sample("e", "00000000"),
    ]
    dataset = SampleDataset(samples, open_cache(world.cache))
    assert [one.id for one in dataset.samples] == ["b", "e"]
    assert dataset.missing == ["gone", "lost"]
    assert [dataset[i][0].id for i in range(len(dataset))] == ["b", "e"]


def test_no_clip_at_all_is_an_error(world: World) -> None:
    samples = [sample("a", "gone"), sample("b", "lost"), sample("c", "lost")]
    with pytest.raises(ValueError, match=r"none of the 2 clips .* \(clips.cache\): build it"):
        SampleDataset(samples, open_cache(world.cache))


def test_it_can_be_pickled_after_it_was_read(world: World) -> None:
    dataset = SampleDataset(AVQA(root=world.root).samples("val"), open_cache(world.cache))
    before = dataset[3][1].frames
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(dataset))[3][1].frames, before)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_read_the_same(world: World, workers: int) -> None:
    dataset = SampleDataset(AVQA(root=world.root).samples("val"), open_cache(world.cache))
    assert dataset[0][0].id == "1000"  # opened in the parent before it forks
    loader = DataLoader(dataset, batch_size=4, num_workers=workers, collate_fn=list)
    found = [item for batch in loader for item in batch]
    assert [one.id for one, _ in found] == [one.id for one in dataset.samples]
    for index, (_, clip) in enumerate(found):
        np.testing.assert_array_equal(clip.sound, dataset[index][1].sound)


@pytest.mark.slow
def test_spawned_workers_read_the_same(world: World) -> None:
    dataset = SampleDataset(AVQA(root=world.root).samples("val"), open_cache(world.cache))
    loader = DataLoader(dataset, batch_size=4, num_workers=1, collate_fn=list, multiprocessing_context="spawn")
    assert [one.id for batch in loader for one, _ in batch] == [one.id for one in dataset.samples]


def test_a_clip_whose_file_is_gone_is_still_read_from_the_cache(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.cache, tmp_path / "cache")
    dataset = SampleDataset([sample("a", "00000000")], open_cache(tmp_path / "cache"))
    assert dataset[0][1].has_video


@pytest.mark.parametrize("indices", [[3, 0, 3, 11], [2]])
def test_a_batch_equals_its_items_and_is_copied_once(world: World, indices: list[int]) -> None:
    dataset = SampleDataset(AVQA(root=world.root).samples("val"), open_cache(world.cache))
    batch = dataset.__getitems__(indices)
    for index, (one, clip) in zip(indices, batch, strict=True):
        assert one == dataset[index][0]
        np.testing.assert_array_equal(clip.frames, dataset[index][1].frames)
        np.testing.assert_array_equal(clip.sound, dataset[index][1].sound)
    specs = {
        Modality.VISUAL: VisualSpec(size=dataset.reader.preprocessing.frame_size),
        Modality.AUDIO: AudioSpec(sample_rate=dataset.reader.preprocessing.sample_rate),
    }
    collated = Collate(specs)(batch)["inputs"]
    assert collated["visual"]["frames"].data_ptr() == batch[0][1].frames.ctypes.data
    assert collated["audio"]["sound"].data_ptr() == batch[0][1].sound.ctypes.data
    if len(batch) > 1:  # in another order they have to be copied
        copied = Collate(specs)(batch[::-1])["inputs"]["visual"]["frames"]
        np.testing.assert_array_equal(copied.numpy(), np.stack([clip.frames for _, clip in batch[::-1]]))

"""Batches against loops over their samples."""

from __future__ import annotations

import multiprocessing
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lstta_core.interfaces import AudioSpec, InputSpec, LanguageSpec, Modality, VisualSpec
from lstta_tasks.data.batch import Batch, Collate
from lstta_tasks.data.clip import Clip, ClipSource
from lstta_tasks.task import Sample, TimedText

T, F, H, W, SAMPLES = 3, 2, 5, 7, 11
PAD, MOST = 99, 6


def tokenize(text: str) -> list[int]:
    """The lengths of its words."""
    return [len(word) for word in text.split()]


SPECS: dict[Modality, InputSpec] = {
    Modality.VISUAL: VisualSpec(size=(H, W), frames_per_segment=F),
    Modality.AUDIO: AudioSpec(sample_rate=100),
    Modality.LANGUAGE: LanguageSpec(tokenize=tokenize, max_length=MOST, pad_id=PAD),
}


def item(
    number: int, *, text: str | None = "what is it", video: bool = True, sound: bool = True
) -> tuple[Sample, Clip]:
    """A sample and its clip; what it lacks is zeros, as decoding leaves it."""
    random = np.random.default_rng(number)
    length = random.integers(1, SAMPLES + 1, T) * sound
    waves = random.integers(-(2**15), 2**15, (T, SAMPLES)).astype(np.int16)
    clip = Clip(
        frames=random.integers(0, 256, (T, F, H, W, 3)).astype(np.uint8) * np.uint8(video),
        frame_times=np.zeros((T, F)),
        sound=waves * (np.arange(SAMPLES) < length[:, None]).astype(np.int16),
        sound_length=length.astype(np.int64),
        has_video=video,
        has_sound=sound,
        duration=3.0,
    )
    source = ClipSource(f"clip{number}", Path("clip.mp4"))
    return Sample(id=f"s{number}", source=source, text=text, target=number % 3), clip


def test_frames_and_sound_are_those_of_the_clips_raw() -> None:
    items = [item(number) for number in range(5)]
    inputs = Collate(SPECS)(items)["inputs"]
    assert inputs["visual"]["frames"].dtype == torch.uint8
    assert inputs["audio"]["sound"].dtype == torch.int16
    assert inputs["audio"]["length"].dtype == torch.int64
    for i, (_, clip) in enumerate(items):
        np.testing.assert_array_equal(inputs["visual"]["frames"][i], clip.frames)
        np.testing.assert_array_equal(inputs["audio"]["sound"][i], clip.sound)
        np.testing.assert_array_equal(inputs["audio"]["length"][i], clip.sound_length)
    assert inputs["visual"]["mask"].shape == (5, T, F)
    assert inputs["visual"]["mask"].all()
    for modality in ("visual", "audio", "language"):
        assert inputs[modality]["present"].tolist() == [True] * 5


def test_what_a_clip_lacks_is_absent_and_masked() -> None:
    items = [item(0, video=False), item(1, sound=False), item(2, video=False, sound=False), item(3)]
    inputs = Collate(SPECS)(items)["inputs"]
    assert inputs["visual"]["present"].tolist() == [False, True, False, True]
    assert inputs["visual"]["mask"].flatten(1).any(1).tolist() == [False, True, False, True]
    assert inputs["audio"]["present"].tolist() == [True, False, False, True]
    assert inputs["audio"]["length"].sum(1).gt(0).tolist() == [True, False, False, True]


def test_texts_are_padded_to_the_longest_and_cut_at_the_most() -> None:
    texts = ["a", "bb ccc", "", None, "a bb ccc dddd eeeee ffffff ggggggg hhhhhhhh", "bb bb bb"]
    batch = Collate(SPECS)([item(i, text=text) for i, text in enumerate(texts)])["inputs"]["language"]
    ids, mask = naive_texts(texts)
    assert batch["ids"].shape == batch["mask"].shape == (6, 1, MOST)
    assert batch["ids"].dtype == torch.int64
    assert batch["ids"][:, 0].tolist() == ids
    assert batch["mask"][:, 0].tolist() == mask
    assert batch["present"].tolist() == [True, True, False, False, True, True]


def test_a_batch_without_any_text_has_one_masked_token() -> None:
    batch = Collate(SPECS)([item(i, text=None) for i in range(3)])["inputs"]["language"]
    assert batch["ids"].tolist() == [[[PAD]]] * 3
    assert batch["ids"].dtype == torch.int64
    assert not batch["mask"].any()
    assert not batch["present"].any()


def naive_texts(texts: list[str | None]) -> tuple[list[list[int]], list[list[bool]]]:
    rows = [[len(word) for word in (text or "").split()][:MOST] for text in texts]
    longest = max(len(row) for row in rows)
    padded, masks = [], []
    for row in rows:
        padded.append(row.copy())
        masks.append([True] * len(row))
        while len(padded[-1]) < longest:
            padded[-1].append(PAD)
            masks[-1].append(False)
    return padded, masks


def test_timed_text_goes_to_the_segments_that_it_overlaps() -> None:
    """Clips of three seconds and three segments: each row is the sample's text, then what is said then."""
    said = (TimedText(0.5, 1.0, "a"), TimedText(0.9, 2.1, "bb bb"), TimedText(2.1, 2.1, "ccc"), TimedText(5, 6, "dddd"))
    samples = [item(0, text="eeeee"), item(1, text=None), item(2, text=None), item(3, text="eeeee")]
    with_subtitles = [(replace(sample, timed=said if i < 2 else ()), clip) for i, (sample, clip) in enumerate(samples)]
    batch = Collate(SPECS, timed_text=True)(with_subtitles)["inputs"]["language"]
    rows = [
        [[5, 1, 2, 2], [5, 2, 2], [5, 2, 2, 3]],
        [[1, 2, 2], [2, 2], [2, 2, 3]],
        [[], [], []],
        [[5], [5], [5]],
    ]
    assert batch["ids"].shape == batch["mask"].shape == (4, T, 4)
    for clip, segments in enumerate(rows):
        for segment, row in enumerate(segments):
            assert batch["ids"][clip, segment].tolist() == row + [PAD] * (4 - len(row))
            assert batch["mask"][clip, segment].tolist() == [place < len(row) for place in range(4)]
    assert batch["present"].tolist() == [True, True, False, True]


def test_timed_rows_do_not_depend_on_the_neighbours_in_a_batch() -> None:
    alone = Collate(SPECS, timed_text=True)([item(0, text="eeeee")])["inputs"]["language"]
    assert alone["ids"].tolist() == [[[5]] * T]


@pytest.mark.parametrize("modality", list(Modality))
def test_only_what_the_model_reads_is_assembled(modality: Modality) -> None:
    batch = Collate({modality: SPECS[modality]})([item(0), item(1)])
    assert list(batch["inputs"]) == [modality]
    assert batch.keys() == {"inputs", "target", "ids"}


def test_targets_and_ids_keep_their_order_and_kind() -> None:
    batch = Collate(SPECS)([item(4), item(2), item(0)])
    assert batch["ids"] == ["s4", "s2", "s0"]
    assert batch["target"].tolist() == [1, 2, 0]
    assert batch["target"].dtype == torch.int64
    real = [(Sample(id="r", source=one[0].source, text="", target=0.5), one[1]) for one in [item(1)]]
    assert Collate(SPECS)(real)["target"].dtype == torch.float32


def test_it_works_in_a_process_that_was_spawned() -> None:
    """Which pickles it, as a loader's workers do where processes are not forked."""
    collate, items = Collate(SPECS), [item(0), item(1, text=None)]
    assert_equal(pickle.loads(pickle.dumps(collate))(items), collate(items))


@pytest.mark.slow
def test_it_is_spawned_with_its_specs() -> None:
    from lstta_core.testing.toy_encoders import toy_encoders

    collate = Collate({modality: encoder.spec for modality, encoder in toy_encoders().items()})
    items = [item(0), item(1, text=None)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert_equal(pool.apply(collate, (items,)), collate(items))


def assert_equal(left: Batch, right: Batch) -> None:
    assert left["ids"] == right["ids"]
    assert torch.equal(left["target"], right["target"])
    assert left["inputs"].keys() == right["inputs"].keys()
    for modality, tensors in left["inputs"].items():
        assert tensors.keys() == right["inputs"][modality].keys()
        for name, tensor in tensors.items():
            assert torch.equal(tensor, right["inputs"][modality][name])

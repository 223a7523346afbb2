"""Sections ``loss`` and ``augment``, and balanced sampling: what a config may say, and that a resume draws the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import cached_world
import pytest
import torch
from children import KILLED, train_in_child
from same_end import assert_same_end
from small_world import World

from lstta_tasks.answers.one_of_many import OUTSIDE, OneOfMany
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.sampling import balanced_order
from lstta_tasks.experiment.training_data import prepared
from lstta_tasks.sample import Sample
from lstta_tasks.training.train import SeedHook, train

ALL = {
    "loader.sampling": "balanced",
    "loss": {"class_weights": "balanced", "label_smoothing": 0.1},
    "augment": {
        "crop": 0.7,
        "flip": 0.5,
        "colour": 0.3,
        "time_shift": 1,
        "time_masks": 2,
        "frequency_masks": 2,
        "drop": {"visual": 0.3, "audio": 0.3, "language": 0.2},
    },
}
SOURCE = ClipSource("v", Path("v.mp4"))


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> World:
    return cached_world.make(tmp_path_factory.mktemp("cached"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"loader.sampling": "even"}, r"loader.sampling: one of shuffled, balanced is wanted, got 'even'"),
        ({"loss": {"smoothing": 0.1}}, r"loss.smoothing: nothing reads it"),
        ({"loss": {"label_smoothing": 1.0}}, r"loss.label_smoothing: a number from 0 to below 1 is wanted, got 1.0"),
        ({"loss": {"label_smoothing": "much"}}, r"loss.label_smoothing"),
        ({"augment": {"mirror": 0.5}}, r"augment.mirror: nothing reads it"),
        ({"augment": {"crop": 0}}, r"augment.crop: a number above 0 and at most 1 is wanted, got 0"),
        ({"augment": {"flip": 1.5}}, r"augment.flip: a number from 0 to 1 is wanted, got 1.5"),
        ({"augment": {"colour": 1}}, r"augment.colour: a number from 0 below 1 is wanted, got 1"),
        ({"augment": {"time_shift": -1}}, r"augment.time_shift: a whole number, 0 or more, is wanted, got -1"),
        ({"augment": {"drop": {"sound": 0.1}}}, r"augment.drop.sound: one of visual, audio, language is wanted"),
        (
            {"augment": {"drop": {"audio": 0.1}}, "model.modalities": ["visual", "language"]},
            r"augment.drop.audio: the model has no audio; it has visual, language",
        ),
        ({"augment": {"flip": 0.5}, "clips.prefix": "there"}, r"augment: clips.prefix reads states that were computed"),
    ],
)
def test_what_a_config_may_not_say(cached: World, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        load_config(cached.config, options)
    assert "\n" not in str(refused.value)


def batches(cached: World, epoch: int, options: dict[str, Any], *, training: bool = True, done: int = 0) -> list[Any]:
    experiment = Experiment(load_config(cached.config, options))
    loader = experiment.loader("train", experiment.dataset("train"), training=training)
    loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
    loader.sampler.done = done  # type: ignore[attr-defined]
    return list(loader)


def assert_equal(ones: list[Any], others: list[Any]) -> None:
    assert [one["ids"] for one in ones] == [other["ids"] for other in others]
    for one, other in zip(ones, others, strict=True):
        for m, tensors in one["inputs"].items():
            assert all(torch.equal(tensor, other["inputs"][m][name]) for name, tensor in tensors.items()), m


def test_a_batch_follows_from_seed_epoch_and_place(cached: World) -> None:
    whole = batches(cached, 1, ALL)
    assert_equal(whole, batches(cached, 1, {**ALL, "loader.workers": 1}))
    assert_equal(whole[2:], batches(cached, 1, ALL, done=8))
    for other in (batches(cached, 2, ALL), batches(cached, 1, {**ALL, "seed": 1})):
        assert not torch.equal(whole[0]["inputs"]["visual"]["frames"], other[0]["inputs"]["visual"]["frames"])


def test_a_sample_looks_the_same_wherever_it_stands(cached: World) -> None:
    """Its changes follow from its id, not from its neighbours; of a sample that comes again they are others."""
    augmented = {"augment": ALL["augment"]}
    one, other = (
        {name: sound for b in some for name, sound in zip(b["ids"], b["inputs"]["audio"]["sound"], strict=True)}
        for some in (batches(cached, 3, augmented), batches(cached, 3, {**augmented, "loader.batch_size": 5}))
    )
    assert len(one) == 21
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_only_training_is_changed(cached: World) -> None:
    assert_equal(batches(cached, 0, ALL, training=False), batches(cached, 0, {}, training=False))
    off = {"augment": {"crop": 1.0, "drop": {}}, "loss": {"label_smoothing": 0.0}, "loader.sampling": "shuffled"}
    assert_equal(batches(cached, 4, off), batches(cached, 4, {}))


def test_mirrored_pictures_are_refused_where_answers_say_left(cached: World) -> None:
    experiment = Experiment(load_config(cached.config, {"augment": {"flip": 0.5}}))
    experiment.task.answer.classes = ("left", "bright")  # type: ignore[misc]
    with pytest.raises(ValueError, match=r"augment.flip: the task avqa has the answer 'left', which is wrong of a"):
        prepared(experiment, experiment.dataset("train"), None)  # type: ignore[arg-type]


class TestBalanced:
    SAMPLES = tuple(
        Sample(f"s{i}", SOURCE, None, target) for i, target in enumerate([0] * 23 + [1] * 7 + [2] + [OUTSIDE] * 3)
    )

    def test_every_class_comes_equally_often(self) -> None:
        order = balanced_order(self.SAMPLES, OneOfMany("abc"), 5)
        for epoch in range(3):
            drawn = order(epoch)
            assert len(drawn) == len(self.SAMPLES)
            counts = Counter(self.SAMPLES[place].target for place in drawn)
            assert sorted(counts) == [0, 1, 2]
            assert max(counts.values()) - min(counts.values()) <= 1
            of_ones = Counter(place for place in drawn if self.SAMPLES[place].target == 1)
            assert max(of_ones.values()) - min(of_ones.values()) <= 1
            assert max(Counter(place for place in drawn if self.SAMPLES[place].target == 0).values()) == 1
        assert order(0) == balanced_order(self.SAMPLES, OneOfMany("abc"), 5)(0) != order(1)
        assert order(0) != balanced_order(self.SAMPLES, OneOfMany("abc"), 6)(0)

    def test_one_class_is_refused(self) -> None:
        with pytest.raises(ValueError, match="all training samples are of one class"):
            balanced_order(self.SAMPLES[:5], OneOfMany("abc"), 0)


@pytest.mark.slow
def test_a_kill_and_a_resume_end_the_same(cached: World, tmp_path: Path) -> None:
    options = {**ALL, "train_cfg.max_epochs": 2, "loader.workers": 1}
    assert train_in_child(cached.config, tmp_path / "whole", options=options) == 0
    assert train_in_child(cached.config, tmp_path / "cut", options=options, kill="in the second epoch") == KILLED
    assert train_in_child(cached.config, tmp_path / "cut", options=options, resume=True) == 0
    assert_same_end(tmp_path / "whole", tmp_path / "cut")


def test_a_stop_in_an_epoch_and_a_resume_end_the_same(
    cached: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**ALL, "train_cfg.max_epochs": 2}
    train(load_config(cached.config, options), work_dir=tmp_path / "whole")
    before = SeedHook.before_train_iter

    def stop(self: SeedHook, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        before(self, runner, batch_idx, data_batch)
        if runner.iter == 8:  # the third step of the second epoch
            runner.train_loop.stopping._caught = 15

    with monkeypatch.context() as patch:
        patch.setattr(SeedHook, "before_train_iter", stop)
        with pytest.raises(SystemExit):
            train(load_config(cached.config, options), work_dir=tmp_path / "cut")
    assert (tmp_path / "cut" / "epoch_1_step_3.pth").exists()
    other = {**options, "augment": {**ALL["augment"], "crop": 0.6}}
    with pytest.raises(ValueError, match=r"augment.crop was 0.7, is 0.6 now"):
        train(load_config(cached.config, other), work_dir=tmp_path / "cut", resume=True)
    train(load_config(cached.config, options), work_dir=tmp_path / "cut", resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "cut")

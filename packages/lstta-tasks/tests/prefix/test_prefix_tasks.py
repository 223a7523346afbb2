"""Prefix caches of tasks with a text for each segment, and of tasks with several towers: losses to the bit.

On one thread: several cut sums into parts by the size of a batch, and a batch of states is not always padded like one
of texts, so retrieval's losses then differ in their last bits (seen: 7e-7 of the loss at the third step).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import small_msrvtt
import small_violin
import torch
from rounding import TRAINED, same, told
from small_world import World
from torch import Tensor

from lstta_core.fast_linear import fast_linear
from lstta_core.interfaces import Modality
from lstta_core.testing.toy_encoders import ToyLanguage
from lstta_tasks.data.build_cache import build_cache
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.prefix.build import build_prefix
from lstta_tasks.training.checkpoints import last_checkpoint
from lstta_tasks.training.train import train

TINY = {f"encoders.{m}": {"_delete_": True, "name": f"tiny-{m}"} for m in Modality}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=["inference", "retrieval"])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, dict[str, Any]]:
    """A data set with its clips decoded, and the options that give its config the tiny encoders."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "inference":
        return small_violin.make(folder), {}
    options = {**TINY, "model.stages": 4, "model.adapted": 2, "clips.cache": str(folder / "tiny")}
    small = small_msrvtt.make(folder), options
    one = experiment(small)
    build_cache(folder / "tiny", one.task.sources(), one.preprocessing, workers=1)
    return small


@pytest.fixture(scope="module")
def built(small: tuple[World, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prefix") / "cache"
    build_prefix(experiment(small, path))
    return path


def experiment(small: tuple[World, dict[str, Any]], prefix: Path | None = None, **more: Any) -> Experiment:
    world, options = small
    torch.manual_seed(0)
    given = options | more | ({} if prefix is None else {"clips.prefix": str(prefix)})
    return Experiment(load_config(world.config, given))


def losses(one: Experiment) -> tuple[list[str], list[Tensor]]:
    """Ids and losses of two epochs of training steps, with dropout."""
    model = one.model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-2)
    ids, found = [], []
    with fast_linear(enabled=True):
        for epoch in range(2):
            for number, batch in enumerate(one.loader("train", one.dataset("train"))):
                torch.manual_seed(100 * epoch + number)
                loss = one.task.answer.loss(model(batch["inputs"], batch["target"]).output, batch["target"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                ids += batch["ids"]
                found.append(loss.detach())
    return ids, found


def test_losses_are_equal_to_the_bit(small: tuple[World, dict[str, Any]], built: Path) -> None:
    ids, wanted = losses(experiment(small))
    others, got = losses(experiment(small, built))
    assert ids == others
    assert len({loss.item() for loss in wanted}) == len(wanted) >= 6
    assert same(torch.stack(got), torch.stack(wanted), 1e-5)


def test_a_run_ends_with_the_same_weights_and_scores(
    small: tuple[World, dict[str, Any]], built: Path, tmp_path: Path
) -> None:
    one, other = experiment(small), experiment(small, built)
    train(one.config, work_dir=tmp_path / "clips")
    train(other.config, work_dir=tmp_path / "prefix")
    wanted, got = (torch.load(last_checkpoint(tmp_path / run), weights_only=True) for run in ("clips", "prefix"))
    assert wanted["state_dict"].keys() == got["state_dict"].keys()
    for name, tensor in wanted["state_dict"].items():
        assert same(got["state_dict"][name], tensor, TRAINED), name
    for split in ("val", "test"):
        from_clips, from_prefix = (evaluate(e.config, tmp_path / "prefix" / "best", split)[1] for e in (one, other))
        assert told(from_clips["predictions"]) == told(from_prefix["predictions"])


def test_no_encoder_runs_its_prefix(
    small: tuple[World, dict[str, Any]], built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = experiment(small, built)
    for encoder in one.model.by_modality().values():
        monkeypatch.setattr(encoder, "embed", lambda inputs: pytest.fail("embed"))
    losses(one)


def test_a_text_that_many_segments_have_is_kept_once(tmp_path: Path) -> None:
    small = small_violin.make(tmp_path / "violin"), {}
    path = tmp_path / "prefix"
    report = build_prefix(experiment(small, path))
    one = experiment(small, path)
    samples = [sample for split in one.task.splits() for sample in one.task.samples(split)]
    rows = [key for sample in samples for key in one.prefix.keys(sample)[Modality.LANGUAGE]]
    assert report.built == len(set(rows)) + 2 * len(one.cache)
    assert len(rows) == 5 * len(samples) > 4 * len(set(rows))
    assert None in [text for sample in samples for text in one.prefix.keys.texts(sample)]
    assert build_prefix(experiment(small, path)).built == 0


def test_an_encoder_that_reads_all_segments_together_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = small_violin.make(tmp_path / "violin"), {"encoders.language": {"_delete_": True, "type": ToyLanguage}}
    small[1]["model.stages"] = 2
    embed = ToyLanguage.embed

    def together(self: ToyLanguage, inputs: Any) -> Any:
        state = embed(self, inputs)
        clips = state.tokens.unflatten(0, (-1, state.layout.rows_per_clip))
        return state.with_tokens((clips + clips.mean((1, 2), keepdim=True)).flatten(0, 1))

    build_prefix(experiment(small, tmp_path / "apart"))
    monkeypatch.setattr(ToyLanguage, "embed", together)
    with pytest.raises(ValueError, match=r"a text for each segment, .* depends on the others: leave clips.prefix out"):
        build_prefix(experiment(small, tmp_path / "together"))


def test_joint_retrieval_is_refused(tmp_path: Path) -> None:
    small = small_msrvtt.make(tmp_path / "msrvtt"), {"task.joint": True}
    with pytest.raises(ValueError, match=r"several towers of the task retrieval read visual, .* leave clips.prefix"):
        build_prefix(experiment(small, tmp_path / "prefix"))
    assert not (tmp_path / "prefix").exists()

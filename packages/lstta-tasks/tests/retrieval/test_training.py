"""Training, evaluation and adapter folders of both modes, on the small data set."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from children import KILLED, train_in_child
from small_msrvtt import CLIPS, videos
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_core.interfaces import Modality
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate, restore
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.retrieval.board import pair_id
from lstta_tasks.training.checkpoints import last_checkpoint
from lstta_tasks.training.train import train

DIRECTIONS = ("text_to_video", "video_to_text")


def batch_of(experiment: Experiment, split: Any = "train") -> dict[str, Any]:
    return next(iter(experiment.loader(split, experiment.dataset(split))))


class TestNetwork:
    """Freshly made, from the config."""

    @pytest.mark.parametrize(
        "method",
        [{"name": n, "width": 4} for n in ("lstta", "bottleneck")]
        + [{"name": "none"}, {"name": "full"}, {"name": "lora", "target": ".*", "r": 2}],
        ids=lambda method: method["name"],
    )
    @pytest.mark.parametrize("joint", [False, True])
    def test_every_trainable_parameter_gets_a_gradient(
        self, msrvtt: World, method: dict[str, Any], joint: bool
    ) -> None:
        """After one step: the last projections of adapters start at zero."""
        config = load_config(msrvtt.config, {"method": {"_delete_": True, **method}, "task.joint": joint})
        experiment = Experiment(config)
        torch.manual_seed(0)
        network, batch = experiment.model.train(), batch_of(experiment)
        training = {name: p for name, p in network.named_parameters() if p.requires_grad}
        optimizer = torch.optim.SGD(training.values(), lr=0.01)
        for _ in range(2):
            optimizer.zero_grad()
            experiment.task.answer.loss(network(batch["inputs"], batch["target"]).output, batch["target"]).backward()
            optimizer.step()
        lacking = [name for name, p in training.items() if p.grad is None or not p.grad.any()]
        # Nothing tells two queries apart that every clip of a batch adds alike, and softmax forgets shifts.
        assert not [name for name in lacking if not name.endswith("bias")]

    def test_clips_and_texts_are_embedded_without_each_other(self, msrvtt: World) -> None:
        experiment = Experiment(load_config(msrvtt.config))
        network, inputs = experiment.model.eval(), batch_of(experiment)["inputs"]
        before = network(inputs).output
        other = {**inputs, Modality.LANGUAGE: {**inputs[Modality.LANGUAGE]}}
        other[Modality.LANGUAGE]["ids"] = inputs[Modality.LANGUAGE]["ids"].flip(0)
        after = network(other).output
        assert torch.equal(before.clips, after.clips)
        assert not torch.allclose(before.texts, after.texts)
        for vectors in (before.clips, before.texts):
            torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))

    def test_sight_and_sound_adapt_together(self, msrvtt: World) -> None:
        experiment = Experiment(load_config(msrvtt.config))
        towers = experiment.model.lockstep_models()
        assert {name: list(model.encoders) for name, model in towers.items()} == {
            "clips.trimodal": ["visual", "audio"],
            "texts.trimodal": ["language"],
        }
        assert experiment.model.frozen() == ("clips.trimodal.encoders.", "texts.trimodal.encoders.")

    def test_a_pair_is_scored_as_in_training(self, msrvtt: World) -> None:
        """Pairs of a batch are computed once each, wherever they stand."""
        experiment = Experiment(load_config(msrvtt.config, {"task.joint": True}))
        network, inputs = experiment.model.eval(), batch_of(experiment)["inputs"]
        output = network(inputs, torch.arange(4)).output
        assert output.right.shape == output.wrong.shape == (8,)
        expected = output.scale * (output.clips * output.texts).sum(1) + network.score(inputs)
        torch.testing.assert_close(output.right, expected.repeat(2))
        assert network(inputs).output.right is None

    def test_a_budget_is_for_all_towers(self, msrvtt: World) -> None:
        for joint in (False, True):
            options = {"method": {"_delete_": True, "name": "bottleneck", "budget": 3000}, "task.joint": joint}
            models = Experiment(load_config(msrvtt.config, options)).model.lockstep_models()
            trained = [sum(p.numel() for p in model.trainable_parameters()) for model in models.values()]
            assert all(trained)
            assert sum(trained) == pytest.approx(3000, rel=0.05)

    @pytest.mark.parametrize("kept", [["visual", "audio"], ["language"]])
    def test_encoders_that_retrieval_cannot_do_without(self, msrvtt: World, kept: list[str]) -> None:
        with pytest.raises(ValueError, match="an encoder for language and one for visual or audio, got"):
            _ = Experiment(load_config(msrvtt.config, {"model.modalities": kept})).model

    def test_dual_mode_has_no_second_pass(self, msrvtt: World) -> None:
        experiment = Experiment(load_config(msrvtt.config))
        with pytest.raises(NotImplementedError, match="RetrievalNetwork has no second pass"):
            experiment.model.score(batch_of(experiment)["inputs"])


class TestRuns:
    @pytest.mark.parametrize("mode", ["dual", "joint"])
    def test_evaluation_gives_what_was_found_when_the_adapter_was_selected(
        self, msrvtt: World, mode: str, request: pytest.FixtureRequest
    ) -> None:
        folder = request.getfixturevalue(mode) / "best"
        report, details = evaluate(load_config(msrvtt.config), folder, "val")
        assert report.primary == "text_to_video/R@1"
        assert report.value(report.primary) == read_adapter(folder).record["selected"][report.primary]
        json.dumps(details)
        names = [score.name for score in report.scores]
        assert [name for name in names if "dual" not in name] == [
            f"{direction}/{name}" for direction in DIRECTIONS for name in ("R@1", "R@5", "R@10", "MdR", "MnR")
        ]
        assert (f"{DIRECTIONS[0]}/R@1 of dual" in names) == (mode == "joint")

    def test_ranks_are_those_of_the_embeddings(self, msrvtt: World, dual: Path) -> None:
        """Against loops over clips and captions, two a clip, embedded one by one."""
        report, details = evaluate(load_config(msrvtt.config), dual / "best", "val")
        experiment = restore(load_config(msrvtt.config), dual / "best")
        network, dataset = experiment.model.eval(), experiment.dataset("val")
        clips, texts = {}, {}
        with torch.no_grad():
            for item in dataset:
                output = network(experiment.collate([item])["inputs"]).output
                clips[item[0].source.id], texts[item[0].id] = output.clips[0].double(), output.texts[0].double()
        found: dict[str, list[int]] = {direction: [] for direction in DIRECTIONS}
        for sample in dataset.samples:
            own = texts[sample.id] @ clips[sample.source.id]
            others = [texts[sample.id] @ clip for name, clip in clips.items() if name != sample.source.id]
            found["text_to_video"].append(1 + sum(other >= own for other in others))
            assert details["predictions"][sample.id]["text_to_video"] == found["text_to_video"][-1]
        for name, clip in clips.items():
            mine = [s.id for s in dataset.samples if s.source.id == name]
            own = max(texts[text] @ clip for text in mine)
            found["video_to_text"].append(1 + sum(texts[t] @ clip >= own for t in texts if t not in mine))
            for text in mine:
                assert details["predictions"][text]["video_to_text"] == found["video_to_text"][-1]
        for direction, ranks in found.items():
            assert report.value(f"{direction}/R@1") == pytest.approx(np.mean(np.array(ranks) <= 1))
            assert report.value(f"{direction}/MdR") == np.median(ranks)
            assert report.value(f"{direction}/MnR") == pytest.approx(np.mean(ranks))

    def test_joint_mode_ranks_the_best_again_and_leaves_the_rest(self, msrvtt: World, joint: Path) -> None:
        _, details = evaluate(load_config(msrvtt.config, {"task.rerank": 2}), joint / "best", "test")
        experiment = restore(load_config(msrvtt.config), joint / "best")
        network, dataset = experiment.model.eval(), experiment.dataset("test")
        items = [dataset[i] for i in range(len(dataset))]
        with torch.no_grad():
            output = network(experiment.collate(items)["inputs"]).output
            similarity = (output.texts.double() @ output.clips.double().T).numpy()
            for row, (sample, _) in enumerate(items):
                first, second, *rest = [int(i) for i in np.argsort(-similarity[row])]
                pairs = [(sample, items[place][1]) for place in (first, second)]
                added = network.score(experiment.collate(pairs)["inputs"]).numpy()
                scores = output.scale.item() * similarity[row, [first, second]] + added
                order = [first, second, *rest] if scores[0] >= scores[1] else [second, first, *rest]
                assert details["predictions"][sample.id]["text_to_video"] == 1 + order.index(row)
                assert details["predictions"][sample.id]["top"] == [items[place][0].source.id for place in order]
                assert details["predictions"][sample.id]["dual"]["text_to_video"] == 1 + [
                    first,
                    second,
                    *rest,
                ].index(row)

    @pytest.mark.parametrize("rerank", [1, 3, 99])
    def test_the_second_pass_is_of_the_best_of_both_directions(
        self, msrvtt: World, rerank: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = Experiment(load_config(msrvtt.config, {"task.joint": True, "task.rerank": rerank})).task
        samples = task.samples("test")
        rng = np.random.default_rng(0)
        vectors = rng.integers(-999, 1000, (len(samples), 2, 3)).astype(float)  # whole numbers: sums are exact
        predictions = {
            sample.id: {"similarity": 0.0, "scale": 2.0, "clip": clip, "text": text}
            for sample, (clip, text) in zip(samples, vectors, strict=True)
        }
        wanted = {sample.id for sample in task.answer.second_pass(predictions, samples)}
        similarity = np.array(
            [[predictions[t.id]["text"] @ predictions[c.id]["clip"] for c in samples] for t in samples]
        )
        expected = set()
        for i, sample in enumerate(samples):
            expected |= {pair_id(sample.id, samples[j].source.id) for j in np.argsort(-similarity[i])[:rerank]}
            expected |= {pair_id(samples[j].id, sample.source.id) for j in np.argsort(-similarity[:, i])[:rerank]}
        assert wanted == expected
        # A matcher that adds the same to all changes nothing; one that undoes the similarity leaves nothing but ties.
        undone = {
            pair_id(t.id, c.source.id): -2.0 * similarity[i, j]
            for i, t in enumerate(samples)
            for j, c in enumerate(samples)
        }
        same = task.answer.conclude(predictions, samples, dict.fromkeys(wanted, 0.5))
        level = task.answer.conclude(predictions, samples, {name: undone[name] for name in wanted})
        for i, sample in enumerate(samples):
            before = 1 + int((np.delete(similarity[i], i) >= similarity[i, i]).sum())
            assert same[sample.id]["dual"]["text_to_video"] == same[sample.id]["text_to_video"] == before
            assert level[sample.id]["text_to_video"] == (min(rerank, 5) if before <= rerank else before)

    def test_embeddings_and_scores_that_are_not_finite_are_refused(self, msrvtt: World) -> None:
        task = Experiment(load_config(msrvtt.config, {"task.joint": True})).task
        samples = task.samples("test")
        predictions = {s.id: {"similarity": 0.0, "scale": 1.0, "clip": np.ones(3), "text": np.ones(3)} for s in samples}
        names = [sample.id for sample in task.answer.second_pass(predictions, samples)]
        with pytest.raises(ValueError, match=r"the match score of text ret0 is not finite: the training has diverged"):
            task.answer.conclude(predictions, samples, dict.fromkeys(names, float("nan")))
        predictions["ret3"]["text"] = np.array([1.0, float("nan"), 1.0])
        with pytest.raises(ValueError, match="the text embedding of sample ret3 is not finite"):
            task.answer.second_pass(predictions, samples)

    def test_silent_clips_train_and_count(self, msrvtt: World, dual: Path) -> None:
        experiment = Experiment(load_config(msrvtt.config))
        silent = [clip for clip in experiment.cache.ids() if not experiment.cache.header(clip)["has_sound"]]
        assert len(silent) == 4
        assert set(silent) & {clip.id for clip in experiment.task.clips("train")}
        report, _ = evaluate(load_config(msrvtt.config), dual / "best", "test")
        assert {score.count for score in report.scores} == {CLIPS["test"]}

    def test_missing_clips_are_listed_and_left_out(self, msrvtt: World, dual: Path, tmp_path: Path) -> None:
        shutil.copy(msrvtt.root / "MSRVTT_JSFUSION_test.csv", tmp_path)
        rows = (tmp_path / "MSRVTT_JSFUSION_test.csv").read_text().replace(videos("test")[2], "gone")
        (tmp_path / "MSRVTT_JSFUSION_test.csv").write_text(rows)
        config = load_config(msrvtt.config, {"task.root": str(tmp_path)})
        report, details = evaluate(config, dual / "best", "test")
        assert details["missing_clips"] == ["gone"]
        assert {score.count for score in report.scores} == {4}
        assert report.scores[0].baseline == 1 / 4

    def test_without_sight(self, msrvtt: World, tmp_path: Path) -> None:
        options = {"model.modalities": ["audio", "language"], "task.joint": True, "train_cfg.max_epochs": 1}
        train(load_config(msrvtt.config, options), work_dir=tmp_path)
        record = read_adapter(tmp_path / "best").record
        assert set(record["encoders"]) == {"audio", "language"}
        report, _ = evaluate(load_config(msrvtt.config), tmp_path / "best", "val")
        assert report.value(report.primary) == record["selected"][report.primary]


@pytest.mark.parametrize("mode", ["dual", "joint"])
def test_a_killed_run_ends_the_same(msrvtt: World, mode: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    options = {"task.joint": mode == "joint"}
    assert train_in_child(msrvtt.config, tmp_path / "a", options=options, kill="in the second epoch") == KILLED
    train(load_config(msrvtt.config, options), work_dir=tmp_path / "a", resume=True)
    whole = request.getfixturevalue(mode)
    there, here = (torch.load(last_checkpoint(run), weights_only=True) for run in (whole, tmp_path / "a"))
    assert there["state_dict"].keys() == here["state_dict"].keys()
    for name, tensor in there["state_dict"].items():
        assert torch.equal(tensor, here["state_dict"][name]), name
    parts = {"clips", "texts", "temperature", *(["matcher"] if mode == "joint" else [])}
    assert {name.split(".")[1] for name in there["state_dict"]} == parts
    assert not [name for name in there["state_dict"] if ".encoders." in name]
    assert read_adapter(whole / "best").record == read_adapter(tmp_path / "a" / "best").record

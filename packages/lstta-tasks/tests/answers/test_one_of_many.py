"""One of many: accuracies by group with their baselines, against loops over the samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from lstta_tasks.answers.one_of_many import OUTSIDE, OneOfMany
from lstta_tasks.answers.report import Report, Score
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.sample import Sample
from lstta_tasks.tasks.avqa import AVQA


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0]])
def test_without_outsiders_the_loss_is_torchs_to_the_bit(weights: list[float] | None) -> None:
    torch.manual_seed(0)
    kind = OneOfMany("abc", class_weights=weights)
    for batch in (1, 2, 7, 31):
        output, target = torch.randn(batch, 3, requires_grad=True), torch.randint(3, (batch,))
        naive = F.cross_entropy(output, target, weight=None if weights is None else torch.tensor(weights))
        assert torch.equal(kind.loss(output, target), naive)
        gradients = [torch.autograd.grad(loss, output)[0] for loss in (kind.loss(output, target), naive)]
        assert torch.equal(*gradients)


@pytest.mark.parametrize(("target", "said"), [(3, "got 3"), (-2, "got -2"), (0.5, "got 0.5"), ((1, 0), "got")])
def test_what_is_no_class(target: Any, said: str) -> None:
    with pytest.raises(ValueError, match=rf"a whole number from 0 to 2, or {OUTSIDE}, {said}"):
        OneOfMany("abc").names(target)


class TestReport:
    """Of nested groups, with the majority of the inner ones."""

    @pytest.fixture
    def samples(self) -> list[Sample]:
        random = np.random.default_rng(0)
        kinds = [("Audio", "Counting"), ("Audio", "Comparative"), ("Visual", "Counting"), ("Audio-Visual", "Temporal")]
        answers = ["no", "one", "yes"]
        samples = []
        for number in range(101):
            truth = answers[random.choice(3, p=[0.2, 0.3, 0.5])]
            labels = (*kinds[random.choice(4, p=[0.1, 0.2, 0.3, 0.4])], truth)
            samples.append(Sample(str(number), ClipSource("v", Path("v")), "?", answers.index(truth), labels))
        return samples

    @pytest.fixture
    def predictions(self, samples: list[Sample]) -> dict[str, dict[str, Any]]:
        random = np.random.default_rng(1)
        return {
            sample.id: {"answer": ["no", "one", "yes"][random.integers(3)], "probability": 0.5}
            for sample in reversed(samples)
        }

    def test_accuracies_are_right_over_all(self, samples: list[Sample], predictions: dict[str, dict[str, Any]]) -> None:
        report = AVQA(answers=["no", "one", "yes"]).answer.report(predictions, samples)
        assert report.primary == "overall"
        assert [score.name for score in report.scores] == [
            "Audio/Comparative",
            "Audio/Counting",
            "Audio-Visual/Temporal",
            "Visual/Counting",
            "Audio",
            "Audio-Visual",
            "Visual",
            "macro_f1",
            "weighted_f1",
            "overall",
        ]
        for score in of_accuracy(report):
            of_group = [sample for sample in samples if in_group(sample, score.name)]
            right = sum(predictions[sample.id]["answer"] == sample.labels[2] for sample in of_group)
            assert score.count == len(of_group)
            assert score.value == right / len(of_group)
        overall = report.value("overall")
        assert overall != pytest.approx(np.mean([score.value for score in report.scores[:4]]), abs=1e-3)

    def test_the_baseline_is_the_majority_of_each_type(
        self, samples: list[Sample], predictions: dict[str, dict[str, Any]]
    ) -> None:
        report = AVQA(answers=["no", "one", "yes"]).answer.report(predictions, samples)
        majority = {}
        for score in report.scores[:4]:
            truths = [sample.labels[2] for sample in samples if in_group(sample, score.name)]
            majority[score.name] = max(sorted(set(truths)), key=truths.count)
            assert score.baseline == truths.count(majority[score.name]) / len(truths)
            assert truths.count(score.baseline_name.removeprefix("always ")) == truths.count(majority[score.name])
        for score in of_accuracy(report)[4:]:
            of_group = [sample for sample in samples if in_group(sample, score.name)]
            right = sum(majority["/".join(sample.labels[:2])] == sample.labels[2] for sample in of_group)
            assert score.baseline == right / len(of_group)
            assert (score.baseline_name == "majority by type") == (score.name in ("Audio", "overall"))

    def test_it_is_keyed_by_id_and_of_those_that_were_answered(
        self, samples: list[Sample], predictions: dict[str, dict[str, Any]]
    ) -> None:
        avqa = AVQA(answers=["no", "one", "yes"])
        some = {name: predictions[name] for name in list(predictions)[:53]}
        shuffled = [samples[i] for i in np.random.default_rng(2).permutation(len(samples))]
        report = avqa.answer.report(some, samples)
        assert report.scores[-1].count == 53
        assert values(report) == values(avqa.answer.report(some, shuffled))


def in_group(sample: Sample, name: str) -> bool:
    modality, kind, _ = sample.labels
    return name in ("overall", modality, f"{modality}/{kind}")


def of_accuracy(report: Report) -> list[Score]:
    return [score for score in report.scores if not score.name.endswith("_f1")]


def values(report: Report) -> dict[str, tuple[float, int, float | None]]:
    return {score.name: (score.value, score.count, score.baseline) for score in report.scores}

"""What every task must keep, whatever its files and its kind of answer. No media file is opened."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar
from unittest import SkipTest

import torch
from torch import Tensor

from lstta_core.interfaces import Encoder, Modality
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.speaker_checks import with_answers
from lstta_core.testing.suite import CheckResult, Conformance, require
from lstta_core.testing.toy_encoders import toy_encoders
from lstta_core.testing.toy_speaker import toy_encoders_that_speak
from lstta_tasks.answers.description import Answer
from lstta_tasks.network import TaskNetwork, build_model
from lstta_tasks.sample import SPLITS, Sample, Split, TimedText
from lstta_tasks.task import Task

HEAVY = ("torch", "transformers", "mmengine", "av", "lmdb")
Options = dict[str, Any]


class TaskConformance(Conformance):
    """Checks of one task. A subclass gives ``make_task``, with annotations of a few samples in each of its splits.

    Attributes:
        batch: how many samples are run through a network at once, at most.
    """

    batch: ClassVar[int] = 5

    def make_task(self) -> Task:
        """A new task that can read its annotations; clips need not be there."""
        raise NotImplementedError

    def test_splits_are_the_usual_ones_in_order(self) -> None:
        splits = self.make_task().splits()
        require(bool(splits), "splits() is empty: FileNotFoundError is wanted where there are no annotations")
        wanted = [split for split in SPLITS if split in splits]
        require(splits == wanted, f"splits() gives {splits}; {wanted} is wanted, in this order")

    def test_sample_ids_are_unique(self) -> None:
        for split, samples in self._read(self.make_task()).items():
            require(bool(samples), f"samples({split!r}) is empty, and splits() has it")
            times = Counter(sample.id for sample in samples)
            twice = sorted(name for name, count in times.items() if count > 1)[:3]
            require(not twice, f"{split}: several samples have the ids {twice}; predictions are keyed by them")

    def test_clips_are_those_of_the_samples_each_once(self) -> None:
        task = self.make_task()
        for split, samples in self._read(task).items():
            clips = task.clips(split)
            by_id = {clip.id: clip for clip in clips}
            require(len(by_id) == len(clips), f"clips({split!r}) has {len(clips)} clips and {len(by_id)} ids")
            for sample in samples:
                clip = by_id.get(sample.source.id)
                require(clip == sample.source, f"{split}, sample {sample.id}: its source is not in clips({split!r})")

    def test_reading_again_gives_the_same(self) -> None:
        require(self._read(self.make_task()) == self._read(self.make_task()), "samples() gives others the second time")

    def test_texts_and_subtitles_are_such(self) -> None:
        task = self.make_task()
        for split, samples in self._read(task).items():
            for sample in samples:
                place = f"{split}, sample {sample.id}"
                require(isinstance(sample.id, str), f"{place}: an id is a text, got {sample.id!r}")
                require(sample.text is None or isinstance(sample.text, str), f"{place}: text is {sample.text!r:.80}")
                require(all(isinstance(label, str) for label in sample.labels), f"{place}: labels are texts")
                require(task.timed_text or not sample.timed, f"{place}: it has subtitles; set timed_text = True")
                for line in sample.timed:
                    fits = isinstance(line, TimedText) and line.start <= line.end
                    require(
                        fits, f"{place}: a TimedText that does not end before its start is wanted, got {line!r:.80}"
                    )

    def test_targets_fit_the_kind_of_answer(self) -> None:
        task = self.make_task()
        for split, samples in self._read(task).items():
            for sample in samples:
                try:
                    task.answer.names(sample.target)
                except ValueError as error:
                    raise AssertionError(f"{split}, sample {sample.id}: {error}") from error
            require(_targets(samples).shape[0] == len(samples), f"{split}: targets are of different lengths")

    def test_head_loss_and_gradient(self) -> None:
        task = self.make_task()
        samples, network = self._some(task), _network(task)
        target = _targets(samples)
        loss = task.answer.loss(network(_inputs(task, len(samples)), target).output, target)
        require(loss.shape == (), f"the loss is a number, got the shape {tuple(loss.shape)}")
        require(bool(loss.isfinite()), f"the loss of a fresh network is {loss.item()}")
        loss.backward()
        reached = {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
        require(bool(reached), "the loss reaches no parameter")
        heads = {name for name, _ in network.named_parameters() if name.startswith("head.")}
        require(not heads or bool(heads & reached), "the loss does not reach the head")

    def test_predictions_are_json_and_one_a_sample(self) -> None:
        task = self.make_task()
        samples = self._some(task)
        concluded = self._concluded(task, samples)
        require(set(concluded) == {sample.id for sample in samples}, "predictions are not those of the samples")
        try:
            json.dumps(concluded, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise AssertionError(f"JSON cannot say the predictions: {error}") from error
        for sample in samples:
            said, right = set(concluded[sample.id]), set(task.answer.right(sample))
            require(said == right, f"predict() and conclude() give the fields {sorted(said)}, right() {sorted(right)}")

    def test_descriptions_are_answers(self) -> None:
        task = self.make_task()
        samples = self._some(task)
        with torch.no_grad():
            answers = task.answer.describe(_network(task).eval().explain(_inputs(task, len(samples))).output)
        require(len(answers) == len(samples), f"{len(answers)} descriptions of {len(samples)} samples")
        require(all(isinstance(answer, Answer) and answer.text for answer in answers), "describe() gives Answers")
        if task.answer.ranks:
            scored = all(answer.score is not None for answer in answers)
            require(scored, "a kind that ranks describes each pair of clip and text with a score")

    def test_right_predictions_have_the_best_report(self) -> None:
        task = self.make_task()
        for split, samples in self._read(task).items():
            if split != "train" and "train" in task.splits():
                continue  # others may have answers that train lacks
            report = task.answer.report({sample.id: task.answer.right(sample) for sample in samples}, samples)
            score = report.score(report.primary)
            best = (0.0, 1.0) if score.lower_is_better else (1.0,)  # an error, or a rank
            if task.answer.words:  # one right sentence of several is not like all of them
                best = (score.value,) if score.value > 0 else best
            require(score.value in best, f"{split}: of right predictions {score.name} is {score.value}, not {best[-1]}")
            worse = [s.name for s in report.scores if s.baseline is not None and _better(s.baseline, s)]
            require(not worse, f"{split}: right predictions are worse than the baseline in {worse}")

    def test_the_baseline_is_what_the_trivial_answer_reaches(self) -> None:
        task = self.make_task()
        for split, samples in self._read(task).items():
            trivial = task.answer.trivial(samples)
            if trivial is None:
                raise SkipTest("the baseline is an expectation over chance")
            report = task.answer.report(trivial, samples)
            score = report.score(report.primary)
            same = score.baseline is not None and abs(score.value - score.baseline) < 1e-9
            require(
                same, f"{split}: {score.name} of the trivial answer is {score.value}, its baseline {score.baseline}"
            )

    def test_reports_are_of_those_that_were_answered(self) -> None:
        task = self.make_task()
        samples = self._some(task)
        half = samples[: max(1, len(samples) // 2)]
        report = task.answer.report({sample.id: task.answer.right(sample) for sample in half}, samples)
        names = [score.name for score in report.scores]
        require(len(set(names)) == len(names), f"several scores have one name: {names}")
        require(report.primary in names, f"the primary score {report.primary!r} is not among {names}")
        require(all(score.count <= len(half) for score in report.scores), "samples without a prediction are counted")

    def test_options_make_the_same_task_without_its_files(self) -> None:
        task = self.make_task()
        options = json.loads(json.dumps(task.options()))
        again = type(task)(**options)
        require(again.options() == options, f"options() gives {options}, and after them {again.options()}")
        shapes = [{n: p.shape for n, p in _network(one).named_parameters()} for one in (task, again)]
        require(shapes[0] == shapes[1], "the task that options() makes again has a network of another shape")

    def test_a_question_without_options_is_the_text(self) -> None:
        question = self.make_task().question("Who plays?")
        require(question.text == "Who plays?", f"question('Who plays?') reads {question.text!r}")

    def test_its_package_imports_nothing_heavy(self) -> None:
        package = type(self.make_task()).__module__.partition(".")[0]
        if importlib.util.find_spec(package) is None:
            raise SkipTest(f"{package} cannot be imported by its name")
        code = f"import sys, {package}; print(*({HEAVY} & sys.modules.keys()))".replace(str(HEAVY), f"set({HEAVY})")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        require(done.returncode == 0, f"import {package} fails: {done.stderr[-400:]}")
        require(not done.stdout.strip(), f"import {package} imports {done.stdout.strip()}: plugins are listed without")

    def _read(self, task: Task) -> dict[Split, list[Sample]]:
        return {split: task.samples(split) for split in task.splits()}

    def _some(self, task: Task) -> list[Sample]:
        """A few samples of the first split."""
        return list(islice(task.samples(task.splits()[0]), self.batch))

    def _concluded(self, task: Task, samples: Sequence[Sample]) -> Mapping[str, Mapping[str, Any]]:
        """What a fresh network predicts of samples, with a second pass that says nothing."""
        with torch.no_grad():
            output = _network(task).eval()(_inputs(task, len(samples))).output
        said = task.answer.predict(output)
        require(len(said) == len(samples), f"{len(said)} predictions of {len(samples)} samples")
        predictions = {sample.id: prediction for sample, prediction in zip(samples, said, strict=True)}
        again = {sample.id: 0.0 for sample in task.answer.second_pass(predictions, samples)}
        return task.answer.conclude(predictions, samples, again)


def task_checks(task: Task) -> list[CheckResult]:
    """Every check of a task that can read its annotations, without pytest."""

    class Given(TaskConformance):
        def make_task(self) -> Task:
            return task

    return Given().run()


def _network(task: Task) -> TaskNetwork:
    torch.manual_seed(0)
    # Where the language encoder answers itself there is no head, so that an adapter has to be what trains.
    method: Options = {"name": "bottleneck", "width": 3} if task.answer.words else {"name": "none"}
    network, _ = build_model(encoders=_toys(task), method=method, task=task, readout={"width": 12, "heads": 2})
    return network


def _toys(task: Task) -> dict[Modality, Encoder]:
    return toy_encoders_that_speak() if task.answer.words else toy_encoders()


def _inputs(task: Task, batch: int) -> dict[Modality, dict[str, Tensor]]:
    segments = task.answer.segments or 3
    inputs = {m: synthetic_inputs(encoder.spec, batch=batch, segments=segments) for m, encoder in _toys(task).items()}
    return with_answers(inputs) if task.answer.words else inputs


def _targets(samples: Sequence[Sample]) -> Tensor:
    return torch.tensor([sample.target for sample in samples])


def _better(value: float, score: Any) -> bool:
    """Whether a value is better than a score's own."""
    return bool(value < score.value if score.lower_is_better else value > score.value)

"""A task that is answered in words, from a config to an answer about a video of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import seeded_encoders
import small_world
import torch
from rounding import TRAINED, same, told

from lstta_core.adapter_files import AdapterFileError
from lstta_core.interfaces import Modality
from lstta_tasks.adapters import load
from lstta_tasks.app.answering import answer
from lstta_tasks.doctor.examine import examine
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.explain.explain import explain
from lstta_tasks.prefix.build import build_prefix
from lstta_tasks.training.checkpoints import last_checkpoint
from lstta_tasks.training.train import train


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = small_world.make(tmp_path_factory.mktemp("words"))
    text = world.config.read_text(encoding="utf-8")
    text = text.replace("audio, language, visual", "audio, speaker, visual").replace("type=language", "type=speaker")
    world.config.write_text(text.replace('name="avqa"', 'name="open-qa", length=3'), encoding="utf-8")
    return world.config


@pytest.fixture(scope="module")
def run(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work_dir = tmp_path_factory.mktemp("run")
    train(load_config(config, {"train_cfg.max_epochs": 2}), work_dir=work_dir)
    return work_dir


def test_a_run_is_trained_evaluated_and_asked(config: Path, run: Path) -> None:
    report, details = evaluate(load_config(config), run / "best", "test")
    assert report.primary == "exact"
    assert {"exact", "Audio/Comparative", "Visual"} <= {score.name for score in report.scores}
    first = details["rows"][0]
    encoders = {m: getattr(seeded_encoders, "speaker" if m is Modality.LANGUAGE else m)(seed=5) for m in Modality}
    predictor = load(run / "best", encoders)
    sample = next(s for s in Experiment(load_config(config)).task.samples("test") if s.id == first["sample"])
    assert first["truth"] == sample.answers[0]
    assert predictor.predict(sample.source.video, sample.text)["text"] == first["prediction"]
    (explanation,) = explain(predictor, sample.source.video, [sample.text or ""])
    assert explanation.answer.text == (first["prediction"] or "(nothing)")
    assert set(explanation.importances) == {Modality.VISUAL, Modality.AUDIO}
    words = explanation.answer.words
    assert "".join(word.text for word in words) == first["prediction"]
    page = answer(predictor, "best", Path(sample.source.video or ""), sample.text or "")
    assert page.count("class=&quot;listened&quot;") == (len(words) + 1 if words else 0)


def test_a_checkpoint_has_the_adapters_and_no_readout(run: Path) -> None:
    state = torch.load(last_checkpoint(run), weights_only=True)
    assert any(".up.language." in name for name in state["state_dict"])
    assert not any("readout" in name or "head" in name for name in state["state_dict"])


def test_another_tokenizer_of_answers_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoders = {m: getattr(seeded_encoders, "speaker" if m is Modality.LANGUAGE else m)(seed=5) for m in Modality}
    spec = encoders[Modality.LANGUAGE].spec
    object.__setattr__(spec, "answer", lambda text: [1, 0])
    with pytest.raises(AdapterFileError, match="another tokenizer"):
        load(run / "best", encoders)


def test_a_run_from_a_prefix_cache_is_that_from_clips(config: Path, tmp_path: Path) -> None:
    """Prompts are run with their answers; what clips give before the first adapted stage is read."""
    options = {"model.adapted": 1, "train_cfg.max_epochs": 2}
    cached = options | {"clips.prefix": str(tmp_path / "prefix")}
    report = build_prefix(Experiment(load_config(config, cached)))
    assert report.built == 2 * 15, "sight and sound of every clip, and no text"
    for name, some in {"clips": options, "prefix": cached}.items():
        train(load_config(config, some), work_dir=tmp_path / name)
    wanted, got = (torch.load(last_checkpoint(tmp_path / run), weights_only=True) for run in ("clips", "prefix"))
    assert all(same(got["state_dict"][name], tensor, TRAINED) for name, tensor in wanted["state_dict"].items())
    scores = [evaluate(load_config(config, some), tmp_path / "prefix/best", "test")[1] for some in (options, cached)]
    assert told(scores[0]["predictions"]) == told(scores[1]["predictions"])
    means = {"method": {"_delete_": True, "name": "means"}}
    states, clips = (Experiment(load_config(config, some | means)) for some in (cached, options))
    one, other = (next(iter(e.loader("val", e.dataset("val")))) for e in (states, clips))
    model = states.model.eval()
    assert model(one["inputs"]).output.said == model(other["inputs"]).output.said


def test_the_doctor_tells_the_lengths_of_answers(config: Path) -> None:
    one = Experiment(load_config(config))
    found = examine(one.task, one.specs, segments=3, splits=["train"])
    assert found.splits["train"].answers == (2, 2)
    short = Experiment(load_config(config, {"task.length": 1}))
    told = examine(short.task, short.specs, segments=3, splits=["train"]).findings
    assert {finding.check for finding in told} >= {"answer too long"}


def test_silent_encoders_and_nothing_to_keep_are_refused(config: Path) -> None:
    with pytest.raises(ValueError, match="answers in words want a language encoder"):
        _ = Experiment(load_config(config, {"model.modalities": ["visual", "audio"]})).model
    only = Experiment(load_config(config, {"clips.prefix": "cache", "model.modalities": ["language"]}))
    with pytest.raises(ValueError, match="the model neither sees nor hears"):
        _ = only.prefix.models

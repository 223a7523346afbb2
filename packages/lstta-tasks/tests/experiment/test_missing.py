"""A trained model without sight, sound or words: as if the files lacked them, from clips and from cached states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cached_world
import pytest
import torch
from small_world import World

from lstta_core.interfaces import Modality
from lstta_tasks.cli.main import main
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.missing import missing, parse
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.prefix.build import build_prefix

V, A, L = Modality


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> World:
    return cached_world.make(tmp_path_factory.mktemp("cached"))


def seeded(cached: World, options: dict[str, Any]) -> Experiment:
    torch.manual_seed(0)
    experiment = Experiment(load_config(cached.config, options))
    assert experiment.model is not None  # which is made now
    return experiment


def outputs(experiment: Experiment, change: Any = None) -> torch.Tensor:
    """Of the val split."""
    model = experiment.model.eval()
    with torch.no_grad():
        found = []
        for batch in experiment.loader("val", experiment.dataset("val")):
            if change is not None:
                change(batch["inputs"])
            found.append(model(batch["inputs"]).output)
    return torch.cat(found)


def noise_and_absent(m: Modality) -> Any:
    def change(inputs: Any) -> None:
        inputs[m]["present"] = torch.zeros_like(inputs[m]["present"])
        for name in ("frames", "sound"):
            if name in inputs[m]:
                inputs[m][name] = torch.randint_like(inputs[m][name], 100)

    return change


def test_what_is_missing_is_not_seen_and_all_the_rest_is(cached: World, tmp_path: Path) -> None:
    experiment, of_states, of_clips = (
        seeded(cached, options)
        for options in ({}, {"clips.prefix": str(tmp_path / "prefix"), "model.adapted": 1}, {"model.adapted": 1})
    )
    build_prefix(of_states)
    whole = outputs(experiment)
    for m in Modality:
        with missing(experiment, (m,)):
            gone = outputs(experiment)
        assert not torch.equal(gone, whole)
        torch.testing.assert_close(gone, outputs(experiment, noise_and_absent(m)))
        with missing(of_states, (m,)), missing(of_clips, (m,)):
            torch.testing.assert_close(outputs(of_states), outputs(of_clips), rtol=1e-4, atol=1e-5)
    assert torch.equal(outputs(experiment), whole)


def test_names() -> None:
    assert parse(["audio", "visual+language"], [V, A, L]) == {
        "without sound": (A,),
        "without sight and words": (V, L),
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sound", r"--without sound: the model has no 'sound'; there are visual, audio"),
        ("audoi", r"--without audoi: the model has no 'audoi'; did you mean 'audio'\?"),
        ("visual+audio", "--without visual[+]audio: nothing would be left of the model's visual, audio"),
    ],
)
def test_names_of_nothing(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse([name], [V, A])


def test_the_command(world: World, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--without", "audio", "visual+language", "--classes", "--confusion", str(tmp_path / "c.png")]
    files = ["--predictions", str(tmp_path / "a.csv"), str(tmp_path / "a.jsonl"), "--json", str(tmp_path / "a.json")]
    main(["test", str(world.config), str(run / "best"), "--split", "val", *words, *files])
    printed = capsys.readouterr().out
    assert "what is lost where a modality is missing at test" in printed
    assert "confusion: a row is the truth" in printed
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    details = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    names = [score["name"] for score in details["scores"]]
    assert set(details["without"]) == {"without sound", "without sight and words"}
    assert all(set(values) <= {*names} and "overall" in values for values in details["without"].values())
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == details["rows"]
    assert len(lines) == 15
    assert main(["significance", str(tmp_path / "a.json"), str(tmp_path / "a.jsonl"), "--resamples", "20"]) == 0

"""AVE's and LLP's layout from files to pages: caches, training, tables, predictions, comparison; what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_world import CLIPS, World, videos

from lstta_tasks.adapters import load
from lstta_tasks.cli.main import main
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.rows import write_rows
from lstta_tasks.experiment.training_data import prepared
from lstta_tasks.explain.answer_table import print_answers
from lstta_tasks.explain.as_json import as_json
from lstta_tasks.explain.explain import explain
from lstta_tasks.explain.infer import draw, infer
from lstta_tasks.importances.measure import measure
from lstta_tasks.sample import Sample
from lstta_tasks.training.train import train
from lstta_world.film_files import write_mp4

TASKS = ("ave", "avvp")


def annotate(root: Path, task: str) -> None:
    """Files of the layout, of films of one second."""
    for split in CLIPS:
        names = videos(split)
        if task == "ave":
            rows = [f"{('Bark', 'Truck')[i % 2]}&{name}&good&{i % 2}&3" for i, name in enumerate(names)]
            (root / f"{split}Set.txt").write_text("".join(f"{row}\n" for row in rows))
            continue
        weak = "".join(f"{name}\t{('Dog', 'Car,Speech')[i % 2]}\n" for i, name in enumerate(names))
        listed = f"AVVP_{split}{'' if split == 'train' else '_pd'}.csv"
        (root / listed).write_text("filename\tevent_labels\n" + weak)
        for side, label in (("audio", "Dog"), ("visual", "Car")) if split != "train" else ():
            rows = [f"{name}\t0\t{i % 3}\t{label}" for i, name in enumerate(names)]
            (root / f"AVVP_{split}_{side}.csv").write_text("\n".join(["filename\tonset\toffset\tevent_labels", *rows]))


@pytest.fixture(scope="module", params=TASKS)
def made(request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A data set in a task's layout with the small world's films, its options, and a run."""
    folder = tmp_path_factory.mktemp(request.param)
    root = folder / "data"
    root.mkdir()
    annotate(root, request.param)
    (root / "videos").symlink_to(world.root / "videos")
    options = {
        "task": {"name": request.param, "root": str(root)},
        "clips.cache": str(folder / "cache"),
        "clips.segments": 4,
        "train_cfg.max_epochs": 1,
    }
    words = [f"{key}={value}" for key, value in options.items() if key != "task"]
    config = folder / "config.py"
    text = world.config.read_text(encoding="utf-8").replace(
        f'dict(name="avqa", root={str(world.root)!r})', repr(options["task"])
    )
    config.write_text(text, encoding="utf-8")
    main(["cache", "build", str(config), "--workers", "1", "--cfg-options", *words])
    del options["task"]
    train(load_config(config, options), work_dir=folder / "run")
    return {"task": request.param, "config": config, "options": options, "words": words, "run": folder / "run"}


def test_targets_lie_on_the_clips_time(made: dict[str, Any]) -> None:
    """Films of a second have rows of their first second alone, however many segments there are."""
    experiment = Experiment(load_config(made["config"], made["options"]))
    whole, placed = experiment.task.samples("val"), experiment.dataset("val").samples
    for before, after in zip(whole, placed, strict=True):
        assert isinstance(before.target, tuple)
        assert after.target == before.target[:1] * 4
    batch = next(iter(experiment.loader("val", experiment.dataset("val"))))
    assert batch["target"].shape[1] == 4


def test_tables_files_and_comparison(made: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(tmp_path / "a.jsonl"), str(tmp_path / "a.csv")]
    words = [str(made["config"]), str(made["run"] / "best"), "--cfg-options", *made["words"], "--predictions", *files]
    main(["test", *words])
    said = capsys.readouterr().out
    assert {"ave": "accuracy/events", "avvp": "segment/Type@AV"}[made["task"]] in said
    rows = [json.loads(line) for line in Path(files[0]).read_text(encoding="utf-8").splitlines()]
    assert len(rows) == CLIPS["test"]
    assert all(len(of) == 4 for row in rows for of in row["probabilities"].values())
    main(["significance", files[0], files[0], "--resamples", "50"])
    said = capsys.readouterr().out
    assert {"ave": "accuracy", "avvp": "event/Event@AV"}[made["task"]] in said
    report, _ = evaluate(load_config(made["config"], made["options"]), made["run"] / "best", "test")
    table = next(line for line in said.splitlines() if line.strip().startswith(report.primary))
    assert f"{report.value(report.primary):.4f}" in table


def test_classes_where_there_are_some(made: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(made["config"]), str(made["run"] / "best"), "--cfg-options", *made["words"], "--classes"]
    if made["task"] == "avvp":
        with pytest.raises(SystemExit):
            main(["test", *words])
        assert "the task avvp does not pick from classes" in capsys.readouterr().err
        return
    main(["test", *words, "--confusion", str(tmp_path / "c.png")])
    assert "by class" in capsys.readouterr().out
    assert (tmp_path / "c.png").stat().st_size > 1000


def test_train_is_evaluated_too(made: dict[str, Any]) -> None:
    report, _ = evaluate(load_config(made["config"], made["options"]), made["run"] / "best", "train")
    assert report.primary == {"ave": "accuracy", "avvp": "clip/F1"}[made["task"]]


def test_a_video_of_ones_own(made: dict[str, Any], world: World, tmp_path: Path) -> None:
    film = world.root / "videos" / f"{videos('test')[0]}.mp4"
    config = load_config(made["config"], made["options"])
    encoders = Experiment(config).encoders
    predictor = load(made["run"] / "best", encoders)
    said = predictor.predict(film)
    assert set(said) == {"ave": {"segments", "probability"}, "avvp": {"audio", "visual", "unseen"}}[made["task"]]
    inferred = infer(made["run"] / "best", film, encoders=encoders)
    (found,) = as_json(inferred)["answers"]
    assert len(found["edges"]) == 5
    assert all(len(row) == 4 for row in found["segments"].values())
    page, (picture,) = draw(inferred, tmp_path, most=1)
    text = page.read_text(encoding="utf-8")
    first = next(iter(found["segments"]))
    assert text.count('<div class="cells') >= 1
    assert f">{first}</span>" in text
    assert picture.stat().st_size > 5000


def test_of_a_longer_film_its_beginning_is_the_clip(
    made: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the data set, whose clips are ten seconds; what is left out is told."""
    film = tmp_path / "long.mp4"
    tone = (9000 * np.sin(np.arange(13 * 8000) / 7)).astype(np.int16)
    write_mp4(film, iter(np.random.default_rng(0).integers(0, 255, (13 * 5, 48, 64, 3), np.uint8)), tone, 5, 8000)
    encoders = Experiment(load_config(made["config"], made["options"])).encoders
    predictor = load(made["run"] / "best", encoders)
    source = ClipSource("long.mp4", film, end=10.0)
    sample = Sample("long.mp4", source, text=None, target=0)
    (wanted,) = predictor.answer([predictor.item(sample, predictor.decode(source))])
    assert predictor.predict(film) == wanted == next(iter(predictor.predict_many([film])))
    (explained,) = explain(predictor, film, [])
    assert explained.duration == 10.0
    inferred = infer(made["run"] / "best", film, encoders=encoders)
    assert inferred.explanations[0].duration == 10.0
    (note,) = inferred.notes.values()
    assert re.fullmatch(r"answered of its first 10 s; it goes on for (2\.9|3\.0|3\.1) s", note)
    print_answers(inferred)
    assert "goes on for" in " ".join(capsys.readouterr().out.split())


def test_prefix_caches_give_the_same(made: dict[str, Any], tmp_path: Path) -> None:
    options = {**made["options"], "model.adapted": 1, "clips.prefix": str(tmp_path / "prefix")}
    words = [f"{key}={value}" for key, value in options.items()]
    main(["cache", "prefix", str(made["config"]), "--cfg-options", *words])
    losses = []
    for of in (options, {key: value for key, value in options.items() if key != "clips.prefix"}):
        experiment = Experiment(load_config(made["config"], of))
        torch.manual_seed(0)
        model = experiment.model.eval()
        batch = next(iter(experiment.loader("val", experiment.dataset("val"))))
        with torch.no_grad():
            losses.append(experiment.task.answer.loss(model(batch["inputs"]).output, batch["target"]).item())
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"augment": {"time_shift": 1}}, "augment.time_shift: the task {task} answers for every segment"),
        ({"loader.sampling": "balanced"}, "loader.sampling='balanced' wants samples of one class each"),
    ],
)
def test_what_a_training_cannot_do_is_refused(made: dict[str, Any], options: dict[str, Any], said: str) -> None:
    experiment = Experiment(load_config(made["config"], {**made["options"], **options}))
    if made["task"] == "avvp" and "loader.sampling" in options:
        pytest.skip("some of its clips have one label each")
    dataset = experiment.dataset("train")
    sampler: Any = experiment.loader("train", dataset).sampler
    with pytest.raises(ValueError, match=re.escape(said.format(task=made["task"]))):
        prepared(experiment, dataset, sampler)


def test_class_weights(made: dict[str, Any], tmp_path: Path) -> None:
    config = load_config(
        made["config"], {**made["options"], "loss": {"class_weights": {"Bark": 2.0}, "label_smoothing": 0.1}}
    )
    if made["task"] == "avvp":
        with pytest.raises(ValueError, match="loss: the task avvp: its answers are not one of some classes"):
            train(config, work_dir=tmp_path)
        return
    train(config, work_dir=tmp_path)
    assert (tmp_path / "best").is_dir()


def test_importances_are_not_measured(made: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"the task '{made['task']}' answers for every segment"):
        measure(load_config(made["config"], made["options"]), made["run"] / "best", "test")


def test_the_doctor_looks_at_all_of_it(made: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", str(made["config"]), "--cfg-options", *made["words"]])
    assert "imbalance" not in capsys.readouterr().out


def test_rows_are_whole(made: dict[str, Any], tmp_path: Path) -> None:
    _, details = evaluate(load_config(made["config"], made["options"]), made["run"] / "best", "val", choices=True)
    write_rows(tmp_path / "rows.csv", details["rows"])
    assert len((tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()) == CLIPS["val"] + 1

"""An adapter folder is enough: what it gives in training, in evaluation and by itself is the same, or an error."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import seeded_encoders
import torch
from small_world import World, videos, write_film

from lstta_core.adapter_files import AdapterFileError, read_adapter, save_adapter, trained_tensors
from lstta_core.interfaces import Modality
from lstta_tasks.adapters import load
from lstta_tasks.data.clip import DecodeError
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate, tell_unused
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import card, record_of
from lstta_tasks.training.train import train

Alter = Callable[[Callable[[dict[str, Any]], None]], Path]


@pytest.fixture
def altered(run: Path, tmp_path: Path) -> Alter:
    """The best adapter with another record."""

    def alter(change: Callable[[dict[str, Any]], None]) -> Path:
        shutil.copytree(run / "best", tmp_path / "altered")
        path = tmp_path / "altered" / "adapter.json"
        record = json.loads(path.read_text())
        change(record)
        path.write_text(json.dumps(record))
        return tmp_path / "altered"

    return alter


def own_encoders(seed: int = 5) -> dict[Modality, Any]:
    return {Modality(m): getattr(seeded_encoders, m)(seed=seed) for m in ("visual", "audio", "language")}


class TestEvaluate:
    def test_it_gives_what_was_found_when_the_adapter_was_selected(self, world: World, run: Path) -> None:
        report, details = evaluate(load_config(world.config), run / "best", "val")
        assert report.value("overall") == read_adapter(run / "best").record["selected"]["overall"]
        assert details["samples"] == len(details["predictions"]) == 15

    def test_options_that_the_folder_decides_are_told(self, run: Path, caplog: pytest.LogCaptureFixture) -> None:
        """Those that say what it says, as of a training's own command line, are not."""
        record = read_adapter(run / "best").record
        same = {"method": {"_delete_": True, **record["method"]}, "method.width": record["method"]["width"]}
        tell_unused({**same, "model.readout.heads": 2, "loader.workers": 0, "task.root": "x"}, run / "best")
        assert not caplog.messages
        tell_unused({"method.width": 12, "model": {"adapted": 1, "readout": {"heads": 2}}}, run / "best")
        first, second = caplog.messages
        assert first.startswith("--cfg-options method.width=12 is not used: method and model are as ")
        assert first.endswith("adapter.json has them")
        assert second.startswith("--cfg-options model={'adapted': 1, ")

    def test_training_may_start_from_another_tasks_adapter(self, world: World, run: Path, tmp_path: Path) -> None:
        """Everything but the head, which may have another size; the readout's statistics go on from there."""
        options = {"train_cfg.max_epochs": 1, "optim_wrapper.optimizer.lr": 0.0, "task.answers": ["no", "yes"]}
        train(load_config(world.config, options), work_dir=tmp_path / "run", start=run / "best")
        before, after = read_adapter(run / "best").tensors, read_adapter(tmp_path / "run" / "best").tensors
        assert before.keys() == after.keys()
        same = {name for name in before if torch.equal(before[name], after[name])}
        statistics = {name for name in before if name.endswith((".mean", ".variance", ".batches", ".tokens"))}
        assert same == {name for name in before if not name.startswith("head.")} - statistics
        counts = [name for name in statistics if name.endswith(".batches")]
        assert all(after[name] > before[name] > 0 for name in counts)

    def test_a_start_that_was_trained_otherwise_is_told(
        self, world: World, run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What no shape of a tensor shows."""
        options = {"train_cfg.max_epochs": 1, "method.dropout": 0.0, "model.readout.dropout": 0.3}
        train(load_config(world.config, options), work_dir=tmp_path / "run", start=run / "best")
        told = [message.partition("adapter.json: ")[2] for message in caplog.messages if "begins with its" in message]
        end = "and begins with its weights all the same"
        assert told == [
            f"method.dropout: trained with 0.1, this training has 0.0, {end}",
            f"model.readout.dropout: trained with 0.1, this training has 0.3, {end}",
        ]

    def test_a_start_that_says_a_default(
        self, world: World, run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        options = {"train_cfg.max_epochs": 1, "method.long_term": True, "model.readout.guided": True}
        train(load_config(world.config, options), work_dir=tmp_path / "run", start=run / "best")
        assert "begins with its weights" not in caplog.text

    @pytest.mark.parametrize(
        "options", [{"method.width": 12}, {"encoders.audio.seed": 6}], ids=["other sizes", "other encoders"]
    )
    def test_a_start_that_does_not_fit(self, world: World, run: Path, tmp_path: Path, options: dict[str, Any]) -> None:
        with pytest.raises(AdapterFileError):
            train(load_config(world.config, options), work_dir=tmp_path / "run", start=run / "best")
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize("kept", [["audio"], ["visual", "language"]])
    def test_a_model_of_fewer_modalities_than_the_config(self, world: World, tmp_path: Path, kept: list[str]) -> None:
        """The cache stays that of all three, and an adapter folder knows which it has."""
        config = load_config(world.config, {"model.modalities": kept, "train_cfg.max_epochs": 1})
        train(config, work_dir=tmp_path)
        record = read_adapter(tmp_path / "best").record
        assert set(record["encoders"]) == set(kept)
        report, _ = evaluate(load_config(world.config), tmp_path / "best", "val")
        assert report.value("overall") == record["selected"]["overall"]
        predictor = load(tmp_path / "best", {m: e for m, e in own_encoders().items() if m in kept})
        assert predictor.predict(world.root / "videos" / f"{videos('val')[0]}.mp4", "bright?")["answer"]

    def test_a_modality_without_an_encoder(self, world: World) -> None:
        config = load_config(world.config, {"model.modalities": ["audio", "smell"]})
        with pytest.raises(ValueError, match=r"model.modalities: some of visual, audio, language are wanted"):
            _ = Experiment(config).model

    def test_the_details_say_everything(self, world: World, run: Path) -> None:
        report, details = evaluate(load_config(world.config), run / "best", "test")
        assert json.loads(json.dumps(details)) == json.loads(json.dumps(details))
        assert details["split"] == "test"
        assert details["missing_clips"] == []
        assert 0 < details["trainable_parameters"] < details["total_parameters"]
        assert [score["value"] for score in details["scores"]] == [score.value for score in report.scores]
        right = 0
        questions = json.loads((world.root / "avqa-test.json").read_text())
        for question in questions:
            right += details["predictions"][str(question["question_id"])]["answer"] == question["anser"]
        assert report.value("overall") == right / len(questions)

    def test_the_config_is_left_as_it_was(self, world: World, run: Path) -> None:
        config = load_config(world.config)
        before = copy.deepcopy(config).to_dict()
        evaluate(config, run / "best", "test")
        assert config.to_dict() == before

    def test_batches_and_workers_change_nothing(self, world: World, run: Path) -> None:
        _, one = evaluate(load_config(world.config), run / "best", "test")
        options = {"loader.batch_size": 7, "loader.workers": 2}
        _, other = evaluate(load_config(world.config, options), run / "best", "test")
        assert one["predictions"].keys() == other["predictions"].keys()
        for name, found in one["predictions"].items():
            assert other["predictions"][name]["answer"] == found["answer"]
            assert other["predictions"][name]["probability"] == pytest.approx(found["probability"], abs=1e-6)

    def test_method_and_model_are_the_adapters(self, world: World, run: Path) -> None:
        options = {"method": {"_delete_": True, "name": "none"}, "model.stages": 1}
        _, details = evaluate(load_config(world.config, options), run / "best", "test")
        assert details == evaluate(load_config(world.config), run / "best", "test")[1]

    def test_so_is_the_vocabulary_and_train_is_not_needed(self, world: World, run: Path, tmp_path: Path) -> None:
        (tmp_path / "root").mkdir()
        questions = json.loads((world.root / "avqa-test.json").read_text())
        questions[0]["anser"] = "never heard of"
        (tmp_path / "root" / "avqa-test.json").write_text(json.dumps(questions))
        config = load_config(world.config, {"task.root": str(tmp_path / "root")})
        report, details = evaluate(config, run / "best", "test")
        assert details["notes"] == ("1 samples have an answer outside the vocabulary of train and count as wrong",)
        assert report.scores[-1].count == len(questions)
        assert details["predictions"] == evaluate(load_config(world.config), run / "best", "test")[1]["predictions"]

    def test_clips_that_are_not_in_the_cache_are_listed(self, world: World, run: Path, tmp_path: Path) -> None:
        (tmp_path / "root").mkdir()
        questions = json.loads((world.root / "avqa-test.json").read_text())
        for question in questions[:4]:
            question["video_id"] = "gone" if question["question_id"] % 2 else "lost"
        (tmp_path / "root" / "avqa-test.json").write_text(json.dumps(questions))
        config = load_config(world.config, {"task.root": str(tmp_path / "root")})
        report, details = evaluate(config, run / "best", "test")
        assert sorted(details["missing_clips"]) == ["gone", "lost"]
        assert details["samples"] == report.scores[-1].count == len(questions) - 4


class TestRefusals:
    def test_another_encoder(self, world: World, run: Path) -> None:
        config = load_config(world.config, {"encoders.audio.seed": 6})
        with pytest.raises(
            AdapterFileError, match=r"audio encoder was 'seeded_encoders:audio' with digest .* train anew"
        ):
            evaluate(config, run / "best", "test")

    def test_a_modality_less(self, world: World, run: Path) -> None:
        encoders = {"_delete_": True, "language": {"type": "seeded_encoders.language", "seed": 5}}
        with pytest.raises(
            AdapterFileError, match=r"trained with encoders for .*'visual'.*, the model has \['language'\]"
        ):
            evaluate(load_config(world.config, {"encoders": encoders}), run / "best", "test")

    def test_other_preprocessing(self, world: World, run: Path) -> None:
        config = load_config(world.config, {"clips.segments": 5, "clips.fit": "pad"})
        with pytest.raises(
            AdapterFileError, match=r"other preprocessing .*segments: 5 here, 3 there; fit: 'pad' here, 'squash' there"
        ):
            evaluate(config, run / "best", "test")

    def test_another_task(self, world: World, run: Path) -> None:
        task = {"_delete_": True, "type": "lstta_tasks.tasks.avqa.AVQA", "root": str(world.root)}
        with pytest.raises(
            AdapterFileError, match=r"trained for task 'avqa', the config is for 'lstta_tasks.tasks.avqa:AVQA'"
        ):
            evaluate(load_config(world.config, {"task": task}), run / "best", "test")

    def test_no_folder(self, world: World, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder"):
            evaluate(load_config(world.config), tmp_path / "nowhere", "test")

    def test_a_record_of_something_else(self, world: World, altered: Alter) -> None:
        def change(record: dict[str, Any]) -> None:
            del record["task"], record["model"]

        with pytest.raises(AdapterFileError, match=r"adapter.json: model, task missing: lstta-tasks did not write it"):
            evaluate(load_config(world.config), altered(change), "test")

    def test_other_tensors(self, world: World, altered: Alter) -> None:
        with pytest.raises(
            AdapterFileError, match=r"(has shape .* the model wants|tensors are not those of this model)"
        ):
            evaluate(load_config(world.config), altered(lambda r: r["method"].update(width=12)), "test")

    def test_a_method_that_is_not_there(self, world: World, altered: Alter) -> None:
        with pytest.raises(LookupError, match=r"no method is named 'lstta-x'. Did you mean 'lstta'\?"):
            evaluate(load_config(world.config), altered(lambda r: r["method"].update(name="lstta-x")), "test")


class TestByItself:
    def test_a_prediction_is_that_of_the_batch(self, world: World, run: Path) -> None:
        _, details = evaluate(load_config(world.config), run / "best", "test")
        predictor = load(run / "best", encoders=own_encoders())
        for sample in Experiment(load_config(world.config)).task.samples("test"):
            found = predictor.predict(world.root / "videos" / f"{sample.source.id}.mp4", sample.text)
            expected = details["predictions"][sample.id]
            assert found["answer"] == expected["answer"]
            assert found["probability"] == pytest.approx(expected["probability"], abs=1e-6)

    def test_text_and_sound_may_be_missing(self, run: Path, tmp_path: Path) -> None:
        write_film(tmp_path / "silent.mp4", sound=False)
        predictor = load(run / "best", encoders=own_encoders())
        spoken, unspoken = (predictor.predict(tmp_path / "silent.mp4", text) for text in ("Is the flute loud?", None))
        assert spoken["probability"] != unspoken["probability"]
        assert 0 < unspoken["probability"] <= 1

    def test_a_video_that_cannot_be_read(self, run: Path, tmp_path: Path) -> None:
        predictor = load(run / "best", encoders=own_encoders())
        with pytest.raises(DecodeError, match=r"none.mp4"):
            predictor.predict(tmp_path / "none.mp4", "?")
        (tmp_path / "text.mp4").write_text("no film")
        with pytest.raises(DecodeError, match=r"text.mp4"):
            predictor.predict(tmp_path / "text.mp4", "?")

    def test_encoders_that_no_plugin_registers_must_be_handed_over(self, run: Path) -> None:
        """A record must not be able to name code that loading then runs."""
        with pytest.raises(
            AdapterFileError, match=r"encoder is seeded_encoders:visual, .* hand them over, load\(folder"
        ):
            load(run / "best")

    def test_and_must_be_those_of_the_training(self, run: Path) -> None:
        with pytest.raises(AdapterFileError, match=r"the visual encoder was 'seeded_encoders:visual' with digest"):
            load(run / "best", encoders=own_encoders(seed=6))


class TestPlugins:
    """With the encoders of lstta-backbone-tiny, at the sizes of the demo."""

    @pytest.fixture(scope="class")
    @staticmethod
    def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
        options = {
            "encoders": {"_delete_": True, **{m: {"name": f"tiny-{m}"} for m in ("visual", "audio", "language")}},
            "method": {"_delete_": True, "name": "lstta", "width": 48, "heads": 4},
            "model": {"_delete_": True, "stages": 4, "readout": {"width": 128}},
        }
        experiment = Experiment(load_config(world.config, options))
        torch.manual_seed(0)
        path = tmp_path_factory.mktemp("tiny") / "best"
        save_adapter(
            path,
            trained_tensors(experiment.model, experiment.model.frozen()),
            card(record_of(experiment), experiment.model),
        )
        return path

    def test_the_folder_is_enough(self, world: World, folder: Path) -> None:
        film = world.root / "videos" / f"{videos('test')[0]}.mp4"
        found = load(folder).predict(film, "Is the flute loud?")
        assert found == load(folder).predict(film, "Is the flute loud?")
        assert found["answer"] in ("bright", "dark", "loud", "soft", "yes")

    def test_it_is_hardly_larger_than_its_tensors(self, folder: Path) -> None:
        tensors = sum(tensor.nbytes for tensor in read_adapter(folder).tensors.values())
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 1.05 * tensors
        assert not [name for name in read_adapter(folder).tensors if ".encoders." in name]

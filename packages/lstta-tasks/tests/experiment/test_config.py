"""What a config may say, and how every mistake in it, or in the options that override it, is answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_world import World

from lstta_core.plugins import UnknownNameError
from lstta_tasks.experiment.config import COURSES, OPTIONAL, SECTIONS, load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import record_of

Edit = Callable[..., Path]


@pytest.fixture
def edited(world: World, tmp_path: Path) -> Edit:
    """The small config with parts of its text replaced, or with more at its end."""

    def edit(*pairs: tuple[str, str], more: str = "") -> Path:
        text = world.config.read_text()
        for old, new in pairs:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / "edited.py"
        path.write_text(text + more)
        return path

    return edit


class TestOptions:
    def test_they_override_values_of_every_depth(self, world: World) -> None:
        options = {
            "seed": 11,
            "method.width": 16,
            "model.readout.width": 24,
            "optim_wrapper.optimizer.lr": 0.5,
            "optim_wrapper.clip_grad.max_norm": 2.0,
            "param_scheduler.0.start_factor": 0.25,
            "encoders.visual.seed": 7,
            "train_cfg": {"max_epochs": 5},
        }
        config = load_config(world.config, options)
        assert config.seed == 11
        assert config.method.width == 16
        assert config.model.readout == {"width": 24, "heads": 2, "dropout": 0.1}
        assert config.optim_wrapper.optimizer.lr == 0.5
        assert config.optim_wrapper.clip_grad.max_norm == 2.0
        assert config.param_scheduler[0].start_factor == 0.25
        assert config.param_scheduler[0].convert_to_iter_based
        assert config.encoders.visual.seed == 7
        assert config.train_cfg == {"max_epochs": 5, "val_interval": 1}
        assert load_config(world.config).method.width == 8

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("model.adapted", 1),
            ("method.long_term", False),
            ("method.budget", 5_000),
            ("clips.frame_size", (8, 12)),
            ("clips.frames_per_segment", 2),
            ("optim_wrapper.accumulative_counts", 2),
            ("optim_wrapper.optimizer.betas", (0.8, 0.9)),
            ("param_scheduler.0.end_factor", 0.5),
            ("param_scheduler.0.verbose", False),
            ("train_cfg.val_begin", 2),
            ("task.answers", ["no", "yes"]),
        ],
    )
    def test_what_a_factory_takes_is_accepted_though_the_config_does_not_state_it(
        self, world: World, key: str, value: object
    ) -> None:
        config = load_config(world.config, {key: value})
        place: Any = config
        for part in key.split("."):
            place = place[int(part) if part.isdigit() else part]
        assert place == value

    def test_also_in_a_section_that_is_not_there(self, edited: Edit) -> None:
        path = edited((", readout=dict(width=12, heads=2, dropout=0.1)", ""))
        assert load_config(path, {"model.readout.width": 24}).model.readout == {"width": 24}

    def test_they_apply_one_after_the_other(self, world: World) -> None:
        options = {"method": {"_delete_": True, "name": "lavish"}, "method.latents": 3}
        assert load_config(world.config, options).method == {"name": "lavish", "latents": 3}

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ("sed", r"--cfg-options sed: nothing reads 'sed'; did you mean 'seed'\?"),
            ("AdamW", r"--cfg-options AdamW: nothing reads 'AdamW'"),
            ("xyz", r"nothing reads 'xyz'; there are task, encoders, method"),
            ("methd.width", r"methd.width: nothing reads 'methd'; did you mean 'method'\?"),
            ("method.widht", r"method.widht: LSTTA does not take it; did you mean 'width'\?"),
            ("method.width.x", r"--cfg-options method.width.x: width=.* cannot inherit"),
            ("model.adaptd", r"model.adaptd: nothing reads it; did you mean 'adapted'\?"),
            ("model.encoders", r"model.encoders: nothing reads it"),
            ("model.readout.widht", r"model.readout.widht: nothing reads it; did you mean 'width'\?"),
            ("model.readot.width", r"model.readot: nothing reads it; did you mean 'readout'\?"),
            ("encoders.visul.seed", r"encoders.visul: nothing reads it; did you mean 'visual'\?"),
            ("encoders.visual.sed", r"encoders.visual.sed: visual does not take it; did you mean 'seed'\?"),
            ("task.rot", r"task.rot: AVQA does not take it; did you mean 'root'\?"),
            ("task.answrs", r"task.answrs: AVQA does not take it; did you mean 'answers'\?"),
            ("clips.segmets", r"clips.segmets: nothing reads it; did you mean 'segments'\?"),
            ("clips.cach", r"clips.cach: nothing reads it; did you mean 'cache'\?"),
            ("loader.batchsize", r"loader.batchsize: nothing reads it; did you mean 'batch_size'\?"),
            ("optim_wrapper.optimiser.lr", r"optim_wrapper.optimiser: nothing reads it; did you mean 'optimizer'\?"),
            ("optim_wrapper.optimizer.weight_decy", r"AdamW does not take it; did you mean 'weight_decay'\?"),
            ("optim_wrapper.clip_grad.max_nrm", r"clip_grad.max_nrm: nothing reads it; did you mean 'max_norm'\?"),
            ("param_scheduler.0.start_facto", r"did you mean 'start_factor'\?"),
            ("param_scheduler.0.optimizer", r"param_scheduler.0.optimizer: nothing reads it"),
            ("param_scheduler.1.begin", r"--cfg-options param_scheduler.1.begin: .*Index 1 exceeds the length of list"),
            ("param_scheduler.7", r"--cfg-options param_scheduler.7: .*Index 7 exceeds the length of list"),
            ("param_scheduler.first.begin", r"--cfg-options param_scheduler.first.begin: list indices must be"),
            ("param_scheduler.0", r"--cfg-options param_scheduler.0: "),
            ("train_cfg.max_epoch", r"train_cfg.max_epoch: nothing reads it; did you mean 'max_epochs'\?"),
            ("", r"--cfg-options : nothing reads ''"),
            ("method.", r"method.: LSTTA does not take it; .* If another one has left it there: --cfg-options "),
        ],
    )
    def test_a_misspelt_key_is_refused_with_the_nearest(self, world: World, key: str, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            load_config(world.config, {key: 1})

    @pytest.mark.parametrize(
        ("options", "section"),
        [
            ({"method.name": "cola"}, "method"),
            ({"method": {"name": "moka", "r": 3}}, "method"),
            ({"task": {"name": "sentiment", "answers": []}}, "task"),
            ({"encoders.audio": {"nothing": 3}}, "encoders.audio"),
        ],
    )
    def test_what_another_one_left_is_named_with_the_way_out(
        self, world: World, options: dict[str, Any], section: str
    ) -> None:
        with pytest.raises(ValueError, match="does not take it") as error:
            _ = Experiment(load_config(world.config, options)).choice
        assert f"--cfg-options \"{section}={{'_delete_': True, 'name': …}}\"" in str(error.value)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"loader": {"wrkers": 1}}, r"loader.wrkers: nothing reads it; did you mean 'workers'\?"),
            ({"model": {"readout": {"widht": 1}}}, r"model.readout.widht: nothing reads it; did you mean 'width'\?"),
            ({"param_scheduler": [3]}, r"param_scheduler.0: a dict with type=, the class itself, is wanted, got 3"),
            ({"param_scheduler": 3}, r"param_scheduler: a value of type list is wanted"),
            ({"seed": "one"}, r"seed: a value of type int is wanted, got 'one'"),
            ({"seed": True}, r"seed: a value of type int is wanted, got True"),
            ({"seed": -1}, r"seed must be at least 0"),
            ({"seed": {"a": 1}}, r"--cfg-options seed: "),
            ({"log_interval": 0}, r"log_interval at least 1"),
            ({"method": "lstta"}, r"method: a value of type dict is wanted, got 'lstta'"),
            ({"model.readout": 3}, r"model.readout: a dict is wanted, got 3"),
            ({"optim_wrapper.optimizer": 3}, r"optim_wrapper.optimizer: a dict with type=, the class itself"),
        ],
    )
    def test_values_that_cannot_be_are_refused(self, world: World, options: dict[str, Any], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            load_config(world.config, options)


class TestOldKeys:
    """Of version 0.1."""

    def test_an_option(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        assert load_config(world.config, {"clips.features": "there"}).clips.prefix == "there"
        assert capsys.readouterr().err == "clips.features is called clips.prefix now\n"

    def test_a_file(self, edited: Edit, capsys: pytest.CaptureFixture[str]) -> None:
        config = load_config(edited(('codec="raw"', 'codec="raw", features="there"')))
        assert config.clips.prefix == "there"
        assert "features" not in config.clips
        assert capsys.readouterr().err == "clips.features is called clips.prefix now\n"


class TestFiles:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(
            FileNotFoundError,
            match=r"none.py: no such file, and no shipped config has this name; lstta configs lists them",
        ):
            load_config(tmp_path / "none.py")
        with pytest.raises(IsADirectoryError, match=r"a folder; the file or the name of a config is wanted"):
            load_config(tmp_path)

    @pytest.mark.parametrize(
        "text",
        [
            "this is no Python",
            "x = ",
            "seed = 1 / 0",
            "seed = undefined",
            "from nowhere_at_all import thing\n",
            "from torch.optim import AdamX\n",
            "import os\nseed = os.environ['NO SUCH']\n",
        ],
    )
    def test_not_a_config(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "bad.py").write_text(text)
        with pytest.raises(ValueError, match=r"bad.py: not a config: "):
            load_config(tmp_path / "bad.py")

    def test_not_a_python_file(self, world: World, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(ValueError, match=r"config.json: not a config: configs are Python files"):
            load_config(tmp_path / "config.json")

    @pytest.mark.parametrize("section", [section for section in SECTIONS if section not in (*COURSES, *OPTIONAL)])
    def test_every_section_is_needed(self, edited: Edit, section: str) -> None:
        path = edited(more=f"del {section}\n")
        with pytest.raises(ValueError, match=rf"edited.py: the config lacks {section}; shipped ones have defaults"):
            load_config(path)

    def test_an_unknown_section_is_refused(self, edited: Edit) -> None:
        with pytest.raises(ValueError, match=r"edited.py: nothing reads 'encoder'; did you mean 'encoders'\?"):
            load_config(edited(more="encoder = dict()\n"))

    def test_but_not_what_is_imported_or_begins_with_an_underscore(self, edited: Edit) -> None:
        load_config(
            edited(
                ("from torch.optim import AdamW", "import torch\nfrom torch.optim import AdamW, SGD"),
                more="_half = 3\n",
            )
        )

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("batch_size=4", "batchsize=4", r"loader.batchsize: nothing reads it; did you mean 'batch_size'\?"),
            ("batch_size=4, ", "", r"loader.batch_size: it is missing"),
            ("segments=3", "segmets=3", r"clips.segmets: nothing reads it; did you mean 'segments'\?"),
            ("segments=3, ", "", r"clips.segments: it is missing"),
            (', codec="raw"', "", r"clips.codec: it is missing"),
            ("max_epochs=3, ", "", r"train_cfg.max_epochs: it is missing"),
            ("val_interval=1", "val_intervall=1", r"train_cfg.val_intervall: nothing reads it"),
            ("stages=2", "stage=2", r"model.stage: nothing reads it; did you mean 'stages'\?"),
            ("heads=2, dropout=0.1))", "heds=2))", r"model.readout.heds: nothing reads it; did you mean 'heads'\?"),
            ("start_factor=0.1", "start_fator=0.1", r"param_scheduler.0.start_fator: nothing reads it"),
            ("type=LinearLR, ", "", r"param_scheduler.0: a dict with type=, the class itself, is wanted"),
            ("type=AdamW, ", "", r"optim_wrapper.optimizer: a dict with type=, the class itself, is wanted"),
            ("clip_grad=", "clip_gra=", r"optim_wrapper.clip_gra: nothing reads it; did you mean 'clip_grad'\?"),
        ],
    )
    def test_a_key_that_nothing_reads_or_that_is_missing(self, edited: Edit, old: str, new: str, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            load_config(edited((old, new)))


class TestExperiment:
    """Mistakes that show when the parts are built."""

    @pytest.mark.parametrize(
        ("options", "error", "said"),
        [
            (
                {"method": {"_delete_": True, "name": "lsta"}},
                UnknownNameError,
                r"no method is named 'lsta'. Did you mean 'lstta'\?",
            ),
            ({"method": {"_delete_": True, "width": 8}}, ValueError, r"method.name: the config must name a method"),
            (
                {"method": {"_delete_": True, "name": "bottleneck", "widht": 8}},
                ValueError,
                r"method.widht: Bottleneck does not take it; did you mean 'width'\?",
            ),
            ({"method.width": "wide"}, ValueError, r"method.width: int is wanted, got 'wide'"),
            ({"model.stages": 3}, ValueError, r"stages=3 must lie between 1 and the smallest depth"),
            (
                {"encoders.visual": {"_delete_": True, "name": "tiny-visul"}},
                UnknownNameError,
                r"no encoder is named 'tiny-visul'",
            ),
            (
                {"encoders.visual": {"name": "tiny-visual"}},
                ValueError,
                r"encoders.visual: give either the name of an encoder or type=",
            ),
            (
                {"encoders.visual": 3},
                ValueError,
                r"encoders.visual: a dict with the name of an encoder is wanted, got 3",
            ),
            (
                {"encoders.visual.type": "seeded_encoders.nothing"},
                ValueError,
                r"encoders.visual.type: 'seeded_encoders.nothing' cannot be imported",
            ),
            ({"encoders.visual.type": 3}, ValueError, r"encoders.visual.type: a callable is wanted, got 3"),
            ({"encoders.visual.seed": "five"}, ValueError, r"five"),
            (
                {"encoders": {"_delete_": True, "taste": {"name": "tongue"}}},
                ValueError,
                r"encoders.taste: nothing reads it; there are visual, audio, language",
            ),
            (
                {"encoders": {"_delete_": True}},
                ValueError,
                r"encoders: some of visual, audio, language are wanted, got none",
            ),
            (
                {"task": {"_delete_": True, "name": "avqb"}},
                UnknownNameError,
                r"no task is named 'avqb'. Did you mean 'avqa'\?",
            ),
            ({"clips.segments": 0}, ValueError, r"segments must be a whole number of at least 1, got 0"),
        ],
    )
    def test_the_message_says_what_to_change(
        self, world: World, options: dict[str, Any], error: type[Exception], said: str
    ) -> None:
        def build() -> None:
            experiment = Experiment(load_config(world.config, options))
            _ = experiment.task, experiment.preprocessing, experiment.model

        with pytest.raises(error, match=said):
            build()

    def test_what_the_encoders_decide(self, world: World) -> None:
        preprocessing = Experiment(load_config(world.config)).preprocessing
        assert preprocessing.frame_size == (8, 12)
        assert preprocessing.sample_rate == 47
        config = load_config(world.config, {"clips.frame_size": (16, 24), "clips.sample_rate": 94})
        assert Experiment(config).preprocessing.frame_size == (16, 24)
        assert Experiment(config).preprocessing.sample_rate == 94

    def test_a_model_of_one_modality(self, world: World) -> None:
        config = load_config(
            world.config, {"encoders": {"_delete_": True, "language": {"type": "seeded_encoders.language", "seed": 1}}}
        )
        experiment = Experiment(config)
        assert list(experiment.model.trimodal.encoders) == ["language"]
        assert experiment.preprocessing.sample_rate == 16000

    def test_sources_of_all_splits_come_once(self, world: World) -> None:
        experiment = Experiment(load_config(world.config))
        assert len(experiment.task.sources()) == 15
        assert [source.id for source in experiment.task.sources(["test"])] == ["00000200", "00000201", "00000202"]

    def test_the_record_can_be_written(self, world: World) -> None:
        record = record_of(Experiment(load_config(world.config)))
        assert record["encoders"]["visual"] == {"name": "seeded_encoders:visual", "seed": 5}
        assert record["method"]["name"] == "lstta"
        assert record["task"] == {"name": "avqa", "answers": ["bright", "dark", "loud", "soft", "yes"]}

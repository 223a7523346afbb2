"""A run that is killed goes on and ends as if it had not been; what does not fit is refused and nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from children import KILLED, KILLS, train_in_child
from same_end import assert_same_end, checkpoint
from small_world import World

from lstta_core.adapter_files import read_adapter
from lstta_core.whole_files import write_whole
from lstta_tasks.experiment.config import load_config
from lstta_tasks.training.train import train


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of everything in a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.fixture(scope="module")
def whole(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in a child that was not killed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert train_in_child(world.config, folder) == 0
    return folder


class TestWhatIsWritten:
    def test_the_checkpoint_holds_what_trains_and_nothing_frozen(self, run: Path) -> None:
        saved = checkpoint(run)
        assert saved["state_dict"].keys() == {f"model.{name}" for name in read_adapter(run / "best").tensors}
        assert not [name for name in saved["state_dict"] if ".encoders." in name]
        assert len(saved["optimizer"]["state"]) == len(saved["optimizer"]["param_groups"][0]["params"])
        assert saved["meta"]["epoch"] == 3
        assert saved["meta"]["iter"] == 3 * 6

    def test_there_is_one_checkpoint_and_its_pointer(self, run: Path) -> None:
        assert [path.name for path in run.glob("*.pth")] == ["epoch_3.pth"]
        assert (run / "last_checkpoint").read_text() == "epoch_3.pth"
        assert not [path for path in run.glob(".*") if path.name != ".best.old"]

    def test_best_is_the_epoch_with_the_highest_accuracy_of_equals_that_with_the_lowest_loss(self, run: Path) -> None:
        lines = [line for line in (run / "train.log").read_text().splitlines() if "val/overall" in line]
        accuracies, losses = (
            [float(line.split(f"val/{name}: ")[1].split()[0]) for line in lines] for name in ("overall", "loss")
        )
        selected = read_adapter(run / "best").record["selected"]
        assert len(accuracies) == 3
        assert selected["epoch"] == 1 + max(range(3), key=lambda i: (accuracies[i], -losses[i]))
        assert selected["split"] == "val"
        assert selected["overall"] == pytest.approx(max(accuracies), abs=1e-4)

    def test_events_hold_loss_accuracy_and_pictures(self, run: Path) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        (events,) = (run / "tensorboard").rglob("events*")
        found = EventAccumulator(str(events), size_guidance={"images": 0})
        found.Reload()
        assert {"loss", "lr", "val/loss", "val/overall", "val/Audio/Comparative"} <= set(found.Tags()["scalars"])
        assert found.Tags()["images"] == ["val/explained/0", "val/explained/1", "val/explained/2", "val/confusion"]
        assert [image.step for image in found.Images("val/explained/2")] == [1, 2, 3]

    def test_the_config_as_run_is_a_config_and_gives_the_same_adapter(self, run: Path, tmp_path: Path) -> None:
        config = load_config(run / "small.py", {"train_cfg.max_epochs": 1})
        train(config, work_dir=tmp_path / "again")
        again, before = read_adapter(tmp_path / "again" / "best").record, read_adapter(run / "best").record
        assert {**again, "selected": None} == {**before, "selected": None}


class TestSeeds:
    def test_the_same_gives_the_same_weights_and_another_gives_others(self, world: World, tmp_path: Path) -> None:
        for name, seed in (("a", 0), ("b", 0), ("c", 4)):
            torch.rand(7)
            train(load_config(world.config, {"train_cfg.max_epochs": 1, "seed": seed}), work_dir=tmp_path / name)
        assert_same_end(tmp_path / "a", tmp_path / "b")
        there, here = (checkpoint(tmp_path / name)["state_dict"] for name in "ac")
        assert there.keys() == here.keys()
        assert [name for name in there if not torch.equal(there[name], here[name])]


class TestResuming:
    def test_a_finished_run_is_left_as_it_is(self, world: World, run: Path, tmp_path: Path) -> None:
        shutil.copytree(run, tmp_path / "copy")
        before = snapshot(tmp_path / "copy")
        assert train(load_config(world.config), work_dir=tmp_path / "copy", resume=True) is None
        after = snapshot(tmp_path / "copy")
        kept = [name for name in before if name.startswith("best") or name.endswith(".pth")]
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}

    def test_a_run_may_be_moved_and_goes_on_from_anywhere(
        self, world: World, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        train(load_config(world.config, {"train_cfg.max_epochs": 2}), work_dir=tmp_path / "before")
        (tmp_path / "before").rename(tmp_path / "after")
        monkeypatch.chdir(tmp_path)
        train(load_config(world.config), work_dir=Path("after"), resume=True)
        assert_same_end(run, tmp_path / "after")

    def test_nothing_to_resume_is_a_beginning(self, world: World, tmp_path: Path) -> None:
        train(load_config(world.config, {"train_cfg.max_epochs": 1}), work_dir=tmp_path / "new", resume=True)
        assert checkpoint(tmp_path / "new")["meta"]["epoch"] == 1

    def test_killed_in_an_epoch_it_ends_the_same(self, world: World, run: Path, tmp_path: Path) -> None:
        assert train_in_child(world.config, tmp_path / "a", kill="in the second epoch") == KILLED
        assert checkpoint(tmp_path / "a")["meta"]["epoch"] == 1
        train(load_config(world.config), work_dir=tmp_path / "a", resume=True)
        assert_same_end(run, tmp_path / "a")


class TestRefusals:
    @pytest.fixture
    def copy(self, run: Path, tmp_path: Path) -> Path:
        shutil.copytree(run, tmp_path / "copy")
        return tmp_path / "copy"

    def test_a_run_is_not_overwritten_without_resume(self, world: World, copy: Path) -> None:
        before = snapshot(copy)
        with pytest.raises(ValueError, match=r"holds a run: give --resume"):
            train(load_config(world.config), work_dir=copy)
        assert snapshot(copy) == before

    def test_nor_is_a_best_adapter_alone(self, world: World, copy: Path) -> None:
        (copy / "last_checkpoint").unlink()
        with pytest.raises(ValueError, match=r"holds a run: give --resume"):
            train(load_config(world.config), work_dir=copy)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (
                {"method": {"_delete_": True, "name": "bottleneck", "width": 8}},
                r"method.name was 'lstta', is 'bottleneck' now",
            ),
            ({"method.window": 1}, r"method.window was 3, is 1 now"),
            ({"method.width": 12}, r"method.width was 8, is 12 now"),
            ({"model.stages": 1}, r"model.stages was 2, is 1 now"),
            ({"encoders.audio.seed": 6}, r"encoders.audio.seed was 5, is 6 now; encoders.audio.digest was"),
            ({"seed": 4}, r"seed was 0, is 4 now"),
            ({"loader.batch_size": 5}, r"steps an epoch was 6, is 5 now"),
        ],
    )
    def test_another_configs_run_is_refused_and_kept(
        self, world: World, copy: Path, options: dict[str, Any], said: str
    ) -> None:
        before = snapshot(copy)
        with pytest.raises(ValueError, match=said) as raised:
            train(load_config(world.config, options), work_dir=copy, resume=True)
        assert str(copy / "epoch_3.pth") in str(raised.value)
        assert "Resume with the config that it was made with" in str(raised.value)
        assert snapshot(copy) == before

    def test_weights_of_another_model_are_refused(self, world: World, copy: Path) -> None:
        """As after an update that renames a parameter: the record is the same, the names are not."""
        saved = checkpoint(copy)
        saved["state_dict"]["model.head.odd"] = saved["state_dict"].pop("model.head.bias")
        saved["state_dict"]["model.head.weight"] = torch.zeros(2, 3)
        torch.save(saved, copy / "epoch_3.pth")
        with pytest.raises(
            ValueError, match=r"model.head.bias .*; model.head.odd .*; model.head.weight has another shape"
        ):
            train(load_config(world.config), work_dir=copy, resume=True)

    @pytest.mark.parametrize("content", [b"", b"no checkpoint", "half"])
    def test_a_damaged_checkpoint_is_named(self, world: World, copy: Path, content: bytes | str) -> None:
        path = copy / "epoch_3.pth"
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)
        with pytest.raises(ValueError, match=r"epoch_3.pth: not a whole checkpoint"):
            train(load_config(world.config), work_dir=copy, resume=True)

    def test_a_checkpoint_of_something_else_is_named(self, world: World, copy: Path) -> None:
        torch.save({"state_dict": {}}, copy / "epoch_3.pth")
        with pytest.raises(ValueError, match=r"epoch_3.pth: not a whole checkpoint of ours \('meta'\)"):
            train(load_config(world.config), work_dir=copy, resume=True)

    def test_a_deleted_checkpoint_is_named(self, world: World, copy: Path) -> None:
        (copy / "epoch_3.pth").unlink()
        with pytest.raises(FileNotFoundError, match=r"epoch_3.pth: no such file, though .*last_checkpoint names it"):
            train(load_config(world.config), work_dir=copy, resume=True)

    def test_amp_without_a_gpu(self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(ValueError, match=r"--amp needs a GPU"):
            train(load_config(world.config), work_dir=tmp_path / "new", amp=True)
        assert not (tmp_path / "new").exists()


class TestWriteWhole:
    def test_the_old_file_stays_until_the_new_one_is_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        write_whole(path, lambda draft: draft.write_text("old"))

        def fail(draft: Path) -> None:
            draft.write_text("ne")
            raise RuntimeError

        with pytest.raises(RuntimeError):
            write_whole(path, fail)
        assert path.read_text() == "old"
        write_whole(path, lambda draft: draft.write_text("new"))
        assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "new")]


@pytest.mark.slow
class TestKilled:
    """Bit for bit, with SIGKILL, for no, one and two workers. The run that was not killed has none."""

    @pytest.mark.parametrize("workers", [0, 1, 2])
    @pytest.mark.parametrize("kill", KILLS)
    def test_it_ends_the_same(self, world: World, whole: Path, tmp_path: Path, kill: str, workers: int) -> None:
        options = {"loader.workers": workers}
        folder = tmp_path / "run"
        assert train_in_child(world.config, folder, options=options, kill=kill) == KILLED
        assert train_in_child(world.config, folder, options=options, resume=True) == 0
        assert_same_end(whole, folder)

    def test_killed_again_and_again(self, world: World, whole: Path, tmp_path: Path) -> None:
        folder = tmp_path / "run"
        for kill in KILLS:
            assert train_in_child(world.config, folder, resume=True, kill=kill) in (KILLED, 0)
        assert train_in_child(world.config, folder, resume=True) == 0
        assert_same_end(whole, folder)

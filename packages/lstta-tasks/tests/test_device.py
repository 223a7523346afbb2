"""Which device is taken, and that all that a model computes stays on its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import untrained
from small_world import write_film
from torch import Tensor

from lstta_core.interfaces import Modality
from lstta_tasks.adapters import Predictor, load
from lstta_tasks.cli.main import main
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.device import device_of, half_of
from lstta_tasks.retrieval.network import RetrievalNetwork
from lstta_tasks.sample import Sample
from lstta_tasks.task import Task
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.inference import Inference
from lstta_tasks.tasks.retrieval import Retrieval
from lstta_tasks.tasks.sentiment import Sentiment

GPUS = 2


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """As torch tells it; which one the process takes."""
    taken: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: GPUS)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    return taken


class TestWhich:
    def test_without_a_gpu_the_cpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert device_of() == device_of("cpu") == torch.device("cpu")
        with pytest.raises(ValueError, match=r"--device cuda needs a GPU, and there is none that torch can use"):
            device_of("cuda")

    def test_a_gpu_where_there_is_one(self, two_gpus: list[torch.device]) -> None:
        assert device_of() == torch.device("cuda")
        assert device_of("cpu") == torch.device("cpu")
        assert two_gpus == []

    def test_one_of_several_becomes_the_process_own(self, two_gpus: list[torch.device]) -> None:
        assert device_of("cuda:1") == torch.device("cuda:1")
        assert two_gpus == [torch.device("cuda:1")]

    @pytest.mark.parametrize("asked", ["cuda:2", torch.device("cuda", 7)])
    def test_one_that_is_not_there(self, two_gpus: list[torch.device], asked: str) -> None:
        with pytest.raises(ValueError, match=rf"--device {asked} needs a GPU, and there are 2, counted from cuda:0"):
            device_of(asked)

    @pytest.mark.parametrize("asked", ["gpu", "cuda:x", "meta", "", "1"])
    def test_no_device(self, asked: str) -> None:
        with pytest.raises(ValueError, match=f"--device {asked}: one of cpu, cuda, or one of several GPUs"):
            device_of(asked)

    def test_half_precision_is_what_the_card_computes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert half_of(torch.device("cpu")) is torch.bfloat16
        for has, half in ((True, torch.bfloat16), (False, torch.float16)):
            monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, has=has: has)
            assert half_of(torch.device("cuda")) is half


class TestWhere:
    def test_an_adapter_is_loaded_onto_the_gpu_that_is_there(
        self, tmp_path: Path, two_gpus: list[torch.device], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moved: list[Any] = []

        def to(self: Predictor, device: Any) -> Predictor:
            moved.append(device)
            return self

        monkeypatch.setattr(Predictor, "to", to)
        folder = untrained.save_tiny(tmp_path / "adapter", AVQA(answers=["left", "right"]))
        load(folder)
        load(folder, device="cpu")
        load(folder, device="cuda:1")
        assert moved == [torch.device(name) for name in ("cuda", "cpu", "cuda:1")]

    @pytest.mark.parametrize(
        "command",
        [
            "infer ADAPTER clip.mp4",
            "retrieve index ADAPTER --folder . --out index.npz",
            "retrieve index avqa/tiny_lstta ADAPTER --out index.npz",
            "importances avqa/tiny_lstta ADAPTER",
            "test avqa/tiny_lstta ADAPTER",
            "train avqa/tiny_lstta",
            "train avqa/tiny_lstta --dry-run",
            "cache prefix avqa/tiny_lstta --cfg-options clips.prefix=prefix",
            "features extract avqa/tiny_lstta --out features",
            "profile avqa/tiny_lstta",
        ],
    )
    def test_every_verb_that_runs_a_model_refuses_one_that_is_not_there(
        self, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Before it reads anything: there is no data here."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        untrained.save_tiny(tmp_path / "ADAPTER", AVQA(answers=["left", "right"]))
        (tmp_path / "clip.mp4").touch()
        with pytest.raises(SystemExit, match="2"):
            main([*command.split(), "--device", "cuda:1"])
        assert "error: --device cuda:1 needs a GPU, and there is none" in capsys.readouterr().err

    def test_not_beside_a_launcher(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["test", "avqa/tiny_lstta", "ADAPTER", "--launcher", "pytorch", "--device", "cpu"])
        assert "--device cpu: under --launcher pytorch each process takes a GPU of its own" in capsys.readouterr().err


def of_batch(predictor: Predictor, folder: Path) -> tuple[Any, Tensor]:
    """Inputs of two clips, one of them silent, and targets."""
    items = []
    for number, loud in enumerate((True, False)):
        film = folder / f"{number}.mp4"
        write_film(film, loud=loud)
        source = ClipSource(str(number), film)
        clip = predictor.decode(source)
        items.append(predictor.item(Sample(str(number), source, text=["is it", "loud or not"][number], target=0), clip))
    return predictor.inputs(items), torch.zeros(2, dtype=torch.long)


@pytest.mark.parametrize(
    "made",
    [
        lambda: AVQA(answers=["left", "right", "middle"]),
        Sentiment,
        Inference,
        Retrieval,
        lambda: Retrieval(joint=True),
    ],
)
def test_everything_is_made_on_the_models_device(made: Callable[[], Task], tmp_path: Path) -> None:
    """What is made without saying where would lie on ``meta`` here, and fail where it meets the model's."""
    predictor = untrained.predictor(made())
    inputs, target = of_batch(predictor, tmp_path)
    task, model = predictor.task, predictor.model.train()
    with torch.device("meta"):
        output = model(inputs, target).output
        loss = task.answer.loss(output, target)
        loss.backward()
        with torch.no_grad():
            model.eval()
            explained = model.explain(inputs)
            answers = task.answer.predict(explained.output)
            if isinstance(model, RetrievalNetwork):
                model.clips({m: values for m, values in inputs.items() if m is not Modality.LANGUAGE})
    assert loss.device.type == "cpu"
    assert {p.grad.device.type for p in model.parameters() if p.grad is not None} == {"cpu"}
    assert len(answers) == 2

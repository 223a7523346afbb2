"""Training and evaluation from a prefix cache give what they give from clips, or an error that names both values."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from rounding import TORCH, same
from small_world import World
from torch import Tensor

from lstta_core.interfaces import AudioSpec, EncoderState, Modality
from lstta_tasks.data.cache import CacheError, CacheReader
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.prefix.build import build_prefix
from lstta_tasks.prefix.prefix_cache import pack_state, unpack_state
from lstta_tasks.task import Split
from lstta_tasks.training.train import train


def experiment(world: World, prefix: Path | None = None, **options: Any) -> Experiment:
    given = {"model.adapted": 1} | options | ({} if prefix is None else {"clips.prefix": str(prefix)})
    torch.manual_seed(0)
    return Experiment(load_config(world.config, given))


@pytest.fixture(scope="module")
def built(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prefix") / "cache"
    report = build_prefix(experiment(world, path))
    assert report.built == len(CacheReader(path)) - 3  # a state for each clip and text; and what each modality shares
    assert report.bytes == (path / "data.mdb").stat().st_size
    return path


def outputs(one: Experiment, split: Split) -> tuple[list[str], Tensor, Tensor]:
    """Ids, outputs and losses of a split in batches, in train mode, with gradients."""
    model = one.model.train()
    ids, found, losses = [], [], []
    for number, batch in enumerate(one.loader(split, one.dataset(split))):
        torch.manual_seed(number)
        result = model(batch["inputs"])
        ids += batch["ids"]
        found.append(result.output)
        losses.append(one.task.answer.loss(result.output, batch["target"]))
    return ids, torch.cat(found), torch.stack(losses)


@pytest.mark.parametrize("split", ["train", "val"])
def test_outputs_and_losses_are_those_from_clips(world: World, built: Path, split: Split) -> None:
    options = {"loader.batch_size": 11}
    ids, wanted, losses = outputs(experiment(world, **options), split)
    others, got, found = outputs(experiment(world, built, **options), split)
    assert ids == others
    # Texts are padded to the longest of all instead of their batch's, which may change rounding. The readout divides by
    # how much a batch's clips differ, which makes that a few times larger, and far larger where they are four.
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found, losses, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("modalities", [["visual"], ["audio"], ["visual", "audio"]])
def test_sight_and_sound_are_equal_to_the_bit(world: World, tmp_path: Path, modalities: list[str]) -> None:
    options = {"model.modalities": modalities}
    build_prefix(experiment(world, tmp_path / "cache", **options))
    _, wanted, losses = outputs(experiment(world, **options), "train")
    _, got, found = outputs(experiment(world, tmp_path / "cache", **options), "train")
    apart = 0.0 if TORCH < (2, 14) else 1e-6
    assert same(got, wanted, apart)
    assert same(found, losses, apart)


def test_a_cache_of_all_modalities_serves_models_of_fewer(world: World, built: Path) -> None:
    options = {"model.modalities": ["audio"]}
    _, wanted, _ = outputs(experiment(world, **options), "val")
    _, got, _ = outputs(experiment(world, built, **options), "val")
    assert torch.equal(got, wanted)


def test_with_frozen_weights_in_bfloat16_too(world: World, built: Path, tmp_path: Path) -> None:
    options = {"model.frozen_dtype": "bfloat16"}
    build_prefix(experiment(world, tmp_path / "cache", **options))
    _, wanted, losses = outputs(experiment(world, **options), "train")
    _, got, found = outputs(experiment(world, tmp_path / "cache", **options), "train")
    stored = experiment(world, tmp_path / "cache", **options).dataset("train")[0][1]
    assert stored[Modality.VISUAL][0].state.tokens.dtype is torch.bfloat16
    # Autocast rounds what follows to bfloat16: 2^-8 of values around 1.
    torch.testing.assert_close(got, wanted, rtol=0, atol=2e-2)
    torch.testing.assert_close(found, losses, rtol=0, atol=2e-2)
    with pytest.raises(CacheError, match=r"dtype: 'bfloat16' here, 'float32' there"):
        _ = experiment(world, built, **options).prefix.reader


def test_with_frozen_weights_in_8_bits_too(world: World, built: Path, tmp_path: Path) -> None:
    options = {"model.frozen_dtype": "int8"}
    build_prefix(experiment(world, tmp_path / "cache", **options))
    _, wanted, _ = outputs(experiment(world, **options), "val")
    _, got, _ = outputs(experiment(world, tmp_path / "cache", **options), "val")
    # Rounding in float32 through all adapters; seen: 1.1e-6, of logits up to 1.
    torch.testing.assert_close(got, wanted, rtol=0, atol=5e-6)
    with pytest.raises(CacheError, match=r"dtype: 'int8' here, 'float32' there"):
        _ = experiment(world, built, **options).prefix.reader


def test_no_encoder_runs_its_prefix(world: World, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = experiment(world, built)
    (model,) = one.model.lockstep_models().values()
    for m, encoder in model.by_modality().items():
        allowed = set(range(encoder.depth)) - set(range(prefix_blocks(encoder.depth)))

        def run_block(index: int, state: EncoderState, m: Modality = m, allowed: set[int] = allowed) -> EncoderState:
            assert index in allowed, f"{m} runs block {index}"
            return type(model.by_modality()[m]).run_block(model.by_modality()[m], index, state)

        monkeypatch.setattr(encoder, "embed", lambda inputs: pytest.fail("embed"))
        monkeypatch.setattr(encoder, "run_block", run_block)
    outputs(one, "val")


def prefix_blocks(depth: int) -> int:
    """With the last of two stages adapted, all blocks lie before it."""
    return depth


def test_a_run_from_prefix_trains_and_is_evaluated(world: World, built: Path, tmp_path: Path) -> None:
    config = experiment(world, built, **{"train_cfg.max_epochs": 1}).config
    report = train(config, work_dir=tmp_path)
    assert report is not None
    again, _ = evaluate(config, tmp_path / "best", "val")
    from_clips, _ = evaluate(experiment(world).config, tmp_path / "best", "val")
    assert again.value("overall") == from_clips.value("overall") == report.value("overall")


def test_building_again_computes_nothing_and_changes_nothing(world: World, built: Path) -> None:
    before = (built / "data.mdb").read_bytes()
    report = build_prefix(experiment(world, built))
    assert (report.built, (built / "data.mdb").read_bytes()) == (0, before)


def test_a_split_at_a_time_is_the_whole(world: World, built: Path, tmp_path: Path) -> None:
    splits: tuple[Split, ...] = ("train", "val", "test")
    for split in splits:
        build_prefix(experiment(world, tmp_path / "cache"), [split])
    assert CacheReader(tmp_path / "cache").meta["digest"] == CacheReader(built).meta["digest"]


KILLED = """
import os, signal, sys
from lstta_tasks.data.cache_writer import CacheWriter
from lstta_tasks.prefix.build import build_prefix
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment

add = CacheWriter.add
def dying(writer, key, record, count=[0]):
    add(writer, key, record)
    count[0] += 1
    if count[0] == int(sys.argv[3]):
        writer.commit()
        os.kill(os.getpid(), signal.SIGKILL)
CacheWriter.add = dying
build_prefix(Experiment(load_config(sys.argv[1], {"model.adapted": 1, "clips.prefix": sys.argv[2]})))
"""


@pytest.mark.parametrize("last", [False, True])
def test_a_killed_build_goes_on_and_ends_with_the_same(world: World, built: Path, tmp_path: Path, last: bool) -> None:
    path, entries = tmp_path / "cache", len(CacheReader(built)) if last else 9
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(world.config), str(path), str(entries)],
        env={"PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    assert not path.exists()
    with pytest.raises((CacheError, FileNotFoundError), match="cache"):
        _ = experiment(world, path).prefix.reader
    report = build_prefix(experiment(world, path))
    assert report.reused == entries - 3 if last else 0 < report.reused < len(CacheReader(built)) - 3
    assert CacheReader(path).meta["digest"] == CacheReader(built).meta["digest"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model.adapted": 2}, r"blocks: {'visual': 1, .*} here, {.*'visual': 2} there"),
        ({"encoders.audio.seed": 6}, r"encoders: .* here, .* there"),
        ({"clips.segments": 2}, r"segments: 2 here, 3 there"),
    ],
)
def test_another_model_or_preprocessing_is_refused(
    world: World, built: Path, options: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(CacheError, match=said):
        _ = experiment(world, built, **options).prefix.reader
    if "clips.segments" not in options:  # then the clips' cache refuses first
        with pytest.raises(CacheError, match=said):
            build_prefix(experiment(world, built, **options))


def test_an_encoder_that_hears_otherwise_is_refused(world: World, built: Path) -> None:
    one = experiment(world, built)
    ear = one.encoders[Modality.AUDIO]
    assert isinstance(ear.spec, AudioSpec)
    ear.spec = replace(ear.spec, span="segment" if ear.spec.span == "clip" else "clip")
    with pytest.raises(CacheError, match=r"inputs: {.*'audio': .*} here, {.*'audio': .*} there"):
        _ = one.prefix.reader
    with pytest.raises(CacheError, match=r"inputs: "):
        build_prefix(one)


def test_a_cache_of_before_inputs_were_recorded_is_read_with_a_warning(world: World, built: Path) -> None:
    said = {name: value for name, value in CacheReader(built).meta["features"].items() if name != "inputs"}
    with pytest.warns(UserWarning, match=r"does not say how its encoders' inputs were made.* lstta cache prefix"):
        experiment(world, built).prefix.settings.check(built, said)


def test_what_has_no_frozen_prefix_is_refused(world: World, built: Path) -> None:
    with pytest.raises(ValueError, match=r"clips.prefix: method 'full' trains inside the encoders"):
        experiment(world, built, method={"name": "full", "_delete_": True}).dataset("train")


def test_an_encoder_that_draws_random_numbers_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = experiment(world, tmp_path / "cache")
    encoder = one.model.by_modality()[Modality.AUDIO]
    embed = encoder.embed

    def noisy(inputs: Mapping[str, Tensor]) -> EncoderState:
        state = embed(inputs)
        return state.with_tokens(state.tokens + torch.randn_like(state.tokens))

    monkeypatch.setattr(encoder, "embed", noisy)
    with pytest.raises(ValueError, match=r"the audio encoder makes something else of the same input each time"):
        build_prefix(one)


def test_a_cache_of_clips_is_refused(world: World) -> None:
    with pytest.raises(CacheError, match="is a cache of clips"):
        _ = experiment(world, world.cache).prefix.reader
    with pytest.raises(CacheError, match="is a cache of clips"):
        build_prefix(experiment(world, world.cache))


def test_a_prefix_cache_is_refused_where_clips_are_wanted(world: World, built: Path) -> None:
    with pytest.raises(CacheError, match="is a prefix cache"):
        _ = experiment(world, **{"clips.cache": str(built)}).cache


def test_a_new_text_is_missed_and_then_built(world: World, tmp_path: Path) -> None:
    path, root = tmp_path / "cache", tmp_path / "data"
    build_prefix(experiment(world, path))
    shutil.copytree(world.root, root)
    file = root / "avqa-val.json"
    file.write_text(file.read_text().replace("always playing", "ever playing"))
    with pytest.raises(CacheError, match=r"lacks the states of 1 clips or texts, such as language:.*prefix"):
        experiment(world, path, **{"task.root": str(root)}).dataset("val")
    assert build_prefix(experiment(world, path, **{"task.root": str(root)})).built == 1
    experiment(world, path, **{"task.root": str(root)}).dataset("val")


def test_the_config_refuses_a_path_that_is_none(world: World) -> None:
    with pytest.raises(ValueError, match=r"clips.prefix: the path of a folder is wanted, got 3"):
        load_config(world.config, {"clips.prefix": 3})
    with pytest.raises(ValueError, match=r"clips.prefix: it is missing"):
        build_prefix(experiment(world))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_state_is_stored_to_the_bit(world: World, dtype: torch.dtype) -> None:
    one = experiment(world)
    batch = one.collate([one.dataset("train")[0]])
    for m, inputs in batch["inputs"].items():
        state = one.prefix.models[m].prefix({m: inputs}, [m])[m]
        state = state.with_tokens(state.tokens.to(dtype))
        got, present, length = unpack_state(memoryview(pack_state("key", state, present=True, length=7)))
        assert (present, length) == (True, 7)
        assert torch.equal(got.tokens, state.tokens)
        assert torch.equal(got.mask, state.mask)
        assert torch.equal(got.layout.segment, state.layout.segment)
        assert got.layout.segments == state.layout.segments
        assert got.extras.keys() == state.extras.keys()
        assert all(torch.equal(got.extras[name], state.extras[name]) for name in state.extras)

"""A process that reads mutated records: python strange_records.py KIND FOLDER FIRST COUNT, FOLDER being empty.

Prints JSON: how many were read and refused, tracebacks of whatever else happened, what was started or written, and by
how many megabytes the peak of memory rose above that of reading the sound record twice.
"""

from __future__ import annotations

import io
import json
import resource
import shutil
import sys
import traceback
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cached_world
import lmdb
import numpy as np
import torch
import untrained
from mutations import mutated, mutated_bytes, mutated_json

from lstta_tasks.adapters import load
from lstta_tasks.cli.options import _message
from lstta_tasks.data import cache_layout
from lstta_tasks.data.cache import open_cache
from lstta_tasks.data.cache_packing import pack
from lstta_tasks.data.cache_writer import CacheWriter
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.retrieval.index import Index
from lstta_tasks.study.definition import Compared, Study, StudyTask
from lstta_tasks.study.results import StudyResults
from lstta_tasks.study.study_table import print_table
from lstta_tasks.study.summary import rows, summarise

REPOSITORY = Path(__file__).parents[4]
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "ctypes.dlopen/")
Kind = tuple[Callable[[int | None], None], Callable[[], object]]
"""What writes the record, sound or mutated with a seed, and what reads it."""


def adapter(folder: Path) -> Kind:
    from lstta_tasks.tasks.avqa import AVQA

    best = untrained.save_tiny(folder / "best", AVQA(answers=["left", "right", "three"]))
    record = json.loads((best / "adapter.json").read_text())
    record["selected"] = {"epoch": 3, "split": "val", "overall": 0.5}

    def write(seed: int | None) -> None:
        (best / "adapter.json").write_bytes(json.dumps(record).encode() if seed is None else mutated_json(record, seed))

    return write, lambda: load(best)


def index(folder: Path) -> Kind:
    path = folder / "index.npz"
    vectors = np.eye(5, 3, dtype=np.float32)
    made = Index("best", "0" * 64, [f"clip {n}" for n in range(5)], vectors, ["a", "b"], ["A.", "B."], vectors[:2])
    made.save(path)
    sound = path.read_bytes()
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    strange = ({}, np.ones((3, 3)), np.ones((5, 3), np.float32) * np.nan, np.array(["x"]), np.array(7), np.ones(0))

    def write(seed: int | None) -> None:
        if seed is None or seed % 3 == 0:
            path.write_bytes(sound if seed is None else mutated_bytes(sound, seed))
            return
        changed = dict(arrays)
        name = sorted(changed)[seed % len(changed)]
        changed[name] = strange[seed // 8 % len(strange)]
        if seed % 3 == 1:
            np.savez(path, **changed)
        elif seed % 2:
            np.savez_compressed(path, **{**arrays, name: np.zeros((400, 1 << 20), np.uint8)})  # a bomb
        else:  # a header that claims what is not there
            with zipfile.ZipFile(path, "w") as archive:
                for key, array in arrays.items():
                    data = io.BytesIO()
                    np.lib.format.write_array(data, np.asarray(array))
                    archive.writestr(f"{key}.npy", data.getvalue().replace(b"(5, 3), }      ", b"(5, 9999999), }"))

    return write, lambda: Index.load(path).nearest(vectors[0], 3)


def result(folder: Path) -> Kind:
    record = json.loads((REPOSITORY / "studies/results/ave/ave/lstta-seed1.json").read_text())
    tasks, methods = {"films": StudyTask(config=Path("x"), seconds=1)}, {"none": Compared(method={"name": "none"})}
    study = Study(path=folder / "small.py", tasks=tasks, methods=methods, seeds=(0,))
    path = folder / "results/small/films/none-seed0.json"
    path.parent.mkdir(parents=True)

    def write(seed: int | None) -> None:
        path.write_bytes(json.dumps(record).encode() if seed is None else mutated_json(record, seed))

    def read() -> None:
        results = StudyResults(study, lambda run: record["digest"])
        results.seconds(next(iter(study.compared({study.place_of("films", "none"): None}))))
        with redirect_stdout(io.StringIO()):
            print_table(summarise(study, results.finished()))
        rows(results.finished())

    return write, read


def cache(folder: Path) -> Kind:
    path, source = folder / "cache", folder / "a.mp4"
    source.touch()
    with CacheWriter(cache_layout.partial_folder(path), cache_layout.settings(untrained.TOY, "jpeg")) as writer:
        for name in "abc":
            clip = cached_world.random_clip(untrained.TOY, 3)
            writer.add(name, pack(ClipSource(name, source), clip, "jpeg"))
        writer.publish(path)
    put = _put(path, folder / "other")

    def read() -> None:
        reader = open_cache(folder / "other")
        for clip_id in reader.ids():
            reader.read(clip_id)
            reader.header(clip_id)
        assert len(reader) == 3 or reader.failures == {}

    return put, read


def prefix(folder: Path) -> Kind:
    from lstta_core.interfaces import EncoderState, Modality
    from lstta_core.streams import Layout
    from lstta_tasks.prefix.prefix_cache import (
        PrefixReader,
        PrefixSettings,
        clip_key,
        pack_state,
        pack_tensors,
        shared_key,
    )

    path, key = folder / "prefix", clip_key(Modality.VISUAL, "0" * 32)
    settings = PrefixSettings(
        encoders={"visual": "0" * 64}, inputs={"visual": "1" * 64}, blocks={"visual": 2}, dtype="bfloat16"
    )
    state = EncoderState(
        torch.zeros(3, 5, 7, dtype=torch.bfloat16),
        torch.ones(3, 5, dtype=torch.bool),
        Layout(torch.arange(3)[:, None].expand(3, 5).contiguous(), 3, 3),
    )
    with CacheWriter(cache_layout.partial_folder(path), settings.record(untrained.TOY, 9)) as writer:
        writer.add(key, pack_state(key, state, present=True))
        shared = shared_key(Modality.VISUAL)
        writer.add(shared, pack_tensors(shared, {}, {"token_axes": {}}))
        writer.publish(path)

    def read() -> None:
        reader = PrefixReader(folder / "other", untrained.TOY, settings)
        assert len(reader) >= 0
        reader.state(key)
        reader.shared(Modality.VISUAL)

    return _put(path, folder / "other"), read


def _put(path: Path, other: Path) -> Callable[[int | None], None]:
    """Writes a copy of a cache whose meta record is another."""
    with lmdb.open(str(path), readonly=True, lock=False) as environment, environment.begin() as txn:
        meta = json.loads(txn.get(cache_layout.META_KEY))

    def write(seed: int | None) -> None:
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(path, other)
        record = json.dumps(meta).encode() if seed is None else mutated_json(meta, seed)
        with lmdb.open(str(other), map_size=1 << 24) as environment, environment.begin(write=True) as txn:
            txn.put(cache_layout.META_KEY, record)

    return write


def checkpoint(folder: Path) -> Kind:
    from mmengine.optim import LinearLR

    from lstta_tasks.training.checkpoint_file import check_states, read_checkpoint

    path = folder / "epoch_3.pth"
    model = torch.nn.Linear(3, 5)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    schedule = LinearLR(optimizer, start_factor=0.1, by_epoch=False, begin=0, end=9)
    hub: dict[str, Any] = {"log_scalars": {}, "runtime_info": {}, "resumed_keys": {}}
    content = {
        "meta": {"epoch": 3, "iter": 18, "seed": 0, "best": 0.5, "record": '{"method": {}}', "settings": '{"seed": 0}'},
        "state_dict": {f"model.{name}": tensor.clone() for name, tensor in model.state_dict().items()},
        "optimizer": optimizer.state_dict(),
        "param_schedulers": [schedule.state_dict()],
        "message_hub": hub,
    }
    torch.save(content, path)
    sound = path.read_bytes()

    def write(seed: int | None) -> None:
        if seed is None or seed % 3 == 0:
            path.write_bytes(sound if seed is None else mutated_bytes(sound, seed))
            return
        changed = mutated(content, seed)
        if seed % 7 == 1 and isinstance(changed, dict):
            changed["state_dict"] = {"model.weight": torch.zeros(1).expand(1 << 20, 1 << 12)}
        torch.save(changed, path)

    def read() -> None:
        groups = optimizer.param_groups
        wrapper = SimpleNamespace(state_dict=optimizer.state_dict, param_groups=groups, optimizer=optimizer)
        found = read_checkpoint(path)
        runner: Any = SimpleNamespace(param_schedulers=[schedule], optim_wrapper=wrapper, _load_from=path)
        check_states(runner, found.content)
        own = torch.optim.AdamW(torch.nn.Linear(3, 5).parameters(), lr=0.1)
        own.load_state_dict(found.content["optimizer"])
        for group in own.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        own.step()
        assert all(tensor.clone().numel() < 99 for tensor in found.content["state_dict"].values())

    return write, read


KINDS = {f.__name__: f for f in (adapter, index, result, cache, prefix, checkpoint)}


def main(kind: str, folder: Path, first: int, count: int) -> dict[str, Any]:
    write, read = KINDS[kind](folder)
    for _ in range(2):
        write(None)
        read()
    happened: list[str] = []
    watching = False

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event.startswith(STARTS):
            happened.append(f"{event} {arguments!r:.80}")
        if watching and event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            happened.append(f"{event} {arguments!r:.80}")

    sys.addaudithook(watch)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said: dict[str, Any] = {"read": 0, "refused": [], "tracebacks": []}
    for seed in range(first, first + count):
        write(seed)
        watching = True
        try:
            read()
            said["read"] += 1
        except Exception as error:
            message = _message(error)
            if message is None:
                said["tracebacks"].append(f"seed {seed}: {traceback.format_exc()[-1500:]}")
            else:
                said["refused"].append(message)
        watching = False
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    return {**said, "happened": happened, "megabytes": grown}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))))

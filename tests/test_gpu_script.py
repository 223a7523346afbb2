"""benchmarks/gpu.py, as far as a CPU takes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
import torch
from torch.autograd import DeviceType

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import on_gpu.run  # noqa: E402
from on_gpu.measuring import Found, tally  # noqa: E402
from on_gpu.prepared import MOST_BYTES, bytes_in, prepare  # noqa: E402
from on_gpu.rows import FROZEN, FULL, SMOKE, Plan, plans  # noqa: E402
from on_gpu.run import Clock, run  # noqa: E402
from on_gpu.wheels import expected  # noqa: E402

from lstta_core.compiling import torch_compiles  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpu") / "prepared"
    prepare(folder, clips=2)
    return folder


def script(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / "gpu.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def found(ms: float, clips: int = 16) -> Found:
    return Found(clips=clips, trainable=0, steps=2, ms=ms, quartiles=(ms, ms), peak_gib=1.0)


def test_what_is_prepared_is_small_and_holds_no_video(prepared: Path) -> None:
    assert bytes_in(prepared) <= MOST_BYTES
    assert not list(prepared.rglob("*.mp4"))
    with pytest.raises(ValueError, match="is there already"):
        prepare(prepared, clips=2)


@pytest.mark.skipif(not torch_compiles(), reason="this torch is too old to compile adapters")
def test_the_smoke_takes_every_row_without_pyav(prepared: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "av"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('PyAV is not on the GPU machine')")
    result = subprocess.run(
        [
            *(sys.executable, str(BENCHMARKS / "gpu.py"), "--cpu-smoke", "--no-tests"),
            *("--cache", str(prepared), "--out", str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(hidden.parent)},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    content = json.loads((tmp_path / "out" / "gpu-cpu-smoke.json").read_text())
    names = [plan.name for plan in plans(SMOKE, CPU, prepared)]
    assert [row["name"] for row in content["rows"]] == names
    assert not [row for row in content["rows"] if "error" in row]
    assert content["left_out"] == []
    by_name = {row["name"]: row for row in content["rows"]}
    assert by_name[FROZEN]["to_frozen"] == 1
    assert by_name[FULL]["to_full"] == 1
    assert all(row["ms"] > 0 and row["to_frozen"] > 0 for row in content["rows"])
    table = (tmp_path / "out" / "gpu-cpu-smoke.md").read_text()
    assert [line.split(" | ")[0].strip("| ") for line in table.splitlines() if line.startswith("| ")][2:] == names
    assert sum("no GPU: eager" in line for line in table.splitlines()) == 3


def test_without_time_nothing_is_begun(prepared: Path, tmp_path: Path) -> None:
    result = script("--cpu-smoke", "--minutes", "0", "--cache", prepared, "--out", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    content = json.loads((tmp_path / "out" / "gpu-cpu-smoke.json").read_text())
    assert content["rows"] == []
    assert content["left_out"] == [plan.name for plan in plans(SMOKE, CPU, prepared)]
    assert "want of time" in content["tests"]
    assert "Left out, for want of time: frozen forward;" in (tmp_path / "out" / "gpu-cpu-smoke.md").read_text()


def test_a_row_that_fails_is_written_down_and_the_rest_go_on(tmp_path: Path) -> None:
    def fail() -> Found:
        raise RuntimeError("out of\nmemory | here")

    rows = [
        Plan(FROZEN, "eager", 1.0, lambda: found(10.0)),
        Plan("broken", "eager", 1.0, fail),
        Plan("long", "compiled", 1e9, lambda: found(1.0)),
        Plan("last", "eager", 1.0, lambda: found(80.0, clips=64)),
    ]
    results = run(rows, device=CPU, out=tmp_path, clock=Clock(5.0), tests=False)
    assert [row.name for row in results.rows] == [FROZEN, "broken", "last"]
    content = json.loads((tmp_path / "gpu-cpu-smoke.json").read_text())
    assert content["rows"][1]["error"] == "RuntimeError: out of memory | here"
    assert content["rows"][2]["to_frozen"] == 2.0  # a clip
    assert content["left_out"] == ["long"]
    assert "failed: RuntimeError: out of memory / here |" in (tmp_path / "gpu-cpu-smoke.md").read_text()


def test_tests_that_fail_are_told_and_rows_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_gpu.run, "run_tests", lambda: ("1 failed; FAILED test_x", True))
    rows = [Plan(FROZEN, "eager", 1.0, lambda: found(1.0))]
    results = run(rows, device=CPU, out=tmp_path, clock=Clock(None), tests=True)
    assert results.tests_failed
    assert len(results.rows) == 1
    assert json.loads((tmp_path / "gpu-cpu-smoke.json").read_text())["tests"] == "1 failed; FAILED test_x"


def test_results_are_there_after_each_row(tmp_path: Path) -> None:
    seen: list[int] = []

    def look() -> Found:
        seen.append(len(json.loads((tmp_path / "gpu-cpu-smoke.json").read_text())["rows"]))
        return found(1.0)

    run([Plan(name, "eager", 1.0, look) for name in "abc"], device=CPU, out=tmp_path, clock=Clock(None), tests=False)
    assert seen == [0, 1, 2]


def test_kernels_and_launches_are_told_from_all_else() -> None:
    on, host = DeviceType.CUDA, DeviceType.CPU
    events = [
        *((on, "ampere_bf16_gemm"), (on, "void at::native::add<float>"), (on, "Memcpy HtoD"), (on, "Memset (Device)")),
        *((on, "Optimizer.step#AdamW.step"), (host, "cudaLaunchKernel"), (host, "cudaLaunchKernelExC")),
        *((host, "cuLaunchKernel"), (host, "cudaGraphLaunch"), (host, "cudaMemcpyAsync"), (host, "aten::add")),
    ]
    told = [
        SimpleNamespace(device_type=lambda w=where: w, name=lambda n=name: n, is_user_annotation=lambda: False)
        for where, name in events
    ]
    assert tally(told) == (2, 4)


def test_what_wheels_ask_for_is_told(tmp_path: Path) -> None:
    asked = {
        "one": ["two>=1", "Three_x>=2", 'four; extra == "all"'],
        "two": ["three-x<9", 'five; python_version < "3"'],
    }
    for name, needs in asked.items():
        with ZipFile(tmp_path / f"{name}-1-py3-none-any.whl", "w") as wheel:
            lines = [f"Name: {name}", *(f"Requires-Dist: {need}" for need in needs)]
            wheel.writestr(f"{name}-1.dist-info/METADATA", "\n".join(lines))
    assert expected(tmp_path, "3.12") == ["three-x<9,>=2"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    result = script("--cache", tmp_path, "--out", tmp_path / "out")
    assert result.returncode == 2
    assert "no prepared cache; --prepare makes one" in result.stderr
    assert script("--cpu-smoke").returncode == 2

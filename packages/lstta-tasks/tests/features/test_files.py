"""Features are read from every form of file, and what is wrong is said with file and key."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstta_core.features import FeatureError, Features
from lstta_tasks.features.files import FeatureFile
from lstta_tasks.features.write import write_features

WIDTH = 5
RNG = np.random.default_rng(0)
ARRAYS = {"a": RNG.normal(size=(3, WIDTH)).astype(np.float32), "b/c": RNG.normal(size=(7, WIDTH)).astype(np.float32)}
TIMES = {name: np.stack([np.arange(len(one)), np.arange(len(one)) + 1.0], axis=1) for name, one in ARRAYS.items()}


def npz(folder: Path, arrays: dict[str, Any]) -> Path:
    np.savez(folder / "a.npz", **arrays)
    return folder / "a.npz"


def npy_folder(folder: Path, arrays: dict[str, Any]) -> Path:
    for name, array in arrays.items():
        (folder / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / "all" / f"{name}.npy", array)
    return folder / "all"


def hdf5(folder: Path, arrays: dict[str, Any]) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "a.h5", "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    return folder / "a.h5"


FORMS = (npz, npy_folder, hdf5)


@pytest.mark.parametrize("form", FORMS)
class TestEveryForm:
    def test_arrays_under_their_ids(self, form: Callable[..., Path], tmp_path: Path) -> None:
        source = FeatureFile(form(tmp_path, ARRAYS), width=WIDTH)
        assert sorted(source.names()) == ["a", "b/c"]
        for name, array in ARRAYS.items():
            found = source.read(name)
            assert found.times is None
            np.testing.assert_array_equal(found.values, array[:, None])

    def test_times_of_steps(self, form: Callable[..., Path], tmp_path: Path) -> None:
        timed = {f"{name}/features": one for name, one in ARRAYS.items()}
        timed |= {f"{name}/intervals": one for name, one in TIMES.items()}
        source = FeatureFile(form(tmp_path, timed), width=WIDTH)
        assert sorted(source.names()) == ["a", "b/c"]
        np.testing.assert_array_equal(source.read("b/c").times, TIMES["b/c"])

    def test_one_array_for_all_with_the_names_of_its_rows(self, form: Callable[..., Path], tmp_path: Path) -> None:
        table = RNG.normal(size=(2, 3, 2, WIDTH)).astype(np.float32)
        (tmp_path / "ids.txt").write_text("x\n\ny\n")
        path = form(tmp_path, {"table": table, "other": np.zeros(3)})
        source = FeatureFile(path, width=WIDTH, inside="table", ids=tmp_path / "ids.txt")
        np.testing.assert_array_equal(source.read("y").values, table[1])
        with pytest.raises(FeatureError, match=r"say with inside= which array is meant: .*table"):
            FeatureFile(path, width=WIDTH, ids=tmp_path / "ids.txt").names()
        (tmp_path / "ids.txt").write_text("x\nx")
        with pytest.raises(FeatureError, match=r"has 2 rows, .*ids.txt names 2, 1 of them different"):
            FeatureFile(path, width=WIDTH, inside="table", ids=tmp_path / "ids.txt").names()

    @pytest.mark.parametrize(
        ("array", "said"),
        [
            (np.zeros((3, WIDTH + 1)), r"shape \(3, 6\); its last length must be width=5$"),
            (np.zeros((3, WIDTH, 7)), r"shape \(3, 5, 7\).*say channels_first=True"),
            (np.full((3, WIDTH), np.nan), r"3 of 3 steps have a number that is NaN or infinite"),
            (np.array([[1.0] * 4 + [-np.inf], [0.0] * 5]), r"1 of 2 steps have .*not_finite='zero'"),
            (np.full((2, WIDTH), 1e300), r"2 of 2 steps have a number that is NaN or infinite"),
            (np.zeros((3, WIDTH), complex), r"numbers are wanted, got complex128"),
            (np.float64(3), r"its last length must be width=5"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:overflow")
    def test_what_is_no_features(self, form: Callable[..., Path], tmp_path: Path, array: Any, said: str) -> None:
        path = form(tmp_path, {"bad": np.asarray(array)})
        with pytest.raises(FeatureError, match=rf"(a\.npz|all|a\.h5), 'bad': .*{said}"):
            FeatureFile(path, width=WIDTH).read("bad")

    def test_what_is_not_there(self, form: Callable[..., Path], tmp_path: Path) -> None:
        with pytest.raises(FeatureError, match=r"it has no features of 'z', but of 'a', 'b/c', …"):
            FeatureFile(form(tmp_path, ARRAYS), width=WIDTH).read("z")

    @pytest.mark.parametrize(
        ("times", "said"),
        [
            (np.zeros((2, 2)), r"3 steps, and intervals of shape \(2, 2\)"),
            (np.array([[0, 1], [2, 1.5], [2, 3]]), "step 1 lasts from 2 to 1.5 seconds"),
            (np.array([[0, 1], [1, 2], [2, np.nan]]), "step 2 lasts from 2 to nan seconds"),
        ],
    )
    def test_times_that_do_not_fit(self, form: Callable[..., Path], tmp_path: Path, times: Any, said: str) -> None:
        path = form(tmp_path, {"a/features": ARRAYS["a"], "a/intervals": times})
        with pytest.raises(FeatureError, match=rf"'a': {said}"):
            FeatureFile(path, width=WIDTH).read("a")


def test_zeros_in_place_of_what_is_not_finite(tmp_path: Path) -> None:
    path = npz(tmp_path, {"a": np.array([[1, np.nan, 2, -np.inf, 3]])})
    np.testing.assert_array_equal(
        FeatureFile(path, width=WIDTH, not_finite="zero").read("a").values, [[[1, 0, 2, 0, 3]]]
    )


def test_features_that_come_first_are_turned(tmp_path: Path) -> None:
    grid = RNG.normal(size=(2, WIDTH, 3, 7)).astype(np.float32)
    found = FeatureFile(npz(tmp_path, {"a": grid}), width=WIDTH, channels_first=True).read("a").values
    assert found.shape == (2, 21, WIDTH)
    for step in range(2):
        np.testing.assert_array_equal(found[step, 1 * 7 + 2], grid[step, :, 1, 2])


def test_a_step_has_a_length_where_it_is_said(tmp_path: Path) -> None:
    times = FeatureFile(npz(tmp_path, ARRAYS), width=WIDTH, seconds=0.5).read("a").times
    np.testing.assert_array_equal(times, [[0, 0.5], [0.5, 1], [1, 1.5]])


def test_a_computational_sequence_of_cmus_sdk(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "COVAREP.csd", "w") as file:
        for video in ("v1", "v2"):
            file[f"COVAREP/data/{video}/features"] = ARRAYS["a"]
            file[f"COVAREP/data/{video}/intervals"] = TIMES["a"]
        file["COVAREP/metadata/root name"] = "COVAREP"
    source = FeatureFile(tmp_path / "COVAREP.csd", width=WIDTH)
    assert sorted(source.names()) == ["v1", "v2"]
    assert source.read("v2").end == 3.0


class TestPickles:
    def test_are_never_opened(self, tmp_path: Path) -> None:
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(ARRAYS))
        with pytest.raises(FeatureError, match=r"a.pkl: pickles are programs .* lstta features convert"):
            FeatureFile(tmp_path / "a.pkl", width=WIDTH).names()

    def test_within_numpys_files(self, tmp_path: Path) -> None:
        path = npz(tmp_path, {"a": np.array([{}, None], dtype=object)})
        with pytest.raises(FeatureError, match=r"a.npz, 'a': it cannot be read: it holds objects, which are pickles"):
            FeatureFile(path, width=WIDTH).read("a")


@pytest.mark.parametrize(("name", "content"), [("a.npz", b"no zip"), ("a.h5", b"no hdf5"), ("a.npy", b"no array")])
def test_damaged_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FeatureError, match=rf"{name}: it cannot be read"):
        FeatureFile(tmp_path / name, width=WIDTH).names()


def test_files_of_another_kind_and_none(tmp_path: Path) -> None:
    (tmp_path / "a.mat").touch()
    with pytest.raises(FeatureError, match=r"a.mat: features are in a folder, or in a file that ends in"):
        FeatureFile(tmp_path / "a.mat", width=WIDTH).names()
    with pytest.raises(FileNotFoundError, match=r"none.npz: there is no such file"):
        FeatureFile(tmp_path / "none.npz", width=WIDTH).names()


@pytest.mark.parametrize("form", ["npz", "h5"])
def test_what_is_written_is_read(tmp_path: Path, form: str) -> None:
    pytest.importorskip("h5py")
    path = tmp_path / f"a.{form}"
    entries = [
        ("a", Features(ARRAYS["a"][:, None], TIMES["a"])),
        ("b/c.mp4", Features(RNG.normal(size=(2, 3, WIDTH)).astype(np.float32))),
    ]
    assert write_features(path, entries, of="somebody") == 2
    source = pickle.loads(pickle.dumps(FeatureFile(path, width=WIDTH, of="somebody")))
    for name, features in entries:
        found = source.read(name)
        np.testing.assert_array_equal(found.values, features.values)
        if features.times is not None:
            np.testing.assert_array_equal(found.times, features.times)
    with pytest.raises(FeatureError, match=r"its features are of 'somebody'; those of 'somebody else' are wanted"):
        FeatureFile(path, width=WIDTH, of="somebody else").read("a")
    with pytest.raises(FeatureError, match=r"'a' is there twice"):
        write_features(path, [entries[0], entries[0]])
    assert FeatureFile(path, width=WIDTH).read("a").end == 3.0  # as it was

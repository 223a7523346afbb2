"""What a GPU machine without a registry lacks, as wheels in a folder. Needs a registry, and nothing of ours."""

from __future__ import annotations

import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
BINARY = ("transformers", "onedl-mmengine", "lmdb", "addict", "termcolor", "yapf", "platformdirs", "yacs")
"""There as wheels; all are pure but lmdb, which is of a Python's version."""
SOURCE = ("fvcore", "iopath")
"""There as sources alone; their wheels are pure."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
MOST_BYTES = 60 * 2**20


def fetch(folder: Path, python: str) -> int:
    """Fetch and build the wheels, in the versions of ``constraints.txt``.

    Args:
        folder: for them; made where it is missing.
        python: version of the CPython that they are for, such as ``"3.12"``; Linux on x86-64.

    Returns:
        Their size in bytes.

    Raises:
        ValueError: there are wheels in it already, they are too large to be carried, or one is not for that machine.
        subprocess.CalledProcessError: pip failed.
    """
    if any(folder.glob("*.whl")):
        raise ValueError(f"{folder} holds wheels already: pass another folder, or remove them")
    folder.mkdir(parents=True, exist_ok=True)
    constraints = ["--constraint", str(REPOSITORY / "constraints.txt"), "--no-deps", "--quiet"]
    target = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python]
    for platform in PLATFORMS:
        target += ["--platform", platform]
    _pip("download", *constraints, *target, "--dest", str(folder), *BINARY)
    _pip("wheel", *constraints, "--wheel-dir", str(folder), *SOURCE)
    _pip("wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), *map(str, ours()))
    wheels = sorted(folder.glob("*.whl"))
    tag = f"cp{python.replace('.', '')}"
    if strange := [w.name for w in wheels if not w.name.endswith("-none-any.whl") and tag not in w.name]:
        raise ValueError(f"not for CPython {python}: {', '.join(strange)}")
    size = sum(wheel.stat().st_size for wheel in wheels)
    if size > MOST_BYTES:
        raise ValueError(f"{folder} has {size:,} bytes, more than the {MOST_BYTES:,} that may be carried")
    return size


def expected(folder: Path, python: str) -> list[str]:
    """What the wheels ask for and the folder does not hold: the machine has to bring it, in these versions."""
    carried, asked = set(), set()
    for wheel in folder.glob("*.whl"):
        with ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            metadata = Parser().parsestr(archive.read(name).decode("utf-8"))
        carried.add(canonicalize_name(metadata["Name"]))
        asked |= {Requirement(text) for text in metadata.get_all("Requires-Dist", [])}
    there = {"extra": "", "python_version": python, "sys_platform": "linux", "platform_system": "Linux"}
    needed = [one for one in asked if one.marker is None or one.marker.evaluate(there)]
    names = {canonicalize_name(one.name) for one in needed} - carried
    return [f"{name}{SpecifierSet(','.join(_limits(name, needed)))}" for name in sorted(names)]


def _limits(name: str, needed: list[Requirement]) -> set[str]:
    return {str(limit) for one in needed if canonicalize_name(one.name) == name for limit in one.specifier}


def ours() -> list[Path]:
    """The folders of our own distributions; the built-in world, which draws clips, has done its part before."""
    packages = REPOSITORY / "packages"
    folders = [path.parent for path in [*packages.glob("*/pyproject.toml"), *packages.glob("*/*/pyproject.toml")]]
    return sorted(folder for folder in folders if folder.name != "lstta-world")


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)

"""What is published: licence, types, a page that stands alone, and metadata that agree; built, in the slow tests."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(path.parent for path in (ROOT / "packages").rglob("pyproject.toml"))
LICENCE = (ROOT / "LICENSE").read_bytes()
LINK = re.compile(r"\]\(([^)]*)\)|<img[^>]*src=|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)

each = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)


def project(package: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def citation() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return found


@each
def test_licence_and_types_are_there(package: Path) -> None:
    assert (package / "LICENSE").read_bytes() == LICENCE
    (module,) = (path.parent for path in package.glob("src/*/__init__.py"))
    assert (module / "py.typed").read_bytes() == b""


@each
def test_the_page_stands_alone(package: Path) -> None:
    """An index shows it without the repository: no link may lead there."""
    text = (package / "README.md").read_text(encoding="utf-8")
    links = [match[1] or match[2] or match[0] for match in LINK.finditer(text)]
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert text.startswith(f"# {package.name}\n")
    assert "pip install" in text
    assert "Apache-2.0" in text


@each
def test_the_metadata_agree(package: Path) -> None:
    said = project(package)
    assert said["name"] == package.name
    assert said["keywords"]
    assert said["urls"]
    assert {"Typing :: Typed", "Operating System :: POSIX :: Linux"} <= set(said["classifiers"])
    version = said["version"]
    assert version == citation()["version"]
    assert f"\n## {version}, {citation()['date-released']}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    major, minor, _ = map(int, version.split("."))
    needs = [*said["dependencies"], *chain(*said.get("optional-dependencies", {}).values())]
    ours = [need for need in needs if need.startswith("lstta-")]
    assert all(need.endswith(f">={major}.{minor},<{major}.{minor + 1}") for need in ours), ours


def test_the_citation_is_one() -> None:
    """The keys that version 1.2.0 of the Citation File Format requires, and no others at its top than it knows."""
    said = citation()
    known = {"abstract", "date-released", "keywords", "license", "references", "repository-code", "type", "version"}
    required = {"cff-version", "message", "title", "authors"}
    assert required <= said.keys() <= required | known
    assert said["cff-version"] == "1.2.0"
    (paper,) = said["references"]
    assert {"type", "title", "authors"} <= paper.keys()
    assert all({"family-names", "given-names"} == author.keys() for author in paper["authors"])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist of each package, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    for package in PACKAGES:
        python("-m", "build", "--no-isolation", "--outdir", folder, package)
    return folder


def python(*arguments: object) -> str:
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
class TestBuilt:
    def test_an_index_would_take_them(self, built: Path) -> None:
        files = sorted(built.iterdir())
        assert len(files) == 2 * len(PACKAGES)
        assert python("-m", "twine", "check", "--strict", *files).count("PASSED") == len(files)

    @each
    def test_what_is_in_them(self, package: Path, built: Path) -> None:
        name = package.name.replace("-", "_")
        (wheel,) = built.glob(f"{name}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            inside = {file: archive.read(file) for file in archive.namelist()}
        (metadata,) = (content for file, content in inside.items() if file.endswith(".dist-info/METADATA"))
        (licence,) = (content for file, content in inside.items() if file.endswith("/LICENSE"))
        assert licence == LICENCE
        assert f"{name}/py.typed" in inside
        folder = wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"
        assert {file.split("/")[0] for file in inside} == {name, folder}
        check(message_from_bytes(metadata), package)
        (sdist,) = built.glob(f"{name}-*.tar.gz")
        with tarfile.open(sdist) as packed:
            names = {member.name.partition("/")[2] for member in packed.getmembers()}
        assert {"LICENSE", "README.md", "pyproject.toml", f"src/{name}/py.typed"} <= names


def check(metadata: Message, package: Path) -> None:
    said = project(package)
    assert (metadata["Name"], metadata["Version"]) == (said["name"], said["version"])
    assert (metadata["License-Expression"], metadata["License-File"]) == ("Apache-2.0", "LICENSE")
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert sorted(metadata.get_all("Classifier", [])) == sorted(said["classifiers"])
    assert metadata["Keywords"].split(",") == sorted(said["keywords"])
    assert metadata.get_all("Project-URL") == [f"{name}, {url}" for name, url in said["urls"].items()]

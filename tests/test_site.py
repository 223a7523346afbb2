"""The docs as a site: what its navigation says, and that it builds without a warning and without a network."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

import lstta_core

ROOT = Path(__file__).parents[1]
NOWHERE = ("[lost](nowhere.md)", "[lost](infer.md#no-such-heading)", "::: lstta_core.nothing")
JOURNEYS = (
    "Own videos in five minutes",
    "Your own encoder",
    "Your own task",
    "Your own method",
    "Reproduce a table",
    "Many GPUs",
    "Large data sets",
    "Recipes for public data",
    "Troubleshooting",
)


def pages_of(nav: Any) -> list[str]:
    """The pages of a part of the navigation."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in pages_of(part)]


@pytest.fixture(scope="module")
def nav() -> list[dict[str, Any]]:
    found = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert isinstance(found, list)
    return found


def test_journeys_come_first(nav: list[dict[str, Any]]) -> None:
    assert [next(iter(part)) for part in nav[:2]] == ["Home", "Journeys"]
    assert tuple(title for part in nav[1]["Journeys"] for title in part) == JOURNEYS


def test_every_page_can_be_found(nav: list[dict[str, Any]]) -> None:
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    decisions = {page for page in there if re.match(r"decisions/\d", page)}
    assert set(pages_of(nav)) == there - decisions, "pages and the nav of mkdocs.yml differ"
    listed = re.findall(r"\]\((\d[\w-]+\.md)\)", (ROOT / "docs/decisions/index.md").read_text(encoding="utf-8"))
    assert {f"decisions/{name}" for name in listed} == decisions, "decisions and docs/decisions/index.md differ"


def build(here: Path, *more: str) -> tuple[int, str]:
    """Build a copy of the site, on Linux where there is no network at all: status, and what was said."""
    if not all(find_spec(name) for name in ("zensical", "mkdocstrings")):
        pytest.skip("the site's generator is not installed: requirements-slow.txt")
    shutil.copy(ROOT / "mkdocs.yml", here)
    shutil.copytree(ROOT / "docs", here / "docs")
    for name in ("packages", "tools"):
        (here / name).symlink_to(ROOT / name)
    for line in more:
        with (here / "docs" / "app.md").open("a", encoding="utf-8") as page:
            page.write(f"\n{line}\n")
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        alone = []
    words = [*alone, sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site."""
    here = tmp_path_factory.mktemp("site")
    status, said = build(here)
    assert status == 0, said
    assert "No issues found" in said
    return here / "site"


@pytest.mark.slow
class TestTheBuild:
    @pytest.mark.parametrize("line", NOWHERE)
    def test_a_link_or_a_name_that_leads_nowhere_ends_it(self, line: str, tmp_path: Path) -> None:
        status, said = build(tmp_path, line)
        assert status != 0, said
        assert "app.md" in said or "nothing" in said

    def test_every_page_is_there_and_loads_nothing_from_elsewhere(self, built: Path, nav: list[dict[str, Any]]) -> None:
        for page in pages_of(nav):
            text = (built / page).with_suffix(".html").read_text(encoding="utf-8")
            loaded = re.findall(r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=[\"']?(https?://[^\"' >]+)", text)
            assert loaded == [], page

    def test_the_reference_has_every_public_name_of_core(self, built: Path) -> None:
        text = (built / "reference/core.html").read_text(encoding="utf-8")
        described = {found.rpartition(".")[2] for found in re.findall(r'id="?(lstta_core\.[\w.]+)', text)}
        assert set(lstta_core.__all__) - described == set()

    def test_what_docstrings_name_is_a_link_or_plain(self, built: Path) -> None:
        for page in ("core", "tasks"):
            text = (built / f"reference/{page}.html").read_text(encoding="utf-8")
            assert re.findall(r":(?:func|class|meth|mod|attr|data):", text) == []
            assert "autorefs-internal" in text

"""The page of ``lstta app`` in a browser: at two widths, with what is no video, and with two people at once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import chromium
from safetensors.torch import load_file, save_file
from small_world import write_film
from untrained import save_tiny

from lstta_tasks.adapters import load
from lstta_tasks.app.answering import LONGEST, answer, refusal
from lstta_tasks.cli.main import main
from lstta_tasks.explain.words import amount
from lstta_tasks.tasks.avqa import AVQA

QUESTION = "Which is the first sounding instrument?"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter and two films."""
    folder = tmp_path_factory.mktemp("app")
    save_tiny(folder / "best", AVQA(answers=["flute", "drum", "violin", "bass"]))
    file = folder / "best" / "adapter.safetensors"
    save_file({k: t / 10 if k.startswith("head.") else t for k, t in load_file(file).items()}, file)  # in some doubt
    write_film(folder / "loud.mp4", loud=True)
    write_film(folder / "soft.mp4", loud=False, bright=False, shade=3)
    (folder / "notes.mp4").write_text("no video\n")
    return folder


class TestWhatIsSaid:
    def test_an_answer_is_a_page_of_its_own(self, here: Path) -> None:
        said = answer(load(here / "best"), "best", here / "loud.mp4", QUESTION)
        assert said.startswith('<iframe title="answer" srcdoc="&lt;!DOCTYPE html')
        assert str(here) not in said

    def test_a_reason_is_one_line_without_where_the_file_lies(self, here: Path) -> None:
        path = here / "notes.mp4"
        said = refusal(ValueError(f"{path}: not <read>\nin any way {'x' * 999}"), path)
        assert said.startswith('<p role="alert">notes.mp4: not &lt;read&gt; in any way x')
        assert len(said) < LONGEST + 60

    def test_numbers_and_examples_are_looked_at_first(self, capsys: pytest.CaptureFixture[str]) -> None:
        mistakes = {"above 0, got 0 and 10": ["--max-mb", "0"], "no.mp4: no such": ["--example", "no.mp4", "?"]}
        for wanted, words in mistakes.items():
            with pytest.raises(SystemExit):
                main(["app", "nowhere", *words])
            assert wanted in capsys.readouterr().err


@dataclass
class Served:
    """``lstta app`` in a process of its own."""

    address: str
    process: subprocess.Popen[str]
    folder: Path

    def uploads(self) -> list[str]:
        """The names of all files that lie there."""
        return sorted(path.name for path in self.folder.rglob("*.mp4"))


@pytest.fixture(scope="module")
def served(here: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("gradio", reason="lstta-tasks[app]")
    folder = tmp_path_factory.mktemp("uploads")
    words = ["app", "best", "--example", "loud.mp4", QUESTION, "--max-mb", "0.5", "--minutes", "0.3"]
    process = subprocess.Popen(
        [sys.executable, "-m", "lstta_tasks", *words],
        cwd=here,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, line
    yield Served(found[0], process, folder)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


def open_page(browser: Any, served: Served, width: int = 1280) -> Any:
    """A page of somebody new. What it asks of any other server is in its ``elsewhere``."""
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    page.elsewhere = []
    at_home = (served.address, "data:", "blob:", served.address.replace("http", "ws", 1))
    page.on("request", lambda request: request.url.startswith(at_home) or page.elsewhere.append(request.url))
    page.goto(served.address)
    return page


def upload(page: Any, path: Path) -> None:
    page.set_input_files("input[type=file] >> nth=0", path)


def ask(page: Any, text: str) -> None:
    page.fill("textarea >> nth=0", text)
    page.click("button:has-text('Answer')")


def answered(page: Any) -> str:
    page.wait_for_selector("iframe[title=answer]", timeout=60_000)
    inside = page.frame_locator("iframe[title=answer]")
    inside.locator(".answer").wait_for()
    return str(inside.locator("article").inner_text())


def expected(here: Path, film: str, text: str = QUESTION) -> str:
    """``flute 93 %``, as the page says it."""
    found = load(here / "best").predict(here / film, text)
    return f"{found['answer']} {amount(found['probability'], 'probability')}"


@pytest.mark.slow
class TestInABrowser:
    @pytest.mark.parametrize("width", [1280, 400])
    def test_it_answers_and_fits(self, width: int, here: Path, served: Served, browser: Any) -> None:
        page = open_page(browser, served, width)
        page.wait_for_selector("text=Which is the first")  # the example
        upload(page, here / "soft.mp4")
        page.wait_for_selector("video")
        ask(page, QUESTION)
        said = answered(page)
        assert expected(here, "soft.mp4") in said
        assert "soft.mp4" in said
        assert "importance" in said
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        tall = page.evaluate("[...document.querySelectorAll('iframe')].map(f => f.offsetHeight - "
                             "f.contentDocument.body.scrollHeight)")  # fmt: skip
        assert tall == [4]
        assert page.elsewhere == []

    def test_the_example_is_asked_with_two_clicks(self, here: Path, served: Served, browser: Any) -> None:
        page = open_page(browser, served)
        page.click("tbody tr")
        page.wait_for_selector("video[src*='loud.mp4']")
        page.click("button:has-text('Answer')")
        assert expected(here, "loud.mp4") in answered(page)

    def test_what_is_no_video_is_one_line_and_the_server_lives_on(
        self, here: Path, served: Served, browser: Any
    ) -> None:
        page = open_page(browser, served)
        ask(page, QUESTION)
        page.wait_for_selector("p[role=alert]:has-text('Choose a video first.')")
        upload(page, here / "notes.mp4")
        page.wait_for_selector("video[src*='notes.mp4']", state="attached")
        page.click("button:has-text('Answer')")
        page.wait_for_selector("p[role=alert]:has-text('notes.mp4')")
        said = page.inner_text("p[role=alert]")
        assert said.startswith("notes.mp4: ")
        assert "/" not in said
        self.test_the_example_is_asked_with_two_clicks(here, served, browser)

    def test_what_is_too_large_is_refused(self, here: Path, served: Served, browser: Any, tmp_path: Path) -> None:
        (tmp_path / "large.mp4").write_bytes(np.random.default_rng(0).bytes(700_000))
        page = open_page(browser, served)
        upload(page, tmp_path / "large.mp4")
        page.wait_for_selector("text=/exceeds|too large|maximum/i")
        assert "large.mp4" not in served.uploads()

    def test_two_people_at_once_have_their_own_answers(self, here: Path, served: Served, browser: Any) -> None:
        asked = {"loud.mp4": QUESTION, "soft.mp4": "How many flutes are there?"}
        wanted = {film: expected(here, film, text) for film, text in asked.items()}
        assert len(set(wanted.values())) == 2
        pages = {film: open_page(browser, served) for film in asked}
        for film, page in pages.items():
            upload(page, here / film)
            page.wait_for_selector(f"video[src*='{film}']")
        for film, page in pages.items():
            ask(page, asked[film])
        for film, page in pages.items():
            said = answered(page)
            assert all(words in said for words in (film, asked[film], wanted[film]))

    def test_uploads_are_removed_soon_after_and_examples_stay(
        self, here: Path, served: Served, browser: Any, tmp_path: Path
    ) -> None:
        write_film(tmp_path / "mine.mp4", shade=7)
        page = open_page(browser, served)
        upload(page, tmp_path / "mine.mp4")
        page.wait_for_selector("video[src*='mine.mp4']")
        assert "mine.mp4" in served.uploads()
        for _ in range(120):
            if "mine.mp4" not in served.uploads():
                break
            page.wait_for_timeout(500)
        assert served.uploads() == ["loud.mp4"]
        ask(page, QUESTION)
        page.wait_for_selector("p[role=alert]:has-text('removed meanwhile: upload it again')")

    def test_at_the_end_nothing_is_left(self, served: Served) -> None:
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(60) == 0
        assert list(served.folder.iterdir()) == []

"""Every command and every snippet of README, the docs, the packages' pages and the notebook runs, in the order in which
it stands, page after page.

What a page cannot have run stands behind a comment that says so: ``<!-- not run: REASON -->`` for what needs hours, a
network or a GPU, ``<!-- run: --help -->`` for what is run with another word at its end, up to its plan. Sizes are cut:
few clips, one epoch. Blocks that are no commands and no Python are looked at by nobody. A notebook's cells run as one
script: nbclient with a kernel is 77 MB and shows no more.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_world import write_film

from lstta_tasks.cli.main import main
from lstta_tasks.data.cache import open_cache

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "docs/configs.md",
    "docs/doctor.md",
    "docs/cache.md",
    "docs/efficiency.md",
    "docs/tasks/avqa.md",
    "docs/tasks/classification.md",
    "docs/tasks/sentiment.md",
    "docs/tasks/emotion.md",
    "docs/comparing.md",
    "docs/importances.md",
    "docs/tasks/humor.md",
    "docs/tasks/inference.md",
    "docs/tasks/retrieval.md",
    "docs/tasks/captioning.md",
    "docs/tasks/open-qa.md",
    "docs/tasks/ave.md",
    "docs/tasks/avvp.md",
    "docs/infer.md",
    "docs/features.md",
    "docs/transcribe.md",
    "docs/sharing.md",
    "docs/app.md",
    "docs/studies.md",
    "docs/writing-a-method.md",
    "docs/journeys/own-videos.md",
    "docs/journeys/many-gpus.md",
    "docs/large.md",
    "docs/recipes.md",
    "packages/lstta-tasks/README.md",
    "packages/lstta-world/README.md",
    "packages/lstta-method-peft/README.md",
    "packages/lstta-backbones/lstta-backbone-beats/README.md",
    "packages/lstta-backbones/lstta-backbone-tiny/README.md",
    "packages/lstta-backbones/lstta-backbone-transformers/README.md",
)
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/notebooks/*.ipynb"))
ELSEWHERE = (
    "docs/writing-a-backbone.md",
    "docs/writing-a-task.md",
    "docs/library.md",
    "packages/lstta-core/README.md",
)  # run by tests of their own
BLOCK = re.compile(r"^(?:<!-- (not run|run): ([^\n]*) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"(optim_wrapper|train_cfg|schedule|custom_hooks|default_hooks|vis_backends)\b")
"""What a piece of a config begins with."""
BASE = """from mmengine.config import read_base

with read_base():
    from lstta_tasks.configs.avqa.tiny_lstta import *

"""
COMMANDS = ("lstta ", "python ", "pip ", "make ", "pytest ", "torchrun ", "PYTHONPATH=", "cp ", "mkdir ")


@dataclass(frozen=True)
class Block:
    """A block of a page: shell commands or Python.

    Attributes:
        page: where it stands.
        line: of its fence.
        python: whether it is Python.
        text: of it.
        more: what is written behind each of its commands.
        reason: why it is not run; None where it is.
    """

    page: str
    line: int
    python: bool
    text: str
    more: str
    reason: str | None


def blocks(page: str) -> Iterator[Block]:
    """Those of a page that are commands or Python."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        mark, words, language, inside = found.groups()
        if language == "python" or (not language and inside.startswith(COMMANDS)):
            line = text.count("\n", 0, found.start()) + 1
            more = words if mark == "run" else ""
            yield Block(page, line, language == "python", inside, more, words if mark == "not run" else None)


def commands(block: Block, folder: Path) -> list[list[str]]:
    """The words of each command of a block, with real names in place of a page's general ones."""
    joined = block.text.replace("\\\n", " ")
    lines = (shlex.split(filled(line, block, folder), comments=True) for line in joined.splitlines())
    return [words + block.more.split() for words in lines if words]


def filled(text: str, block: Block, folder: Path) -> str:
    """A command with what a reader would write for its words in capitals, and without where its output goes."""
    cache = folder / "data" / "cache" / "avqa_tiny"
    clip = open_cache(cache).ids()[0] if " CLIP_ID" in text else ""
    names = {
        "CLIP_ID": clip,
        "CONFIG": "avqa/tiny_lstta",
        "CACHE": str(cache),
        "FILE": "skip.txt",
        "PATH": f"data/cache/prefix_{block.line}",
        "DIR": "work_dirs/of_prefix",
    }
    return re.sub(r"\b(" + "|".join(names) + r")\b", lambda found: names[found[1]], text.partition(" > ")[0])


def small(words: list[str]) -> list[str]:
    """A command of ``lstta`` on few clips, for one epoch."""
    sizes = {"--train": "8", "--val": "4", "--test": "4"}
    if words[1] == "generate":
        given = dict(zip(words[3::2], words[4::2], strict=True)) | sizes
        return [*words[:3], *(word for pair in given.items() for word in pair)]
    if words[1] == "train":
        least = ["train_cfg.max_epochs=1", "loader.batch_size=4", "loader.workers=0"]
        if "--cfg-options" not in words:
            return [*words, "--cfg-options", *least]
        place = words.index("--cfg-options") + 1
        return [*words[:place], *least, *words[place:]]
    if "--shard" in words:  # in parts, which is not for a cache that is there as a whole
        return [*words, "--cfg-options", "clips.cache=data/cache/in_parts"]
    return [*words, "--repeats", "1"] if words[1] == "profile" else words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader is: a checkout's folder, with a few films and a table of them."""
    here = tmp_path_factory.mktemp("reader")
    for name in ("benchmarks", "docs", "configs", "studies", "examples"):
        (here / name).symlink_to(ROOT / name)
    (here / "my_videos").mkdir()
    for number, name in enumerate(("clip", "film", "a", "b", "my_videos/one", "my_videos/two")):
        write_film(here / f"{name}.mp4", loud=number % 2 == 0, shade=number)
    (here / "film.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nwhat is said\n")
    (here / "skip.txt").write_text("# none\n")
    rows = [f"{name}.mp4,{label},{split}" for split in ("train", "val", "test") for name, label in
            (("clip", "loud"), ("film", "soft"), ("a", "loud"), ("b", "soft"))]  # fmt: skip
    (here / "my.csv").write_text("\n".join(["video,label,split", *rows]) + "\n")
    return here


def test_every_page_with_commands_is_among_them() -> None:
    found = (path for where in ("", "docs/**/", "packages/**/") for path in ROOT.glob(f"{where}*.md"))
    pages = [path.relative_to(ROOT).as_posix() for path in found]
    assert {page for page in pages if list(blocks(page))} <= {*PAGES, *ELSEWHERE}


def test_what_is_not_run_says_why() -> None:
    reasons = [block.reason for page in PAGES for block in blocks(page) if block.reason is not None]
    assert all(re.search("hours|network|GPU", reason) for reason in reasons)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of(
    page: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pages follow each other in one folder, as a reader's do, and may use what those before made. Run folders that a
    page makes are new: a second training into one would be refused."""
    monkeypatch.chdir(folder)
    made = [words for block in blocks(page) if not block.python for words in commands(block, folder)]
    for words in made:
        if words[:2] == ["lstta", "train"] and "--resume" not in words:
            shutil.rmtree(run_folder(words), ignore_errors=True)
    for block in blocks(page):
        if block.reason is not None:
            continue
        where = f"{page}:{block.line}"
        if block.python:
            run_python(block, where)
            continue
        for words in commands(block, folder):
            run_command(words, where, capsys)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_cells_of(notebook: str, folder: Path) -> None:
    lines = ["import subprocess, sys"]
    for cell in json.loads((ROOT / notebook).read_text(encoding="utf-8"))["cells"]:
        for line in "".join(cell["source"]).splitlines() if cell["cell_type"] == "code" else ():
            if line.startswith("!lstta "):
                words = small(shlex.split(line[1:]))[1:]
                line = f"subprocess.run([sys.executable, '-m', 'lstta_tasks', *{words}], check=True)"
            lines.append(line)
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count(" is right") == 4


def run_folder(words: list[str]) -> Path:
    """Of a training."""
    if "--work-dir" in words:
        return Path(words[words.index("--work-dir") + 1])
    return Path("work_dirs") / Path(words[2]).stem


def run_python(block: Block, where: str) -> None:
    """A snippet, in a process of its own; a config, or a piece of one, as a run would read it."""
    text = BASE + block.text if SETTING.match(block.text) else block.text
    if "read_base" in text:
        Path("mine.py").write_text(text)
        assert main(["configs", "mine.py", "--show"]) == 0, where
        return
    done = subprocess.run([sys.executable, "-c", block.text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{where}: {done.stderr[-3000:]}"


def run_command(words: list[str], where: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One command; those of ``lstta`` in this process."""
    print(where, shlex.join(words))
    if words[0] != "lstta":
        words = [sys.executable, *words[1:]] if words[0] in ("python", "python3") else words
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{where}: {shlex.join(words)}: {done.stderr[-3000:]}"
        return
    try:
        status: object = main(small(words)[1:])
    except SystemExit as ended:
        status = ended.code or 0
    if words[1] == "doctor" and status == 1:  # it found something, which is what it is for
        status = 0
    said = capsys.readouterr()
    assert status == 0, f"{where}: {shlex.join(words)}: {said.err[-3000:]}"

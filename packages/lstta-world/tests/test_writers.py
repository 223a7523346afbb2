"""What the writers promise: nothing is done twice, an interrupted run goes on, other arguments are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lstta_world import dataset, media
from lstta_world.dataset import Report
from lstta_world.emotion import generate_emotion
from lstta_world.film import Film
from lstta_world.msrvtt import generate_msrvtt
from lstta_world.scene import Scene
from lstta_world.sentiment import generate_sentiment
from lstta_world.talk import Talk
from lstta_world.urfunny import generate_urfunny
from lstta_world.violin import generate_violin

SIZES = {"train": 2, "val": 1, "test": 1}
Generate = Callable[..., Report]


@pytest.mark.parametrize(
    ("generate", "writer"),
    [
        (generate_msrvtt, "write_scene"),
        (generate_violin, "write_film"),
        (generate_urfunny, "write_film"),
        (generate_sentiment, "write_talk"),
        (generate_emotion, "write_talk"),
    ],
)
def test_an_interrupted_run_goes_on_and_other_arguments_are_refused(
    generate: Generate, writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(tmp_path / "whole", **SIZES, seed=5, workers=1)
    written = 0

    def killed_at_the_third(path: Path, content: Scene | Talk | Film) -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise KeyboardInterrupt
        getattr(media, writer)(path, content)

    monkeypatch.setattr(dataset, writer, killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "killed", **SIZES, seed=5, workers=1)
    resumed = generate(tmp_path / "killed", **SIZES, seed=5, workers=1)
    assert (resumed.rendered, resumed.kept) == (2, 2)
    for file in (tmp_path / "whole").rglob("*.*"):
        if file.name != "generated.json":
            assert (tmp_path / "killed" / file.relative_to(tmp_path / "whole")).read_bytes() == file.read_bytes()

    again = generate(tmp_path / "killed", **SIZES, seed=5, workers=1)
    assert (again.rendered, again.kept, again.samples) == (0, 4, resumed.samples)
    with pytest.raises(ValueError, match=r"'seed': 5.*'seed': 6.*choose another folder"):
        generate(tmp_path / "killed", **SIZES, seed=6, workers=1)

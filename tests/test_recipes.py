"""Each recipe for a public data set goes up to its plan: the built-in clips lie in that data set's files, and small
encoders of the same families stand in for those that it names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lstta_tasks.cli.main import main
from lstta_tasks.experiment.config import load_config
from lstta_tasks.shipped import shipped

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from recipes import SAMPLES, SHAPES, WORDS, stand_ins, table

BUILT_IN = {
    "music_avqa": "avqa",
    "meld": "emotion",
    "mosei": "sentiment",
    "msrvtt": "retrieval",
    "violin": "inference",
    "urfunny": "humor",
    "ave": "ave",
    "llp": "avvp",
}
RECIPES = sorted(path.stem for name, path in shipped("config").items() if name.startswith("recipes/"))
PAGE = (Path(__file__).parents[1] / "docs" / "recipes.md").read_text(encoding="utf-8")


def test_all_have_stand_ins_and_a_row_on_the_page() -> None:
    assert RECIPES == sorted(BUILT_IN) == sorted(SAMPLES) == sorted(WORDS)
    assert table() in PAGE
    for recipe in RECIPES:
        assert f"recipes/{recipe}" in PAGE
        for encoder in load_config(f"recipes/{recipe}").encoders.values():
            assert encoder["model"] in SHAPES
            assert f"`{encoder['model']}`" in PAGE


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:At least one mel filter:UserWarning")
@pytest.mark.parametrize("recipe", RECIPES)
def test_it_goes_up_to_its_plan(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sizes = ["--train", "4", "--val", "2", "--test", "2", "--workers", "1"]
    main(["generate", BUILT_IN[recipe], "--out", "data", *sizes])
    small = {"loader.batch_size": 2, "loader.workers": 0, "task.root": "data", **stand_ins(recipe, tmp_path)}
    options = ["--cfg-options", *(f"{key}={value}" for key, value in small.items())]
    main(["cache", "build", f"recipes/{recipe}", "--workers", "1", *options])
    main(["cache", "prefix", f"recipes/{recipe}", *options, "clips.prefix=prefix"])
    capsys.readouterr()
    main(["train", f"recipes/{recipe}", "--dry-run", *options])
    said = capsys.readouterr().out
    assert "5 epochs" in said or "7 epochs" in said, said
    main(["train", f"recipes/{recipe}", "--dry-run", *options, "clips.prefix=prefix"])
    assert "a step" in capsys.readouterr().out

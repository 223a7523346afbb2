"""A study's figure tells every method from every other."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lstta_tasks.study.figure import figure_of
from lstta_tasks.study.summary import Cell, Line, Summary


def drawn(figure: Figure, panel: int) -> list[Line2D]:
    bars = [one for one in figure.axes[panel].containers if isinstance(one, ErrorbarContainer)]
    return [line for one in bars if (line := one.lines[0]) is not None]


def test_methods_of_any_panel_are_in_the_legend_and_none_looks_like_another() -> None:
    tasks = ("films", "songs", "plays")
    lines = tuple(
        Line(f"m{n}", f"method {n}", 1000 + n, 100, {tasks[n % 3]: Cell({0: n / 37, 1: 0.5}, None, 1100 + n)})
        for n in range(37)
    )
    figure = figure_of(Summary(dict.fromkeys(tasks, "accuracy"), dict.fromkeys(tasks, False), {}, lines, 2))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [line.label for line in lines]
    marks = [line for panel in range(3) for line in drawn(figure, panel)]
    looks = {(line.get_marker(), to_hex(line.get_color())) for line in marks}
    assert len(looks) == len(marks) == 37


def test_a_method_stands_at_what_it_trains_on_the_task_and_one_seed_is_an_open_mark() -> None:
    small = {"films": Cell({0: 0.5}, None, 1009), "songs": Cell({0: 0.5, 1: 0.7}, None, 7001)}
    large = {"songs": Cell({0: 0.25}, None, 7103)}
    lines = (Line("b", "large", 7103, 0, large), Line("a", "small", 7001, 0, small))
    primary = dict.fromkeys(("films", "songs"), "accuracy")
    figure = figure_of(Summary(primary, dict.fromkeys(primary, False), {}, lines, 2))
    (alone,) = drawn(figure, 0)
    second, first = drawn(figure, 1)
    assert np.ravel(alone.get_xdata()) == pytest.approx([1009])
    assert float(np.ravel(first.get_xdata())[0]) < float(np.ravel(second.get_xdata())[0])
    assert [line.get_markerfacecolor() == "none" for line in (alone, first, second)] == [True, False, True]
    assert figure.legends[0].get_texts()[-1].get_text() == "open: one seed"

"""A study's figure tells every method from every other."""

from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer

from lstta_tasks.study.figure import figure_of
from lstta_tasks.study.summary import Cell, Line, Summary


def test_methods_of_any_panel_are_in_the_legend_and_none_looks_like_another() -> None:
    tasks = ("films", "songs", "plays")
    lines = tuple(
        Line(f"m{n}", f"method {n}", 1000 + n, 100, {tasks[n % 3]: Cell({0: n / 37}, None)}) for n in range(37)
    )
    figure = figure_of(Summary(dict.fromkeys(tasks, "accuracy"), dict.fromkeys(tasks, False), {}, lines))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [line.label for line in lines]
    bars = [one for panel in figure.axes for one in panel.containers if isinstance(one, ErrorbarContainer)]
    drawn = [line for one in bars if (line := one.lines[0]) is not None]
    looks = {(line.get_marker(), to_hex(line.get_color())) for line in drawn}
    assert len(looks) == len(drawn) == 37

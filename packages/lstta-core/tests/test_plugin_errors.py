"""Whose code an error was raised in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path

import pytest

from lstta_core.plugin_errors import blame
from lstta_core.plugins import GROUP, Plugins

SOURCE = """
from lstta_core.hookspecs import hookimpl
LSTTA_API_VERSION = 2

@hookimpl
def lstta_register_methods(register):
    register("faulty", "faulty_plugin.inner:Faulty", summary="raises")

"""
INNER = """
import json
import lstta_core.budget


def key():
    return {}["bias"]


def library():
    return json.loads("[")


def ours():
    from lstta_core.plugins import installed_plugins
    return installed_plugins().find("method", "no such")


def hidden():
    try:
        return key()
    except KeyError as error:
        raise ValueError("no bias") from error
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    (tmp_path / "faulty_plugin").mkdir()
    (tmp_path / "faulty_plugin" / "__init__.py").write_text(SOURCE)
    (tmp_path / "faulty_plugin" / "inner.py").write_text(INNER)
    info = tmp_path / "faulty_plugin-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty-plugin\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[lstta]\nfaulty = faulty_plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("faulty_plugin", "faulty_plugin.inner"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    own: list[EntryPoint] = [point for dist in distributions(path=[str(tmp_path)]) for point in dist.entry_points]
    return Plugins([*own, *entry_points(group=GROUP)])


def raised(call: Callable[[], object]) -> Exception:
    with pytest.raises(Exception) as error:  # noqa: PT011
        call()
    return error.value


def inner(name: str) -> Callable[[], object]:
    import faulty_plugin.inner  # type: ignore[import-not-found]

    function: Callable[[], object] = getattr(faulty_plugin.inner, name)
    return function


@pytest.mark.parametrize(
    ("name", "message", "line"),
    [
        ("key", "KeyError: 'bias'", "line 7, in key"),
        ("library", "JSONDecodeError: Expecting value: line 1 column 2 (char 1)", "line 11, in library"),
        ("hidden", "ValueError: no bias", "line 23, in hidden"),
    ],
)
def test_a_plugins_own_error(plugins: Plugins, tmp_path: Path, name: str, message: str, line: str) -> None:
    found = blame(raised(inner(name)), plugins)
    assert found is not None
    assert str(found) == (
        f"{message}\n  in the code of plugin faulty-plugin 1.2: {tmp_path / 'faulty_plugin' / 'inner.py'}, {line}; "
        "LSTTA_DEBUG=1 shows the traceback"
    )


def test_what_we_make_of_it_is_still_theirs(plugins: Plugins) -> None:
    def wrapped() -> None:
        try:
            inner("key")()
        except KeyError as error:
            raise ValueError("encoders.visual: Faulty refuses its options") from error

    found = blame(raised(wrapped), plugins)
    assert found is not None
    assert found.message == "encoders.visual: Faulty refuses its options"
    assert found.place.endswith("line 7, in key")


def test_an_error_of_ours_that_a_plugin_causes_is_ours(plugins: Plugins) -> None:
    assert blame(raised(inner("ours")), plugins) is None
    assert blame(ValueError("never raised"), plugins) is None


def test_what_comes_out_of_a_worker_is_told_by_its_text(plugins: Plugins, tmp_path: Path) -> None:
    inner("key")
    place = tmp_path / "faulty_plugin" / "inner.py"
    text = (
        "Caught KeyError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
        f'  File "/else/where.py", line 3, in fetch\n    fetch()\n  File "{place}", line 7, in key\n'
        "    return {}[\"bias\"]\nKeyError: 'bias'\n"
    )
    found = blame(KeyError(text), plugins)
    assert found is not None
    assert (found.message, found.place) == ("KeyError: 'bias'", f"{place}, line 7, in key")

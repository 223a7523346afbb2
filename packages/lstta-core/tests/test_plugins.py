from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path

import pytest

from lstta_core import hookspecs, plugins
from lstta_core.plugins import PluginError, PluginReport, Plugins, UnknownNameError

Install = Callable[..., None]

GOOD = """
from lstta_core.hookspecs import hookimpl
LSTTA_API_VERSION = 2

@hookimpl
def lstta_register_methods(register):
    register("{name}", "json:JSONDecoder", summary="a method")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a distribution on sys.path: a top module and real metadata with entry points in the group."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def add(distribution: str, source: str, *, points: dict[str, str] | None = None, version: str = "1.2") -> None:
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        monkeypatch.delitem(sys.modules, module, raising=False)
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = [f"{name} = {target}" for name, target in (points or {distribution: module}).items()]
        (info / "entry_points.txt").write_text("[lstta]\n" + "\n".join(lines) + "\n")

    return add


Find = Callable[[], list[EntryPoint]]


@pytest.fixture
def points(tmp_path: Path) -> Find:
    """The entry points that were installed by the test alone."""

    def find() -> list[EntryPoint]:
        return [point for dist in distributions(path=[str(tmp_path)]) for point in dist.entry_points]

    return find


def report_of(name: str, points: list[EntryPoint]) -> PluginReport:
    (report,) = [report for report in Plugins(points).reports if report.name == name]
    return report


def test_good_plugin_is_found_and_its_factory_called(install: Install, points: Find) -> None:
    install("fine-plugin", GOOD.format(name="fine"))
    listed = Plugins(points())
    (report,) = listed.reports
    assert (report.name, report.distribution, report.version, report.state) == (
        "fine-plugin",
        "fine-plugin",
        "1.2",
        "ok",
    )
    assert listed.names("method") == ["fine"]
    assert listed.find("method", "fine").plugin == "fine-plugin"
    assert isinstance(listed.create("method", "fine", strict=False), json.JSONDecoder)


BROKEN = {
    "raises": ("raise RuntimeError('no licence file')", "RuntimeError: no licence file"),
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "syntax": ("def broken(:", "SyntaxError"),
    "imports": ("import a_module_that_is_nowhere", "No module named 'a_module_that_is_nowhere'"),
    "no-hook": ("LSTTA_API_VERSION = 2", "it implements none of lstta's hooks: decorate one with @hookimpl"),
    "no-version": (GOOD.replace("LSTTA_API_VERSION = 2", ""), "LSTTA_API_VERSION is None"),
    "old-version": (
        GOOD.replace("VERSION = 2", "VERSION = 0"),
        "LSTTA_API_VERSION is 0, this lstta-core speaks 2: update the plugin",
    ),
    "new-version": (GOOD.replace("VERSION = 2", "VERSION = 3"), "this lstta-core speaks 2: update lstta-core"),
    "misspelt": (GOOD.replace("lstta_register_methods", "lstta_register_adaptors"), "unknown hook"),
    "other-argument": (GOOD.replace("(register)", "(registry)"), "registry"),
    "no-summary": (GOOD.replace(', summary="a method"', ""), "summary"),
    "no-attribute": (
        GOOD.replace("json:JSONDecoder", "json"),
        "the target must be 'package.module:attribute', got 'json'",
    ),
    "no-modality": (
        GOOD.replace("methods", "encoders"),
        "encoder '{name}': modality must be one of ('visual', 'audio', 'language'), got None",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_plugin_is_named_and_takes_nothing_down(install: Install, points: Find, kind: str) -> None:
    source, reason = BROKEN[kind]
    install(kind, source.replace("{name}", "bad"))
    install("a-good-one", GOOD.format(name="first"))
    install("z-good-one", GOOD.format(name="last"))
    listed = Plugins(points())
    states = {report.name: report.state for report in listed.reports}
    assert states == {"a-good-one": "ok", kind: "broken", "z-good-one": "ok"}
    report = report_of(kind, points())
    assert report.distribution == kind
    assert reason.replace("{name}", "bad") in report.reason
    assert "\n" not in report.reason
    assert listed.names("method") == ["first", "last"]
    assert listed.names("encoder") == []


VERSION_1 = GOOD.replace("API_VERSION = 2", "API_VERSION = 1")
TO_RENAME = {
    "methods": (
        VERSION_1.replace("register_methods", "register_adapters"),
        "LSTTA_API_VERSION is 1, this lstta-core speaks 2: rename the hook lstta_register_adapters to "
        "lstta_register_methods; say LSTTA_API_VERSION = 2",
    ),
    "encoders": (
        VERSION_1.replace("register_methods", "register_encoders"),
        "LSTTA_API_VERSION is 1, this lstta-core speaks 2: have Encoder.finish return the tokens alone, without "
        "EncoderOutput; say LSTTA_API_VERSION = 2",
    ),
    "tasks": (
        VERSION_1.replace("register_methods", "register_tasks"),
        "LSTTA_API_VERSION is 1, this lstta-core speaks 2: say LSTTA_API_VERSION = 2",
    ),
    "the number alone": (
        GOOD.replace("register_methods", "register_adapters"),
        "unknown hook: rename the hook lstta_register_adapters to lstta_register_methods",
    ),
}


@pytest.mark.parametrize("kind", TO_RENAME)
def test_a_plugin_for_version_1_is_told_what_to_rename(install: Install, points: Find, kind: str) -> None:
    source, line = TO_RENAME[kind]
    install("from-before", source.replace("{name}", "old"))
    report = report_of("from-before", points())
    assert (report.state, report.reason) == ("broken", line)


@pytest.mark.parametrize("kind", ["raises", "exits", "syntax", "imports", "no-summary"])
def test_what_a_plugin_raises_is_reported_with_its_traceback(install: Install, points: Find, kind: str) -> None:
    install(kind, BROKEN[kind][0].replace("{name}", "bad"))
    details = report_of(kind, points()).details
    assert details.startswith("Traceback (most recent call last)")
    assert f"{kind.replace('-', '_')}.py" in details


def test_two_entry_points_of_one_name(install: Install, points: Find) -> None:
    install("dist-one", GOOD.format(name="one"), points={"same": "dist_one"})
    install("dist-two", GOOD.format(name="two"), points={"same": "dist_two"})
    listed = Plugins(points())
    assert [(r.distribution, r.state) for r in listed.reports] == [("dist-one", "ok"), ("dist-two", "ok")]
    assert listed.names("method") == ["one", "two"]
    assert Plugins(points(), "dist-two/same").names("method") == ["two"]


def test_names_of_two_strangers(install: Install, points: Find) -> None:
    install("p-one", GOOD.format(name="same") + '    register("one", "json:loads", summary="its own")\n')
    install("p-two", GOOD.format(name="same").replace("JSONDecoder", "JSONEncoder"), version="0.3")
    listed = Plugins(points())
    assert [report.state for report in listed.reports] == ["ok", "ok"]
    assert listed.names("method") == ["one", "p-one/same", "p-two/same"]
    with pytest.raises(UnknownNameError) as error:
        listed.find("method", "same")
    assert str(error.value) == (
        "method 'same' is registered by p-one 1.2 and p-two 0.3: say which with name='p-one/same' or name='p-two/same'"
    )
    assert isinstance(listed.create("method", "p-one/same"), json.JSONDecoder)
    assert isinstance(listed.create("method", "P_Two/same"), json.JSONEncoder)
    assert listed.find("method", "same", among="p-two").distribution == "p-two"
    assert listed.find("method", "p-one/one") == listed.find("method", "one")
    assert set(listed.registrations) == {("method", name) for name in listed.names("method")}


STRANGER = """
from lstta_core.hookspecs import hookimpl
LSTTA_API_VERSION = 2

@hookimpl
def lstta_register_encoders(register):
    register("tiny-visual", "json:loads", summary="not ours", modality="visual")
    register("rare-visual", "json:loads", summary="theirs", modality="visual")

@hookimpl
def lstta_register_tasks(register):
    register("avqa", "json:loads", summary="not ours")
    register("a/b", "json:loads", summary="no name")
"""


@pytest.mark.parametrize("point", ["a-stranger", "core", "tasks", "zz"])
def test_built_in_names_are_theirs(install: Install, point: str) -> None:
    install("a-stranger", STRANGER, points={point: "a_stranger"})
    installed = list(entry_points(group=plugins.GROUP))
    listed = Plugins(installed)
    assert {report.state for report in listed.reports} == {"ok"}
    assert listed.find("task", "avqa").distribution == "lstta-tasks"
    assert listed.find("encoder", "tiny-visual").distribution == "lstta-backbone-tiny"
    assert listed.find("encoder", "rare-visual").full_name == "a-stranger/rare-visual"
    assert listed.find("task", "lstta-tasks/avqa").distribution == "lstta-tasks"
    (report,) = [report for report in listed.reports if report.distribution == "a-stranger"]
    assert report.refused == (
        "encoder 'tiny-visual' is lstta-backbone-tiny's own: register it under another name",
        "task 'avqa' is lstta-tasks's own: register it under another name",
        "task 'a/b' has a slash in its name, which stands between distribution and name: take it out",
    )
    with pytest.raises(UnknownNameError, match=r"Refused: a-stranger \(task 'avqa' is lstta-tasks's own"):
        listed.find("task", "a-stranger/avqa")
    chosen = Plugins(installed, "core")
    assert [r.distribution for r in chosen.reports if r.state == "ok"] == ["lstta-core"]


def test_a_name_that_a_plugin_registers_twice_is_the_first_one(install: Install, points: Find) -> None:
    install("twice", GOOD.format(name="bad") + '    register("bad", "json:loads", summary="again")\n')
    listed = Plugins(points())
    (report,) = listed.reports
    assert report.refused == ("method 'bad' is registered by plugin 'twice' of twice already",)
    assert listed.find("method", "bad").target == "json:JSONDecoder"


def test_one_name_may_be_a_method_and_a_task(install: Install, points: Find) -> None:
    tasks = '\n@hookimpl\ndef lstta_register_tasks(register):\n    register("same", "json:loads", summary="a task")\n'
    install("both", GOOD.format(name="same") + tasks)
    listed = Plugins(points())
    assert listed.names("method") == listed.names("task") == ["same"]
    assert listed.find("task", "same").target == "json:loads"


KINDS = {"lstta_register_encoders": "encoder", "lstta_register_methods": "method", "lstta_register_tasks": "task"}


def test_every_hook_is_tested() -> None:
    assert set(KINDS) == {name for name, value in vars(hookspecs).items() if "lstta_spec" in dir(value)}


@pytest.mark.parametrize("hook", KINDS)
def test_hook(install: Install, points: Find, hook: str) -> None:
    source = f"""
from lstta_core.hookspecs import hookimpl
LSTTA_API_VERSION = 2

@hookimpl
def {hook}(register):
    register("thing", "json:loads", summary="what it is", modality="audio")
"""
    install("hooked", source)
    (registration,) = report_of("hooked", points()).registrations
    assert (registration.kind, registration.name, registration.target) == (KINDS[hook], "thing", "json:loads")
    assert (registration.plugin, registration.summary, registration.modality) == ("hooked", "what it is", "audio")


@pytest.mark.parametrize(
    ("selection", "states"),
    [
        (None, {"p-one": "ok", "p-two": "ok"}),
        ("p-one", {"p-one": "ok", "p-two": "disabled"}),
        (" p-two , p-one ", {"p-one": "ok", "p-two": "ok"}),
        ("none", {"p-one": "disabled", "p-two": "disabled"}),
        ("", {"p-one": "disabled", "p-two": "disabled"}),
    ],
)
def test_selection(install: Install, points: Find, selection: str | None, states: dict[str, str]) -> None:
    install("p-one", GOOD.format(name="one"))
    install("p-two", "raise RuntimeError" if selection == "p-one" else GOOD.format(name="two"))
    assert {report.name: report.state for report in Plugins(points(), selection).reports} == states


def test_selection_of_what_is_not_installed(install: Install, points: Find) -> None:
    install("p-one", GOOD.format(name="one"))
    with pytest.raises(PluginError, match="LSTTA_PLUGINS names p-onne, which no installed plugin is called; installed"):
        Plugins(points(), "p-onne")


def test_selection_comes_from_the_environment(install: Install, points: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    install("p-one", GOOD.format(name="one"))
    monkeypatch.setenv("LSTTA_PLUGINS", "p-one")
    monkeypatch.setattr(plugins, "entry_points", lambda *, group: points())
    plugins.installed_plugins.cache_clear()
    try:
        assert plugins.installed_plugins().names("method") == ["one"]
        assert plugins.installed_plugins() is plugins.installed_plugins()
    finally:
        plugins.installed_plugins.cache_clear()


def test_unknown_name_lists_what_exists(install: Install, points: Find) -> None:
    install("p-one", GOOD.format(name="bottleneck"))
    install("p-two", "raise RuntimeError('why')")
    install("p-off", GOOD.format(name="other"))
    with pytest.raises(UnknownNameError) as error:
        Plugins(points(), "p-one,p-two").find("method", "botleneck")
    assert str(error.value) == (
        "no method is named 'botleneck'. Did you mean 'bottleneck'? Installed: bottleneck. Disabled by "
        "LSTTA_PLUGINS: p-off. Broken plugins: p-two (RuntimeError: why). "
        "Others come with plugins: pip install the distribution that has it."
    )
    with pytest.raises(UnknownNameError, match=r"no task is named 'avqa'\. Installed: none\."):
        Plugins([]).find("task", "avqa")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("nowhere_at_all:Thing", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("json:Nothing", "has no attribute 'Nothing'"),
        ("explodes:Thing", "RuntimeError: boom"),
    ],
)
def test_factory_that_cannot_be_imported(
    install: Install, points: Find, tmp_path: Path, target: str, reason: str
) -> None:
    (tmp_path / "explodes.py").write_text("raise RuntimeError('boom')")
    install("lazy", GOOD.format(name="lazy").replace("json:JSONDecoder", target))
    listed = Plugins(points())
    assert listed.reports[0].state == "ok", "what is registered is not imported while listing"
    with pytest.raises(PluginError, match=f"method 'lazy' of plugin 'lazy' points to {target}") as error:
        listed.create("method", "lazy")
    assert reason in str(error.value)


def test_the_methods_of_core_can_all_be_imported() -> None:
    listed = plugins.installed_plugins()
    own = [r for report in listed.reports if report.name == "core" for r in report.registrations]
    assert "lstta" in {registration.name for registration in own}
    for registration in own:
        assert callable(registration.load())


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; from lstta_core.plugins import installed_plugins; reports = installed_plugins().reports; "
        "assert any(r.name == 'core' and r.state == 'ok' for r in reports), reports; "
        "heavy = {'torch', 'transformers', 'mmengine', 'numpy'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

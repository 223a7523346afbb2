"""What an adapter's record says of the code it needs and of how its input was made, and what loading makes of that."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import untrained

from lstta_core.adapter_files import AdapterFileError
from lstta_core.encoder import LanguageSpec
from lstta_core.input_digest import input_digest
from lstta_core.interfaces import Encoder, Modality
from lstta_core.plugins import Registration, UnknownNameError, installed_plugins
from lstta_core.testing import ToyLanguage
from lstta_tasks import needs
from lstta_tasks.adapters import load, read
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.training.resume import differences


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained.save_tiny(tmp_path_factory.mktemp("record") / "best", AVQA(answers=["left", "right"]))


def encoders(**changes: Any) -> dict[Modality, Encoder]:
    """The tiny ones, with another spec of the language encoder."""
    made = {m: installed_plugins().create("encoder", f"tiny-{m}") for m in Modality}
    made[Modality.LANGUAGE].spec = replace(made[Modality.LANGUAGE].spec, **changes)
    return made


def swapped(text: str) -> list[int]:
    """As the tiny tokenizer, with two words that have changed places."""
    ids = installed_plugins().create("encoder", "tiny-language").spec.tokenize(text)
    return [{40: 41, 41: 40}.get(number, number) for number in ids]


def test_the_record_names_what_the_adapter_needs(folder: Path) -> None:
    record = read(folder).record
    tiny = {"distribution": "lstta-backbone-tiny", "version": version("lstta-backbone-tiny")}
    assert record["needs"] == {
        "model": {"distribution": "lstta-core", "version": version("lstta-core")},
        **{f"encoders.{m}": tiny for m in Modality},
        "method": {"distribution": "lstta-core", "version": version("lstta-core")},
        "task": {"distribution": "lstta-tasks", "version": version("lstta-tasks")},
    }
    assert f"- method: lstta-core {version('lstta-core')}" in (folder / "README.md").read_text()
    assert set(record["inputs"]) == set(Modality)


def test_the_same_tokenizer_loads(folder: Path) -> None:
    assert load(folder).task.name == load(folder, encoders()).task.name == "avqa"


@pytest.mark.parametrize(
    "changes", [{"tokenize": swapped}, {"max_length": 32}, {"pad_id": 7}], ids=["tokenizer", "length", "padding"]
)
def test_another_tokenizer_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(
        AdapterFileError, match=r"the language encoder 'tiny-language' of lstta-backbone-tiny .* made its"
    ):
        load(folder, encoders(**changes))


def test_a_folder_of_before_still_loads(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for file in folder.iterdir():
        (old / file.name).write_bytes(file.read_bytes())
    record = json.loads((folder / "adapter.json").read_text())
    (old / "adapter.json").write_text(json.dumps({k: v for k, v in record.items() if k not in ("needs", "inputs")}))
    assert load(old, encoders(tokenize=swapped)).task.name == "avqa"


def test_a_vocabulary_is_known_to_its_last_word() -> None:
    class Tokenizer:
        def __init__(self, last: str) -> None:
            self.vocabulary = {**{f"word{number}": number for number in range(5000)}, last: 5000}

        def __call__(self, text: str) -> list[int]:
            return [self.vocabulary.get(word, 0) for word in text.split()][:9]

    one, other = (LanguageSpec(tokenize=Tokenizer(last), max_length=9) for last in ("rare", "seldom"))
    assert input_digest(one) == input_digest(LanguageSpec(tokenize=Tokenizer("rare"), max_length=9))
    assert input_digest(one) != input_digest(other)
    assert input_digest(ToyLanguage().spec) == input_digest(ToyLanguage().spec)


def test_the_distribution_of_the_record_is_meant_where_two_have_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Registration("method", "same", "json:loads", "p", "", None, d, "1") for d in ("p-one", "p-two")]
    plugins = type(installed_plugins())([])
    plugins._named[("method", "same")] = found
    monkeypatch.setattr(needs, "installed_plugins", lambda: plugins)
    record = {"needs": {"method": {"distribution": "P_Two", "version": "1"}}}
    assert needs.registered_name(record, "method", "method", "same") == "p-two/same"
    with pytest.raises(UnknownNameError, match="is registered by p-one 1 and p-two 1"):
        needs.registered_name({}, "method", "method", "same")
    with pytest.raises(UnknownNameError, match=r"no method is named 'gone'.*The adapter needs that of P_Two 1"):
        needs.registered_name(record, "method", "method", "gone")


def test_a_callable_of_ones_own_is_named_by_its_package() -> None:
    record = {
        "encoders": {"visual": {"name": "lstta_core.testing:ToyVisual"}, "audio": {"name": "nowhere:Thing"}},
        "method": {"name": "none"},
        "task": {"name": "avqa"},
    }
    found = needs.needs_of(record, ["visual", "audio"])
    assert found["encoders.visual"]["distribution"] == "lstta-core"
    assert "encoders.audio" not in found


def test_resuming_minds_no_version_and_minds_a_tokenizer() -> None:
    assert not list(differences({"inputs": {"language": "a"}}, {"inputs": {"language": "a"}}))
    assert list(differences({"inputs": {"language": "a"}}, {"inputs": {"language": "b"}})) == [
        ("inputs.language", "a", "b")
    ]

"""Adapters on the hub: pushed, found by name, compared with their digests. The hub is a server in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from local_hub import Hub, local_hub, point_client_at
from small_world import write_film
from untrained import save_tiny

from lstta_core.adapter_files import AdapterFile, AdapterFileError
from lstta_tasks.adapters import load, read
from lstta_tasks.cli.main import main
from lstta_tasks.hub.card import hub_card
from lstta_tasks.hub.fetch import adapter_folder
from lstta_tasks.hub.push import prepare, push
from lstta_tasks.tasks.avqa import AVQA

pytest.importorskip("huggingface_hub")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("trained") / "best", AVQA(answers=["a", "b", "c"]))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty hub; who asks is ann, in a folder of hers."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with local_hub() as hub:
        point_client_at(hub, str(tmp_path / "cache"), monkeypatch, "hf_of_ann")
        yield hub


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Hub) -> None:
    """What follows is asked by somebody without a token, on a machine of their own."""
    point_client_at(hub, str(tmp_path / "other-cache"), monkeypatch)


def pushed(adapter: Path, monkeypatch: pytest.MonkeyPatch, repo: str = "ann/flutes", private: bool = False) -> str:
    """By ann; the commit."""
    with monkeypatch.context() as hers:
        hers.setenv("HF_TOKEN", "hf_of_ann")
        commit = push(prepare(adapter, repo), private=private).commit
    assert commit is not None
    return commit


class TestLoading:
    def test_elsewhere_it_predicts_the_same_to_the_bit(
        self, adapter: Path, hub: Hub, elsewhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = pushed(adapter, monkeypatch)
        write_film(tmp_path / "film.mp4")
        wanted = load(adapter).predict(tmp_path / "film.mp4", "Is the flute loud?")
        for found in (load("ann/flutes"), load("ann/flutes", revision=commit), load(f"ann/flutes@{commit}")):
            assert found.predict(tmp_path / "film.mp4", "Is the flute loud?") == wanted

    def test_a_revision_stays_what_it_was(
        self, adapter: Path, hub: Hub, elsewhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = pushed(adapter, monkeypatch)
        other = save_tiny(tmp_path / "other", AVQA(answers=["d", "e"]))
        second = pushed(other, monkeypatch)
        answers = {at: read(f"ann/flutes@{at}").record["task"]["answers"] for at in (first, second, "main")}
        assert answers == {first: ["a", "b", "c"], second: ["d", "e"], "main": ["d", "e"]}

    def test_without_a_network_it_is_in_the_cache(
        self, adapter: Path, hub: Hub, elsewhere: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from huggingface_hub import constants

        commit = pushed(adapter, monkeypatch)
        folder = adapter_folder("ann/flutes")
        hub.asked.clear()
        assert adapter_folder("ann/flutes", commit) == folder
        assert hub.asked == []
        with monkeypatch.context() as offline:
            offline.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
            assert adapter_folder("ann/flutes") == folder
            with pytest.raises(ConnectionError, match=r"^ann/drums: no such folder; the hub cannot be reached[^\n]*$"):
                adapter_folder("ann/drums")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert adapter_folder("ann/flutes") == folder
        with pytest.raises(ConnectionError, match="cannot be reached"):
            adapter_folder("ann/drums")

    @pytest.mark.parametrize("name", ["adapter.safetensors", "adapter.json"])
    def test_other_bytes_than_the_digest_says_are_refused_by_name(
        self, name: str, adapter: Path, hub: Hub, elsewhere: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = pushed(adapter, monkeypatch)
        hub.garbled.add(name)
        for _ in range(2):  # what is refused is not taken from the cache after
            with pytest.raises(AdapterFileError, match=rf"^ann/flutes@{commit}: {name}: what came has the digest"):
                load("ann/flutes", revision=commit)
        hub.garbled.clear()
        assert read("ann/flutes", commit).record == read(adapter).record


class TestNames:
    def test_a_folder_of_that_name_goes_first(self, adapter: Path, hub: Hub) -> None:
        Path("ann").mkdir()
        Path("ann/flutes").symlink_to(adapter)
        assert adapter_folder("ann/flutes") == Path("ann/flutes")
        assert hub.asked == []
        for name, revision in (("ann/flutes", "v1"), ("ann/flutes@v1", None)):
            with pytest.raises(ValueError, match="is a folder here, and goes before the hub's"):
                adapter_folder(name, revision)

    def test_a_mistake_in_a_folder_s_name_is_not_told_to_the_hub(self, hub: Hub) -> None:
        Path("work_dirs").mkdir()
        with pytest.raises(FileNotFoundError, match="As work_dirs is one, the hub was not asked; work_dirs/bset@main"):
            adapter_folder("work_dirs/bset")
        assert hub.asked == []
        with pytest.raises(FileNotFoundError, match="on the hub there is none either"):
            adapter_folder("work_dirs/bset@main")

    @pytest.mark.parametrize("name", ["flutes", "a/b/c", "/no/where", "./ann/flutes", "ann/", "ann/a--b", "ann/b..c"])
    def test_what_is_no_name_of_a_repository_is_told(self, name: str, hub: Hub) -> None:
        with pytest.raises(FileNotFoundError, match="no such folder, and no name on the hub"):
            adapter_folder(name)
        assert hub.asked == []

    def test_two_revisions(self, hub: Hub) -> None:
        with pytest.raises(ValueError, match="two revisions, 'v1' and 'v2'"):
            adapter_folder("ann/flutes@v1", "v2")

    def test_a_revision_that_is_not_there(self, adapter: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        pushed(adapter, monkeypatch)
        with pytest.raises(ValueError, match="ann/flutes has no revision 'v7' on the hub"):
            adapter_folder("ann/flutes@v7")

    @pytest.mark.parametrize("private", [True, False])
    def test_private_or_missing_without_a_token_is_one_line(
        self,
        private: bool,
        adapter: Path,
        hub: Hub,
        elsewhere: None,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        if private:
            pushed(adapter, monkeypatch, private=True)
            capsys.readouterr()  # the bar of the upload
        with pytest.raises(SystemExit):
            main(["infer", "ann/flutes", "film.mp4"])
        said = capsys.readouterr().err
        assert said.startswith("error: ann/flutes: no such folder; on the hub there is none either, or it is private")
        assert said.count("\n") == 1
        assert "HF_TOKEN" in said

    def test_without_the_client_the_extra_is_named(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(FileNotFoundError, match=r"pip install 'lstta-tasks\[hub\]'"):
            adapter_folder("ann/flutes")


class TestPushing:
    def test_the_card_has_the_hub_s_header(self, adapter: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        main(["push", str(adapter), "ann/flutes", "--license", "mit", "--data", "some/music", "of my own"])
        (files,) = hub.repos["ann/flutes"].commits.values()
        assert set(files) == {"adapter.safetensors", "adapter.json", "README.md"}
        _, header, text = files["README.md"].content.decode().split("---\n", 2)
        found = yaml.safe_load(header)
        assert (found["library_name"], found["license"], found["datasets"]) == ("lstta", "mit", ["some/music"])
        assert "base_model" not in found  # the tiny encoders are on no hub
        assert {"lstta", "avqa", "video", "audio", "text"} <= set(found["tags"])
        assert "## Data\n\nTrained on some/music, of my own." in text
        assert 'load("ann/flutes")' in text
        assert "pip install 'lstta-tasks[hub]' lstta-backbone-tiny" in text
        (commit,) = hub.repos["ann/flutes"].commits
        assert f'load("ann/flutes", revision="{commit}")' in capsys.readouterr().out

    def test_the_card_names_the_hub_s_encoders_and_the_figure(self, adapter: Path, tmp_path: Path) -> None:
        record = {**read(adapter).record, "selected": {"epoch": 3, "split": "val", "overall": 0.5}}
        named = {"model": "some/encoder", "base": {"name": "some/encoder"}}
        record["encoders"] = {**record["encoders"], "audio": {**record["encoders"]["audio"], **named}}
        found = yaml.safe_load(hub_card(AdapterFile({}, record, tmp_path), "ann/flutes").split("---\n")[1])
        assert found["base_model"] == ["some/encoder"]
        assert found["metrics"] == ["overall"]
        (result,) = found["model-index"][0]["results"]
        assert result["dataset"]["split"] == "val"
        assert result["metrics"] == [{"type": "overall", "value": 0.5}]

    def test_a_dry_run_asks_nobody(self, adapter: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
        main(["push", str(adapter), "ann/flutes", "--dry-run"])
        said = capsys.readouterr().out
        assert "library_name: lstta" in said
        assert "would push adapter.safetensors, adapter.json, README.md" in said
        assert hub.asked == []

    @pytest.mark.parametrize("token", [None, "hf_of_bob", "hf_of_nobody"])
    def test_without_a_token_that_may(
        self, token: str | None, adapter: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        point_client_at(hub, str(tmp_path / "cache"), monkeypatch, token)
        with pytest.raises(PermissionError, match=r"^ann/flutes: [^\n]*HF_TOKEN$"):
            push(prepare(adapter, "ann/flutes"))
        assert not hub.repos

    def test_private_is_not_pushed_into_what_is_public(self, adapter: Path, hub: Hub) -> None:
        push(prepare(adapter, "ann/flutes"))
        with pytest.raises(ValueError, match="ann/flutes is on the hub already, and public: nothing was pushed"):
            push(prepare(adapter, "ann/flutes"), private=True)
        assert len(hub.repos["ann/flutes"].commits) == 1

    def test_to_a_branch(self, adapter: Path, hub: Hub) -> None:
        first = push(prepare(adapter, "ann/flutes"))
        second = push(prepare(adapter, "ann/flutes", licence="mit"), branch="licensed", message="With a licence")
        assert hub.repos["ann/flutes"].branches == {"main": first.commit, "licensed": second.commit}

    def test_no_name(self, adapter: Path, hub: Hub) -> None:
        with pytest.raises(ValueError, match="'flutes' is no name on the hub: write USER/NAME"):
            prepare(adapter, "flutes")

    def test_nobody_is_there(self, adapter: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
        with pytest.raises(ConnectionError, match=r"^ann/flutes: not pushed: [^\n]*$"):
            push(prepare(adapter, "ann/flutes"))

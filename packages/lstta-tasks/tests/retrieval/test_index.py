"""Embedding and searching without a data set: the vectors of evaluation; indexes of other adapters are refused."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import seeded_encoders
import torch
from small_msrvtt import videos
from small_world import World, write_film

from lstta_core.adapter_files import AdapterFileError, read_adapter, save_adapter
from lstta_core.finite import NotFiniteError
from lstta_core.interfaces import Modality
from lstta_tasks.adapters import load
from lstta_tasks.data.clip import DecodeError
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.evaluate import evaluate
from lstta_tasks.retrieval.embed import index_split
from lstta_tasks.retrieval.index import Index, index_folder, search
from lstta_tasks.retrieval.retriever import Retriever


def own_encoders() -> dict[Modality, Any]:
    return {m: getattr(seeded_encoders, m)(seed=5) for m in Modality}


@pytest.fixture(scope="module")
def retriever(dual: Path) -> Retriever:
    return Retriever(load(dual / "best", own_encoders()))


@pytest.fixture(scope="module")
def index(msrvtt: World, dual: Path) -> Index:
    """Of the test split."""
    made, missing = index_split(load_config(msrvtt.config), dual / "best", "test")
    assert missing == []
    return made


class TestRetriever:
    def test_embeddings_are_those_of_the_split(self, msrvtt: World, retriever: Retriever, index: Index) -> None:
        for clip, vector in zip(index.clip_ids, index.clips, strict=True):
            found = retriever.embed_video(msrvtt.root / "videos" / "all" / f"{clip}.mp4")
            np.testing.assert_allclose(found, vector, atol=1e-5)
        assert index.texts is not None
        for caption, vector in zip(index.captions, index.texts, strict=True):
            np.testing.assert_allclose(retriever.embed_text(caption), vector, atol=1e-5)

    def test_ranking_is_by_the_cosine(self, msrvtt: World, retriever: Retriever) -> None:
        films = [msrvtt.root / "videos" / "all" / f"{video}.mp4" for video in videos("test")]
        found = retriever.rank("loud and bright", films)
        query = retriever.embed_text("loud and bright")
        cosines = {str(film): float(query @ retriever.embed_video(film)) for film in films}
        assert found == sorted(cosines.items(), key=lambda one: -one[1])

    def test_a_prediction_of_a_pair_is_its_cosine(self, msrvtt: World, dual: Path, retriever: Retriever) -> None:
        film = msrvtt.root / "videos" / "all" / f"{videos('test')[1]}.mp4"
        found = load(dual / "best", own_encoders()).predict(film, "soft and dark")
        assert found["similarity"] == pytest.approx(retriever.rank("soft and dark", [film])[0][1], abs=1e-5)

    def test_a_film_without_sound_and_words_of_any_script(self, retriever: Retriever, tmp_path: Path) -> None:
        write_film(tmp_path / "silent.mp4", sound=False)
        assert np.linalg.norm(retriever.embed_video(tmp_path / "silent.mp4")) == pytest.approx(1, abs=1e-5)
        assert np.linalg.norm(retriever.embed_text("كمان 🎻 " * 300)) == pytest.approx(1, abs=1e-5)

    def test_what_cannot_be_embedded(self, retriever: Retriever, tmp_path: Path) -> None:
        (tmp_path / "text.mp4").write_text("no film")
        with pytest.raises(DecodeError, match=r"text.mp4"):
            retriever.embed_video(tmp_path / "text.mp4")
        with pytest.raises(ValueError, match="the text is empty"):
            retriever.embed_text("  ")
        with pytest.raises(ValueError, match="there are no videos to rank"):
            retriever.rank("loud", [])

    def test_an_adapter_of_another_task(self, world: World, run: Path) -> None:
        with pytest.raises(ValueError, match="of a task that ranks is wanted, this one is of avqa"):
            Retriever(load(run / "best", own_encoders()))
        with pytest.raises(ValueError, match="of a task that ranks is wanted, got one of avqa"):
            index_split(load_config(world.config), run / "best", "test")


class TestIndex:
    def test_a_split_has_its_clips_once_and_all_its_captions(self, msrvtt: World, dual: Path) -> None:
        made, _ = index_split(load_config(msrvtt.config), dual / "best", "val")
        assert made.texts is not None
        assert len(set(made.clip_ids)) == len(made.clip_ids) == len(made.clips) == 4
        assert len(made.text_ids) == len(made.captions) == len(made.texts) == 8
        assert made.clips.dtype == made.texts.dtype == np.float32

    def test_searching_finds_what_evaluation_ranks_first(self, msrvtt: World, dual: Path, index: Index) -> None:
        _, details = evaluate(load_config(msrvtt.config), dual / "best", "test")
        assert index.texts is not None
        for text, vector in zip(index.text_ids, index.texts, strict=True):
            assert [clip for clip, _ in index.nearest(vector, 5)] == details["predictions"][text]["top"]

    def test_it_is_on_disk_what_it_was_in_memory(self, index: Index, tmp_path: Path) -> None:
        index.save(tmp_path / "new" / "index.npz")
        again = Index.load(tmp_path / "new" / "index.npz")
        for field in dataclasses.fields(Index):
            there, here = getattr(index, field.name), getattr(again, field.name)
            assert np.array_equal(there, here), field.name
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["index.npz"]

    def test_what_is_no_index(self, index: Index, tmp_path: Path) -> None:
        path = tmp_path / "index.npz"
        with pytest.raises(FileNotFoundError, match=r"index.npz: no such index; lstta retrieve index makes one"):
            Index.load(path)
        index.save(path)
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(ValueError, match=r"index.npz: not an index of lstta retrieve"):
            Index.load(path)
        np.savez(path, clips=np.ones(3))
        with pytest.raises(ValueError, match=r"index.npz: not an index of lstta retrieve"):
            Index.load(path)
        np.save(tmp_path / "array.npy", np.ones(3))
        with pytest.raises(ValueError, match=r"array.npy: not an index of lstta retrieve"):
            Index.load(tmp_path / "array.npy")
        np.savez(path, schema=np.array([print], dtype=object))
        with pytest.raises(ValueError, match=r"not an index .*allow_pickle"):
            Index.load(path)


class TestSearch:
    def test_it_is_the_nearest_of_the_index(
        self, dual: Path, index: Index, retriever: Retriever, tmp_path: Path
    ) -> None:
        index.save(tmp_path / "index.npz")
        found = search(dual / "best", tmp_path / "index.npz", "loud", top=3, encoders=own_encoders())
        assert found == index.nearest(retriever.embed_text("loud"), 3)
        assert len(found) == 3
        everything = search(dual / "best", tmp_path / "index.npz", "loud", top=99, encoders=own_encoders())
        assert sorted(clip for clip, _ in everything) == sorted(index.clip_ids)

    def test_an_index_of_another_adapter(self, dual: Path, index: Index, tmp_path: Path) -> None:
        index.save(tmp_path / "index.npz")
        file = read_adapter(dual / "best")
        other = {name: tensor + (name == "texts.head.bias") for name, tensor in file.tensors.items()}
        save_adapter(tmp_path / "other", other, file.record)
        said = rf"index.npz was made with the adapter {dual / 'best'} \(digest .*not with {tmp_path / 'other'} \(digest"
        with pytest.raises(AdapterFileError, match=said):
            search(tmp_path / "other", tmp_path / "index.npz", "loud")

    def test_top_out_of_range(self, dual: Path, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="top must be at least 1, got 0"):
            search(dual / "best", tmp_path / "index.npz", "loud", top=0)


class TestFolder:
    def test_films_of_ones_own(self, msrvtt: World, dual: Path, retriever: Retriever, tmp_path: Path) -> None:
        (tmp_path / "deep").mkdir()
        shutil.copy(msrvtt.root / "videos" / "all" / f"{videos('test')[0]}.mp4", tmp_path / "deep" / "a.MP4")
        write_film(tmp_path / "b.mp4", sound=False)
        (tmp_path / "broken.mp4").write_text("no film")
        (tmp_path / "notes.txt").write_text("no film either")
        made, failed = index_folder(dual / "best", tmp_path, encoders=own_encoders())
        assert list(made.clip_ids) == ["b.mp4", "deep/a.MP4"]
        np.testing.assert_allclose(made.clips[1], retriever.embed_video(tmp_path / "deep" / "a.MP4"), atol=1e-6)
        assert list(failed) == ["broken.mp4"]
        assert "broken.mp4" in failed["broken.mp4"]

    def test_no_films(self, dual: Path, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"no file in it ends in .mp4"):
            index_folder(dual / "best", tmp_path)
        (tmp_path / "broken.mp4").write_text("no film")
        with pytest.raises(ValueError, match="none of 1 videos can be decoded"):
            index_folder(dual / "best", tmp_path, encoders=own_encoders())


def test_joint_adapters_search_in_dual_mode(msrvtt: World, joint: Path, tmp_path: Path) -> None:
    made, _ = index_split(load_config(msrvtt.config), joint / "best", "test")
    made.save(tmp_path / "index.npz")
    torch.manual_seed(1)
    found = search(joint / "best", tmp_path / "index.npz", "loud", encoders=own_encoders())
    assert found == made.nearest(Retriever(load(joint / "best", own_encoders())).embed_text("loud"), 5)


def test_an_embedding_that_is_no_number_is_an_error(dual: Path, tmp_path: Path) -> None:
    retriever = Retriever(load(dual / "best", own_encoders()))
    write_film(tmp_path / "film.mp4")
    with torch.no_grad():
        for parameter in retriever.network.parameters():
            if parameter.requires_grad:
                parameter.fill_(torch.nan)
    with pytest.raises(NotFiniteError, match="the embedding of 'a drum' holds numbers that are NaN"):
        retriever.embed_text("a drum")
    with pytest.raises(NotFiniteError, match=r"the embedding of .* holds numbers that are NaN"):
        retriever.rank("a drum", [tmp_path / "film.mp4"])

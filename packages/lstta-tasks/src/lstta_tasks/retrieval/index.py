"""An index of embeddings on disk: made once, searched by text. It belongs to the adapter that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lstta_core.adapter_files import AdapterFile, AdapterFileError
from lstta_core.adapter_set import tensors_digest
from lstta_core.interfaces import Encoder, Modality
from lstta_tasks.adapters import load, read
from lstta_tasks.data.ahead import ahead
from lstta_tasks.data.clip import Clip
from lstta_tasks.data.folder import videos_in
from lstta_tasks.failures import Failures, check_name
from lstta_tasks.retrieval.index_file import read_arrays, write_arrays
from lstta_tasks.retrieval.retriever import Retriever, Vectors

AT_ONCE = 8  # clips in a batch


@dataclass(frozen=True)
class Index:
    """Embeddings of V clips and, where they have any, of their T captions.

    Attributes:
        adapter: the folder of the adapter that made it.
        digest: of the adapter's tensors.
        clip_ids: V.
        clips: (V, E), float32, unit vectors.
        text_ids: T.
        captions: T.
        texts: (T, E), float32, unit vectors.
    """

    adapter: str
    digest: str
    clip_ids: Sequence[str]
    clips: Vectors
    text_ids: Sequence[str] = ()
    captions: Sequence[str] = ()
    texts: Vectors | None = None

    def save(self, path: Path) -> None:
        """Write an npz file, all of it or nothing."""
        texts = np.empty((0, self.clips.shape[1]), np.float32) if self.texts is None else self.texts
        arrays: dict[str, Any] = {
            "adapter": self.adapter,
            "digest": self.digest,
            "clip_ids": _strings(self.clip_ids),
            "clips": self.clips,
            "text_ids": _strings(self.text_ids),
            "captions": _strings(self.captions),
            "texts": texts,
        }
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> Index:
        """
        Raises:
            FileNotFoundError: there is none.
            ValueError: it is damaged, or something else.
        """
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such index; lstta retrieve index makes one")
        arrays = read_arrays(path)
        return cls(
            adapter=str(arrays["adapter"]),
            digest=str(arrays["digest"]),
            clip_ids=arrays["clip_ids"].tolist(),
            clips=arrays["clips"],
            text_ids=arrays["text_ids"].tolist(),
            captions=arrays["captions"].tolist(),
            texts=arrays["texts"],
        )

    def nearest(self, query: Vectors, count: int) -> list[tuple[str, float]]:
        """The clips with the highest cosine to a unit vector (E,), best first; of equals the first."""
        cosines = self.clips @ query
        return [(self.clip_ids[i], float(cosines[i])) for i in np.argsort(-cosines, kind="stable")[:count]]


def search(
    adapter: Path,
    index: Path,
    text: str,
    *,
    top: int = 5,
    encoders: Mapping[Modality, Encoder] | None = None,
    device: str | None = None,
) -> list[tuple[str, float]]:
    """The clips of an index that fit a text best, with their cosine.

    Args:
        adapter: the folder of the adapter that made the index.
        index: an npz file.
        text: what should be seen and heard.
        top: how many clips.
        encoders: for adapters whose encoders no plugin registers, see :func:`lstta_tasks.adapters.load`.
        device: see there.

    Raises:
        FileNotFoundError: one of the two is not there.
        AdapterFileError: another adapter made the index.
        ValueError: an argument is out of range, or the index is damaged.
    """
    if top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    made, digest = Index.load(index), tensors_digest(read(adapter).tensors)
    if made.digest != digest:
        raise AdapterFileError(
            f"{index} was made with the adapter {made.adapter} (digest {made.digest[:12]}…), not with {adapter} "
            f"(digest {digest[:12]}…): search with that one, or make the index again with this one"
        )
    query = Retriever(load(adapter, encoders, device=device)).embed_text(text)
    if len(query) != made.clips.shape[1]:
        raise ValueError(f"{index}: clips: vectors of {made.clips.shape[1]} numbers, the adapter's have {len(query)}")
    return made.nearest(query, top)


def index_folder(
    adapter: Path, folder: Path, *, encoders: Mapping[Modality, Encoder] | None = None, device: str | None = None
) -> tuple[Index, dict[str, str]]:
    """An index of the video files in a folder and the folders in it, by their paths from there.

    Args:
        adapter: the folder of a retrieval adapter.
        folder: of video files, see :func:`~lstta_tasks.data.folder.videos_in`.
        encoders: as in :func:`search`.
        device: likewise.

    Returns:
        The index, and the reason for each video that cannot be embedded; it costs no other its place.

    Raises:
        FileNotFoundError: a folder is not there, or holds no video.
        ValueError: no video can be embedded (the message names all and why), or the adapter is of another task.
    """
    videos = videos_in(folder)
    retriever = Retriever(load(adapter, encoders, device=device))
    vectors: dict[str, Vectors] = {}
    waiting: dict[str, Clip] = {}
    failed = Failures()
    decoded = ahead(videos, retriever.decode, most=AT_ONCE + 1)
    for video, future in tqdm(decoded, total=len(videos), desc="embed", unit="clip", disable=None):
        name = video.relative_to(folder).as_posix()
        with failed.of(name):
            check_name(name)
            waiting[name] = future.result()
        if len(waiting) >= AT_ONCE:
            vectors |= _embedded(retriever, waiting, failed)
            waiting = {}
    vectors |= _embedded(retriever, waiting, failed)
    if not vectors:
        failed.end(f"{folder}: none of {len(videos)} videos can be decoded")
    return of_adapter(read(adapter), clip_ids=list(vectors), clips=np.stack(list(vectors.values()))), failed.reasons


def _embedded(retriever: Retriever, clips: Mapping[str, Clip], failed: Failures) -> dict[str, Vectors]:
    """Of clips together; where one of them fails, of each by itself, so that it costs no other its place."""
    if len(clips) > 1:
        with suppress(Exception):  # whatever it is, it is raised again by the clip whose it is
            return dict(zip(clips, retriever.embed_clips(list(clips.values())), strict=True))
    vectors: dict[str, Vectors] = {}
    for name, clip in clips.items():
        with failed.of(name):
            vectors[name] = retriever.embed_clip(clip)
    return vectors


def of_adapter(file: AdapterFile, *, clip_ids: Sequence[str], clips: Vectors) -> Index:
    """An index of clips alone, made by this adapter."""
    return Index(adapter=str(file.folder), digest=tensors_digest(file.tensors), clip_ids=clip_ids, clips=clips)


def _strings(values: Sequence[str]) -> NDArray[np.str_]:
    return np.array(list(values), dtype=np.str_)

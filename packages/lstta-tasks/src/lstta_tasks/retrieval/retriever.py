"""A trained retrieval adapter at work: videos and texts of one's own to embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lstta_core.interfaces import TIMED, Inputs, LanguageSpec, Modality
from lstta_tasks.adapters import Predictor, on_device
from lstta_tasks.data.batch import Collate, language_inputs
from lstta_tasks.data.clip import Clip, ClipSource
from lstta_tasks.data.features import feature_specs
from lstta_tasks.finite import check_finite
from lstta_tasks.retrieval.network import RetrievalNetwork
from lstta_tasks.sample import Sample

Vectors = NDArray[np.float32]


class Retriever:
    """Embeds in dual mode: ``Retriever(load("work_dirs/retrieval/best")).embed_text("a violin on the left")``.

    Args:
        predictor: of an adapter whose task ranks, as :func:`lstta_tasks.adapters.load` gives it.

    Raises:
        ValueError: the adapter is of a task that does not rank, has a network of its own, or reads features.
    """

    def __init__(self, predictor: Predictor) -> None:
        if not isinstance(predictor.model, RetrievalNetwork):
            raise ValueError(f"an adapter of a task that ranks is wanted, this one is of {predictor.task.name}")
        if features := feature_specs(predictor.specs):
            raise ValueError(
                f"the {next(iter(features))} encoder reads features from a file: no video or text is embedded"
            )
        self.network = predictor.model
        self.preprocessing = predictor.preprocessing
        specs = {m: encoder.spec for m, encoder in self.network.by_modality().items()}
        self._of_clips = Collate({m: spec for m, spec in specs.items() if m in TIMED})
        language = specs[Modality.LANGUAGE]
        assert isinstance(language, LanguageSpec)
        self._language = language

    def embed_video(self, video: str | Path) -> Vectors:
        """The unit vector (E,) of a media file.

        Raises:
            DecodeError: it cannot be read.
        """
        return self.embed_clip(self.decode(video))

    def decode(self, video: str | Path) -> Clip:
        """What the model needs of a media file. Raises as :meth:`embed_video` does."""
        from lstta_tasks.data.decode import decode_clip

        return decode_clip(ClipSource(id=str(video), video=Path(video)), self.preprocessing)

    def embed_clip(self, clip: Clip) -> Vectors:
        """The unit vector (E,) of a decoded clip."""
        vector: Vectors = self.embed_clips([clip])[0]
        return vector

    def embed_clips(self, clips: Sequence[Clip]) -> Vectors:
        """The unit vectors (B, E) of decoded clips, computed together."""
        sample = Sample(id="clip", source=ClipSource(id="clip", video=Path("clip")), text=None, target=0)
        inputs = self._of_clips([(sample, clip) for clip in clips])["inputs"]
        with torch.no_grad():
            vectors, _ = self.network.clips(self._on_device(inputs))
        check_finite(vectors, "the embedding of the clip")
        return vectors.float().cpu().numpy()

    def embed_text(self, text: str) -> Vectors:
        """The unit vector (E,) of a text.

        Raises:
            ValueError: it is empty.
        """
        if not text.strip():
            raise ValueError("the text is empty: say what should be seen and heard")
        with torch.no_grad():
            inputs = {Modality.LANGUAGE: language_inputs([[text]], self._language)}
            vectors, _ = self.network.texts(self._on_device(inputs))
        check_finite(vectors, f"the embedding of {text!r}")
        return vectors[0].float().cpu().numpy()

    def rank(self, text: str, videos: Sequence[str | Path]) -> list[tuple[str, float]]:
        """The videos with their cosine to the text, best first.

        Raises:
            ValueError: there is no video, or no text.
            DecodeError: a video cannot be read.
        """
        if not videos:
            raise ValueError("there are no videos to rank")
        query = self.embed_text(text)
        cosines = [(str(video), float(query @ self.embed_video(video))) for video in videos]
        return sorted(cosines, key=lambda one: -one[1])

    def _on_device(self, inputs: Inputs) -> Inputs:
        return on_device(inputs, next(self.network.parameters()).device)

"""Speech to timed text by Whisper (Radford et al. 2022), for ``lstta transcribe``.

The weights and their forward are transformers'; the search is ours: greedy, with the paper's rules for times (they come
in pairs, never go back, and are taken where together they are likelier than any word).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoTokenizer, WhisperFeatureExtractor, WhisperForConditionalGeneration

from lstta_backbone_transformers.checkpoints import Checkpoint, locate

RATE = 16_000
WINDOW = 30.0
"""Seconds that Whisper hears at once."""
STEP = 0.02
"""Seconds between two times that it can say."""
LATEST = 50
"""Of the first time of a window, in steps."""
LANGUAGES = 99
UNHEARD, UNSURE = 0.6, -1.0
"""A window counts as silent where 'no speech' is likelier than the first and words are on average less likely than
e to the second, as in the paper."""
Line = tuple[float, float, str]


class Words(Protocol):
    """Token ids to text."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids without special ones."""


@final
class Whisper:
    """Speech to lines of text with their times.

    Args:
        model: a hub id or a folder, such as ``"openai/whisper-tiny.en"``.
        revision: of the hub.
        language: spoken, such as ``"en"``; of a model of many languages; None for what it hears first.
        vocabulary: a file of OpenAI's, such as ``gpt2.tiktoken`` of the package ``openai-whisper``, where the model's
            folder has no tokenizer.

    Raises:
        FileNotFoundError, ConnectionError, ValueError: the model is not there, or is no Whisper; see
            :func:`~lstta_backbone_transformers.checkpoints.locate`.
    """

    def __init__(
        self, *, model: str, revision: str | None = None, language: str | None = None, vocabulary: str | None = None
    ) -> None:
        checkpoint = locate(model, revision)
        if checkpoint.config.get("model_type") != "whisper":
            raise ValueError(f"{checkpoint.name}: a Whisper is wanted, got {checkpoint.config.get('model_type')!r}")
        self.words = _words(checkpoint, vocabulary)
        loaded = WhisperForConditionalGeneration.from_pretrained(
            checkpoint.folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
        )
        self.model: Any = loaded.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        config = self.model.config
        self.ids = _Ids(config.vocab_size)
        self.features = WhisperFeatureExtractor(feature_size=config.num_mel_bins)
        self.longest = config.max_target_positions // 2
        self.suppressed = [one for one in getattr(config, "suppress_tokens", None) or () if one < self.ids.times]
        self.language = self.ids.language(language)

    def __call__(self, sound: NDArray[np.int16]) -> list[Line]:
        """Lines as (start, end, text), in seconds from the sound's beginning.

        Args:
            sound: (n,) at 16,000 samples a second, mono, of any length.
        """
        lines: list[Line] = []
        place, window = 0, round(WINDOW * RATE)
        while place < len(sound):
            part = sound[place : place + window]
            seconds = len(part) / RATE
            found, heard_until = self._lines(self._tokens(part), seconds) if part.any() else ([], seconds)
            lines += [(place / RATE + start, place / RATE + end, text) for start, end, text in found]
            place += max(RATE, round(heard_until * RATE))
        return lines

    @torch.no_grad()
    def _tokens(self, sound: NDArray[np.int16]) -> list[int]:
        """What is said in a window: times and words; nothing where it counts as silent."""
        ids, device = self.ids, self.model.device
        mel = self.features(sound.astype(np.float32) / 32768, sampling_rate=RATE, return_tensors="pt").input_features
        encoded = self.model.model.encoder(mel.to(device))
        prompt = [ids.start]
        if ids.many:
            prompt += [self.language or self._heard(encoded), ids.transcribe]
        tokens: list[int] = []
        likely, unheard, cache, given = 0.0, 0.0, None, prompt
        while len(tokens) < self.longest:
            out = self.model(
                encoder_outputs=encoded,
                decoder_input_ids=torch.tensor([given], device=device),
                past_key_values=cache,
                use_cache=True,
            )
            if cache is None:
                unheard = float(out.logits[0, 0].softmax(0)[ids.no_speech])
            cache = out.past_key_values
            scores = self._allowed(out.logits[0, -1].float(), tokens).log_softmax(0)
            token = self._best(scores)
            likely += float(scores[token])
            if token == ids.end:
                break
            tokens.append(token)
            given = [token]
        silent = unheard > UNHEARD and likely / (len(tokens) + 1) < UNSURE
        return [] if silent else tokens

    def _heard(self, encoded: Any) -> int:
        """The language, as a token."""
        ids = self.ids
        start = torch.tensor([[ids.start]], device=self.model.device)
        out = self.model(encoder_outputs=encoded, decoder_input_ids=start)
        languages = out.logits[0, -1, ids.start + 1 : ids.transcribe - 1]
        return int(languages.argmax()) + ids.start + 1

    def _allowed(self, scores: Tensor, tokens: Sequence[int]) -> Tensor:
        """Scores with −∞ for what must not follow."""
        ids, times = self.ids, self.ids.times
        scores[self.suppressed] = -torch.inf
        scores[ids.end + 1 : times] = -torch.inf  # all special tokens but times
        said = [token for token in tokens if token >= times]
        if not tokens:  # a window begins with a time
            scores[:times] = -torch.inf
            scores[times + LATEST + 1 :] = -torch.inf
            return scores
        if tokens[-1] >= times:
            closed = len(tokens) > 1 and tokens[-2] < times  # a line has just ended
            if closed:
                scores[: ids.end] = -torch.inf  # the next one begins, or nothing follows
            else:
                scores[times:] = -torch.inf  # words, or nothing
        if said:
            again = tokens[-1] >= times  # a line may begin when the one before ends; no line is empty
            scores[times : said[-1] + (0 if again else 1)] = -torch.inf
        return scores

    def _best(self, scores: Tensor) -> int:
        """The likeliest token; a time where all of them together are likelier than any word."""
        times = self.ids.times
        if scores[times:].logsumexp(0) > scores[:times].max():
            return int(scores[times:].argmax()) + times
        return int(scores.argmax())

    def _lines(self, tokens: Sequence[int], seconds: float) -> tuple[list[Line], float]:
        """The lines of a window, and until when all was heard: a line that the window cut is heard again."""
        times = self.ids.times
        lines: list[Line] = []
        start: float | None = None
        words: list[int] = []
        for token in tokens:
            if token < times:
                words.append(token)
                continue
            time = min((token - times) * STEP, seconds)
            if words and start is not None:
                lines.append((start, time, self.words.decode(words).strip()))
                start, words = None, []
            else:
                start = time
        heard_until = seconds
        if words and start is not None:  # without an end
            if lines and seconds == WINDOW:
                heard_until = start
            else:
                lines.append((start, seconds, self.words.decode(words).strip()))
        return [line for line in lines if line[2]], heard_until


@final
class _Ids:
    """Whisper's special tokens, which lie behind its words in one order; a model of English alone has one word less."""

    def __init__(self, vocabulary: int) -> None:
        self.many = vocabulary >= 51865
        languages = LANGUAGES + (vocabulary - 51865 if self.many else 0)
        self.end = 50257 if self.many else 50256
        self.start = self.end + 1
        self.transcribe = self.start + languages + 2
        self.no_speech = self.transcribe + 3
        self.times = self.no_speech + 2

    def language(self, name: str | None) -> int | None:
        """The token of a language.

        Raises:
            ValueError: there is none, or the model knows one language only.
        """
        if name is None or (not self.many and name == "en"):
            return None
        from transformers.models.whisper.tokenization_whisper import LANGUAGES as NAMES

        if not self.many or name not in NAMES:
            known = ", ".join(NAMES) if self.many else "en"
            raise ValueError(f"language: one of {known} is wanted, got {name!r}")
        return self.start + 1 + list(NAMES).index(name)


@final
class OpenAIWords:
    """The words of a file of OpenAI's: a line has a word's bytes in base64, and its id."""

    def __init__(self, path: Path) -> None:
        try:
            pairs = [line.split() for line in path.read_bytes().splitlines() if line]
            self._bytes = {int(number): base64.b64decode(word, validate=True) for word, number in pairs}
        except ValueError as error:
            raise ValueError(
                f"{path}: no vocabulary, whose lines are a word in base64 and a number: {error}"
            ) from error

    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(self._bytes.get(one, b"") for one in ids).decode(errors="replace")


@final
class _LibraryWords:
    """The words of a tokenizer of transformers."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))


def _words(checkpoint: Checkpoint, vocabulary: str | None) -> Words:
    if vocabulary is not None:
        return OpenAIWords(Path(vocabulary))
    if any((checkpoint.folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        return _LibraryWords(checkpoint.folder)
    raise ValueError(
        f"{checkpoint.folder}: it has no tokenizer.json: say where its vocabulary is, vocabulary=…/gpt2.tiktoken "
        "(multilingual.tiktoken for a model of many languages), as the package openai-whisper has it"
    )

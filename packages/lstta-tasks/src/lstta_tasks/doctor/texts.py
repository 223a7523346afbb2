"""Texts that are empty, or longer than the language encoder reads; answers that are longer than may be said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lstta_core.interfaces import LanguageSpec
from lstta_tasks.data.timed_text import texts_by_segment
from lstta_tasks.doctor.finding import Finding
from lstta_tasks.doctor.probe import Probe
from lstta_tasks.task import Sample, Split


@dataclass
class Measure:
    """Lengths of texts in the encoder's tokens; each text is tokenised once.

    Args:
        spec: of the language encoder.
    """

    spec: LanguageSpec
    _measured: dict[str, tuple[int, bool]] = field(default_factory=dict)
    _answers: dict[str, int] = field(default_factory=dict)

    def __call__(self, text: str) -> tuple[int, bool]:
        """How many tokens are read, and whether the text goes on after them.

        Tokenizers cut texts themselves. One that has lost its end stays the same without its last character.
        """
        if text not in self._measured:
            ids = self.spec.tokenize(text)
            full = len(ids) >= self.spec.max_length
            cut = len(ids) > self.spec.max_length or (full and self.spec.tokenize(text[:-1]) == ids)
            self._measured[text] = min(len(ids), self.spec.max_length), cut
        return self._measured[text]

    def answer(self, text: str) -> int:
        """How many tokens it has as an answer in words, the end included."""
        if text not in self._answers:
            assert self.spec.answer is not None
            self._answers[text] = len(self.spec.answer(text))
        return self._answers[text]


def check_texts(
    split: Split, samples: Sequence[Sample], rows: Sequence[Sequence[str]], measure: Measure
) -> Iterator[Finding]:
    """Samples without words, and samples of whose words an end is cut off.

    Args:
        split: whose.
        samples: of the split.
        rows: the texts of each of them, as :func:`rows_of` gives them.
        measure: of the language encoder.
    """
    for sample, all_texts in zip(samples, rows, strict=True):
        texts = [text for text in all_texts if text.strip()]
        if not texts:
            yield Finding("warning", "no text", split, sample.id, "language is taken as absent")
        elif cut := [text for text in texts if measure(text)[1]]:
            of = "" if len(all_texts) == 1 else f" in {len(cut)} of {len(all_texts)} segments"
            detail = f"longer than the {measure.spec.max_length} tokens that are read{of}: {_begin(cut[0])}"
            yield Finding("warning", "text cut off", split, sample.id, detail)


def check_answers(split: Split, samples: Sequence[Sample], measure: Measure, longest: int) -> Iterator[Finding]:
    """Answers in words that are longer than what may be said.

    Args:
        split: whose.
        samples: of the split.
        measure: of the language encoder.
        longest: the most tokens of an answer, the end included.
    """
    for sample in samples:
        if long := [answer for answer in sample.answers if measure.answer(answer) > longest]:
            detail = f"{measure.answer(long[0])} tokens, task.length={longest} may be said: {_begin(long[0])}"
            yield Finding("warning", "answer too long", split, sample.id, detail)


def rows_of(sample: Sample, probe: Probe, segments: int, *, timed: bool) -> list[str]:
    """The sample's text, or with subtitles one of each segment; subtitles need a clip of known length."""
    if timed and probe.duration is not None:
        return [text or "" for text in texts_by_segment(sample, duration=probe.duration, segments=segments)]
    return [sample.text or ""]


def _begin(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}…")

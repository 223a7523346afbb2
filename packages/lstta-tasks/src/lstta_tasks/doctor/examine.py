"""The whole examination of a config's data set."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lstta_core.interfaces import InputSpec, LanguageSpec, Modality
from lstta_tasks.answers.words import Words
from lstta_tasks.data.clip import ClipSource, Preprocessing
from lstta_tasks.data.features import feature_specs, needs_clips
from lstta_tasks.doctor.annotations import check_copies, check_overlaps, check_repeats
from lstta_tasks.doctor.clips import check_media, median_length
from lstta_tasks.doctor.features import check_features, probe_features
from lstta_tasks.doctor.finding import Finding, Level
from lstta_tasks.doctor.labels import Balance, check_balance, check_targets
from lstta_tasks.doctor.probe import USUAL, Probe, decode_each, probe_all
from lstta_tasks.doctor.texts import Measure, check_answers, check_texts, rows_of
from lstta_tasks.task import SPLITS, Sample, Split, Task


@dataclass(frozen=True)
class SplitFacts:
    """What a split is like.

    Attributes:
        samples, clips: how many.
        lost: clips that are missing or unreadable.
        without_sound, without_pictures: clips that are there and lack it.
        shortest, median, longest: lengths in seconds; None where none is known.
        tokens: the median and the largest number of tokens of a text; None without a language encoder or texts.
        answers: likewise of answers in words, their ends included; None where there are none.
    """

    samples: int
    clips: int
    lost: int
    without_sound: int
    without_pictures: int
    shortest: float | None
    median: float | None
    longest: float | None
    tokens: tuple[float, int] | None
    answers: tuple[float, int] | None = None


@dataclass(frozen=True)
class Diagnosis:
    """What the data set is like.

    Attributes:
        splits: facts of those that can be read.
        labels: how often each class, label or bin of numbers comes in them; empty where targets have no names.
        findings: what is wrong, errors first.
        unusable: clips that cannot be decoded, with the reason, for the cache builder to skip.
        odd: clips of an odd length, with what is odd.
        decoded: whether every clip was decoded, as for the cache; otherwise they were only looked at. None where
            features are read, and no clips.
    """

    splits: dict[Split, SplitFacts]
    labels: Balance
    findings: tuple[Finding, ...]
    unusable: dict[str, str]
    odd: dict[str, str]
    decoded: bool | None = False

    def count(self, level: Level) -> int:
        """How many findings are of this level."""
        return sum(finding.level == level for finding in self.findings)


def examine(
    task: Task,
    specs: Mapping[Modality, InputSpec],
    *,
    segments: int,
    splits: Sequence[Split] | None = None,
    workers: int | None = None,
    preprocessing: Preprocessing | None = None,
    decode: bool = False,
) -> Diagnosis:
    """Read all annotations and look at all clips, or at the features that are read in their place.

    Args:
        task: whose reader reads the data set.
        specs: of the model's encoders.
        segments: T of a clip, which subtitles are told apart by.
        splits: by default all three; without val nothing can be selected, and without train nothing be trained.
        workers: threads that look at clips.
        preprocessing: what the model needs of a clip, by which what cannot be decoded is told; None for the usual.
        decode: decode every clip, as for the cache.
    """
    samples, clips, findings, notes = _read(task, splits)
    sources = {source.id: source for some in clips.values() for source in some}
    needed = replace(USUAL, segments=segments) if preprocessing is None else preprocessing
    features = feature_specs(specs)
    media = needs_clips(specs)
    if media:
        probes = probe_all(sources.values(), preprocessing=needed, workers=workers)
    else:
        probes = probe_features(features, [sample for some in samples.values() for sample in some])
    if decode and media:
        probes = decode_each(sources.values(), probes, preprocessing=needed, workers=workers)
    median = median_length(probes.values())
    spec = specs.get(Modality.LANGUAGE)
    measure = Measure(spec) if isinstance(spec, LanguageSpec) else None
    labels, bad_targets = check_targets(task.answer, samples) if samples else ({}, [])
    facts: dict[Split, SplitFacts] = {}
    findings += [*check_overlaps(clips), *check_copies(clips), *bad_targets]
    findings += check_balance(samples, labels, task.answer.segments if samples else None)
    for split, some in samples.items():
        if media:
            seconds = task.clip_seconds
            findings += check_media(split, clips[split], probes, median=median, modalities=specs, clip_seconds=seconds)
        findings += check_features(split, some, features, segments)
        findings += check_repeats(split, some)
        rows = [rows_of(sample, probes[sample.source.id], segments, timed=task.timed_text) for sample in some]
        tokens = None
        if measure is not None:
            findings += check_texts(split, some, rows, measure)
            lengths = [measure(text)[0] for texts in rows for text in texts]
            tokens = (statistics.median(lengths), max(lengths)) if lengths else None
        answers = None
        if measure is not None and measure.spec.answer is not None and isinstance(task.answer, Words):
            findings += check_answers(split, some, measure, task.answer.decoding.length)
            lengths = [measure.answer(text) for sample in some for text in sample.answers]
            answers = (statistics.median(lengths), max(lengths)) if lengths else None
        facts[split] = _facts(some, [probes[source.id] for source in clips[split]], tokens, answers)
    findings += [Finding("warning", "annotations", split, "", note) for split, note in notes]
    findings.sort(key=lambda finding: (finding.level != "error", SPLITS.index(finding.split)))
    return Diagnosis(
        splits=facts,
        labels=labels,
        findings=tuple(findings),
        unusable={name: probe.missing or probe.unreadable or "" for name, probe in probes.items() if not probe.usable},
        odd={f.id: f"{f.check}: {f.detail}" for f in findings if f.check in ("very short", "very long")},
        decoded=decode if media else None,
    )


Notes = list[tuple[Split, str]]
Read = tuple[dict[Split, list[Sample]], dict[Split, list[ClipSource]], list[Finding], Notes]


def _read(task: Task, splits: Sequence[Split] | None) -> Read:
    """The samples and the clips of the splits that can be read, why the others cannot, and what the reader notes."""
    told = task.reading.notes if task.reading is not None else []
    notes: Notes = []
    samples: dict[Split, list[Sample]] = {}
    clips: dict[Split, list[ClipSource]] = {}
    findings = []
    for split in splits or SPLITS:
        known = len(told)
        try:
            read = task.samples(split), task.clips(split)
        except FileNotFoundError as error:
            level: Level = "warning" if splits is None and split == "test" else "error"
            findings.append(Finding(level, "no annotations", split, "", str(error)))
        except (ValueError, LookupError, OSError) as error:
            findings.append(Finding("error", "bad annotations", split, "", str(error)))
        else:
            samples[split], clips[split] = read
        notes += [(split, note) for note in told[known:]]
    return samples, clips, findings, notes


def _facts(
    samples: Sequence[Sample],
    probes: Sequence[Probe],
    tokens: tuple[float, int] | None,
    answers: tuple[float, int] | None,
) -> SplitFacts:
    usable = [probe for probe in probes if probe.usable]
    lengths = [probe.duration for probe in usable if probe.duration is not None]
    return SplitFacts(
        samples=len(samples),
        clips=len(probes),
        lost=len(probes) - len(usable),
        without_sound=sum(probe.silent or not probe.has_sound for probe in usable),
        without_pictures=sum(not probe.has_video for probe in usable),
        shortest=min(lengths, default=None),
        median=median_length(usable),
        longest=max(lengths, default=None),
        tokens=tokens,
        answers=answers,
    )

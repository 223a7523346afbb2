"""How often what is to be predicted comes, and targets that cannot be learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lstta_tasks.answers.kind import OUTSIDE_NAME, AnswerKind
from lstta_tasks.doctor.finding import Finding, Level
from lstta_tasks.sample import Sample, Split

IMBALANCE = 0.9  # the share of one class from which it is told
Balance = dict[Split, Counter[str]]


def check_targets(answer: AnswerKind, samples: Mapping[Split, Sequence[Sample]]) -> tuple[Balance, list[Finding]]:
    """How often each target comes in each split, by the names that the kind of answer has for them; and bad targets.

    Counts are empty where targets have no names, as in a ranking. A target is bad that the kind of answer refuses, or
    that the vocabulary lacks.
    """
    counts: Balance = {split: Counter() for split in samples}
    findings = []
    for split, some in samples.items():
        for sample in some:
            try:
                names = answer.names(sample.target)
            except ValueError as error:
                findings.append(Finding("error", "target", split, sample.id, str(error)))
                continue
            counts[split].update(names)
            if OUTSIDE_NAME in names:
                detail = f"{', '.join(sample.labels)}: nothing is learnt from it, and it counts as wrong"
                findings.append(Finding("warning", "outside the vocabulary", split, sample.id, detail))
    return counts, findings


def check_balance(
    samples: Mapping[Split, Sequence[Sample]], counts: Balance, segments: int | None = None
) -> Iterator[Finding]:
    """Names that train lacks, and lopsided splits.

    Args:
        samples: by split.
        counts: of :func:`check_targets`.
        segments: how many classes a sample has one after the other, where it is not one or some at once.
    """
    for split, count in counts.items():
        yield from _lopsided(split, len(samples[split]) * (segments or 1), count)
        if "train" in counts:
            for name in sorted(set(count) - set(counts["train"]) - {OUTSIDE_NAME}):
                detail = f"{name!r} comes {count[name]} times in {split} and never in train"
                yield Finding("warning", "not in train", split, "", detail)


def _lopsided(split: Split, samples: int, count: Counter[str]) -> Iterator[Finding]:
    if not count:
        return
    name, most = count.most_common(1)[0]
    if len(count) == 1:
        level: Level = "error" if split == "train" or name == OUTSIDE_NAME else "warning"
        yield Finding(level, "one class", split, "", f"all {most} samples are {name!r}")
    elif most > IMBALANCE * samples:
        yield Finding("warning", "imbalance", split, "", f"{most} of {samples} samples are {name!r}")

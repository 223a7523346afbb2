"""Features that are missing, of another width, not finite, or that do not fit their clips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tqdm import tqdm

from lstta_core.features import FeatureError, Features
from lstta_core.interfaces import TIMED, FeatureSpec, Modality
from lstta_tasks.data.features import features_of, name_of, parts_of
from lstta_tasks.doctor.clips import LOST, SHORT_OF
from lstta_tasks.doctor.finding import Finding, Level
from lstta_tasks.doctor.probe import Probe
from lstta_tasks.sample import Sample, Split


def probe_features(specs: Mapping[Modality, FeatureSpec], samples: Iterable[Sample]) -> dict[str, Probe]:
    """By clip id, what a clip is like of which there are features alone: how long, and which of its modalities.

    Files that cannot be opened have no features here; :func:`check_features` names them.
    """
    probes: dict[str, Probe] = {}
    for sample in samples:
        if sample.source.id in probes:
            continue
        there = {m: spec for m, spec in specs.items() if _has(spec, sample)}
        try:
            ends = [one.end for one in features_of(there, sample).values()]
        except FeatureError:
            ends = []
        source = sample.source
        length = max([end for end in ends if end is not None], default=None)
        probes[source.id] = Probe(
            duration=length if source.end is None else source.end - (source.start or 0.0),
            has_video=Modality.VISUAL in there,
            has_sound=Modality.AUDIO in there,
            missing=None if there else "no file has features of it",
        )
    return probes


def check_features(
    split: Split, samples: Sequence[Sample], specs: Mapping[Modality, FeatureSpec], segments: int
) -> Iterator[Finding]:
    """What is wrong with the features of a split, by file and key.

    Args:
        split: whose.
        samples: of the split.
        specs: of the encoders that read features.
        segments: T.
    """
    for m, spec in specs.items():
        by_name: dict[str, Sample] = {}
        for sample in samples:
            by_name.setdefault(name_of(spec, sample), sample)
        try:
            there = spec.source.names()
        except (FeatureError, OSError) as error:
            yield Finding("error", "no features", split, "", f"encoders.{m}: {error}")
            continue
        lacking = [name for name in by_name if name not in there]
        level: Level = "error" if len(lacking) > LOST * len(by_name) else "warning"
        for name in lacking:
            yield Finding(level, "no features", split, by_name[name].id, f"{spec.source.place}, {name!r}: not in it")
        for name in tqdm([name for name in by_name if name in there], desc=str(m), unit="id", delay=2, disable=None):
            sample = by_name[name]
            try:
                features = features_of({m: spec}, sample)[m]
            except FeatureError as error:
                yield Finding("error", "bad features", split, sample.id, f"encoders.{m}: {error}")
                continue
            for check, detail in _oddities(features, sample, segments if m in TIMED else 1):
                place = f"{spec.source.place}, {name!r}"
                yield Finding("warning", check, split, sample.id, f"encoders.{m}: {place}: {detail}")


def _oddities(features: Features, sample: Sample, segments: int) -> Iterator[tuple[str, str]]:
    steps, source = len(features.values), sample.source
    if not steps:
        yield "no features", "an array without rows"
        return
    length = None if source.end is None else source.end - (source.start or 0.0)
    duration = length or features.end or 1.0
    empty = sum(not len(part) for part in parts_of(features, segments, duration))
    if length is not None and features.end is not None and abs(features.end - length) > SHORT_OF:
        yield "other length", f"its steps end at {features.end:.2f} s, the clip at {length:.2f} s"
    if empty:
        yield "empty segments", f"{empty} of {segments} segments have no step of its {steps}"
    elif steps < segments:
        yield "few steps", f"{steps} steps for {segments} segments: some segments share one"


def _has(spec: FeatureSpec, sample: Sample) -> bool:
    try:
        return name_of(spec, sample) in spec.source.names()
    except (FeatureError, OSError):
        return False

"""What a trained model loses where a modality is missing at test: the same split, with sight, sound or words away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lstta_core.interfaces import Modality
from lstta_tasks.data.batch import Batch
from lstta_tasks.data.clip import Clip
from lstta_tasks.data.lacking import lacking
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.refusals import nearest

CALLED = {Modality.VISUAL: "sight", Modality.AUDIO: "sound", Modality.LANGUAGE: "words"}
"""As in studies' tables: 'without sound'."""
JOINED = "+"


@dataclass(frozen=True)
class Lacking:
    """A collation of items as if their files lacked some modalities; for clips and for cached states.

    Attributes:
        collate: of the experiment.
        modalities: that are missing.
    """

    collate: Callable[[Sequence[Any]], Batch]
    modalities: tuple[Modality, ...]

    def __call__(self, items: Sequence[tuple[Any, Any]]) -> Batch:
        return self.collate([self._item(*item) for item in items])

    def _item(self, sample: Any, read: Any) -> tuple[Any, Any]:
        if isinstance(read, Clip):
            for m in self.modalities:
                sample, read = lacking(sample, read, m)
            return sample, read
        gone = {m: [stored._replace(present=False) for stored in read[m]] for m in self.modalities if m in read}
        return sample, read | gone


def parse(names: Sequence[str], has: Sequence[Modality]) -> dict[str, tuple[Modality, ...]]:
    """What each of these is without, by what that is called: ``["audio", "visual+audio"]``.

    Args:
        names: modalities, each or several joined by ``+``.
        has: those of the model.

    Raises:
        ValueError: no modality of the model, or all of them.
    """
    found: dict[str, tuple[Modality, ...]] = {}
    for name in names:
        parts = list(dict.fromkeys(name.split(JOINED)))
        for part in parts:
            if part not in tuple(has):
                raise ValueError(f"--without {name}: the model has no {part!r}{nearest(part, map(str, has))}")
        if len(parts) == len(has):
            raise ValueError(f"--without {name}: nothing would be left of the model's {', '.join(has)}")
        gone = tuple(Modality(part) for part in parts)
        found["without " + " and ".join(CALLED[m] for m in gone)] = gone
    return found


@contextmanager
def missing(experiment: Experiment, modalities: tuple[Modality, ...]) -> Iterator[None]:
    """Have the experiment's loaders, of a second pass too, give batches that lack these."""
    whole = experiment.collate
    experiment.collate = Lacking(whole, modalities)  # type: ignore[assignment]
    try:
        yield
    finally:
        experiment.collate = whole


def print_losses(scores: Sequence[Mapping[str, Any]], without: Mapping[str, Mapping[str, float]], primary: str) -> None:
    """A table: each score of the whole, and what it is without a modality and how much that differs.

    Args:
        scores: of the whole.
        without: the values by name, for each column.
        primary: the name of the score to stress.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lstta_tasks.escaped import escaped

    table = Table(title="what is lost where a modality is missing at test", box=SIMPLE_HEAD)
    for name in ("", "all", *without):
        table.add_column(name, justify="right" if name else "left", no_wrap=not name)
    for score in scores:
        value, name = score["value"], score["name"]
        cells = [f"{of[name]:.4f} ({of[name] - value:+.4f})" if name in of else "" for of in without.values()]
        row = (escaped(name), f"{value:.4f}", *cells)
        table.add_row(*map(Text, row), style="bold" if name == primary else None)
    Console().print(table)

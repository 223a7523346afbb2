"""What captions of the built-in clips say: where, who stands where, who is heard in which order, and a voice.

The built-in sentences are made of a few forms, so what they say can be read off them; captions of public data cannot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

POSITIONS = ("left", "middle", "right")
NAMED = re.compile(rf"\ban? (?:unseen )?(\w+)|\bthe (?!{'|'.join(POSITIONS)}\b)(\w+)")
STANDS = re.compile(rf" (?:in|on) the ({'|'.join(POSITIONS)})\b")
PLACE = re.compile(r"\b(indoors|outdoors)\b")
SILENT, SPOKEN = re.compile(r"\b(nobody speaks|without a voice)\b"), re.compile(r"\b(a voice|somebody) speaks\b")


@dataclass(frozen=True)
class Slots:
    """What a caption says.

    Attributes:
        place: ``"indoors"`` or ``"outdoors"``; "" where it says neither.
        where: kinds of instruments that are seen, each with the place where it stands; "" where it says none.
        order: kinds that are heard, in the order in which they come in.
        voice: whether a voice speaks; None where it does not say.
    """

    place: str
    where: tuple[tuple[str, str], ...]
    order: tuple[str, ...]
    voice: bool | None

    @property
    def parts(self) -> dict[str, object]:
        """What can be right or wrong, by name."""
        return {
            "place": self.place,
            "seen": sorted(kind for kind, _ in self.where),
            "where": sorted(self.where),
            "heard": sorted(self.order),
            "order": self.order,
            "voice": self.voice,
        }


def slots(caption: str) -> Slots:
    """What a caption says; of what it has no form for, nothing."""
    clauses = [re.sub(r"\s+", " ", clause.strip().lower()) for clause in caption.split(";")]
    sight = " ".join(clause for clause in clauses if PLACE.search(clause))
    sound = " ".join(clause for clause in clauses if not PLACE.search(clause))
    place = PLACE.search(sight)
    voice = None if not (silent := SILENT.search(sound)) and not SPOKEN.search(sound) else silent is None
    return Slots(place[1] if place else "", tuple(_seen(sight)), _order(sound), voice)


def slot_scores(texts: Sequence[str], answers: Sequence[Sequence[str]]) -> dict[str, float]:
    """The shares of texts that say exactly what the first answer says, by slot and of all slots together."""
    pairs = [(slots(text).parts, slots(right[0]).parts) for text, right in zip(texts, answers, strict=True)]
    names = list(pairs[0][1])
    hits = {name: sum(said[name] == right[name] for said, right in pairs) for name in names}
    hits["all"] = sum(said == right for said, right in pairs)
    return {f"slots/{name}": count / len(pairs) for name, count in hits.items()}


def _seen(sight: str) -> list[tuple[str, str]]:
    """Kinds, and where each stands: what is said right behind it."""
    seen = []
    for mention in NAMED.finditer(sight):
        stands = STANDS.match(sight, mention.end())
        seen.append((mention[1] or mention[2], stands[1] if stands else ""))
    return seen


def _order(sound: str) -> tuple[str, ...]:
    """Kinds in the order in which they come in, which is that of the words but for 'y comes in after x'."""
    kinds = [mention[1] or mention[2] for mention in NAMED.finditer(sound)]
    kinds = [kind for kind in kinds if kind != "voice"]
    if "comes in after" in sound:
        kinds[:2] = reversed(kinds[:2])
    return tuple(kinds)

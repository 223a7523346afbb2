"""Records as a stranger might have made them: seeded changes of what JSON says, and of bytes."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 2**31, 10**12, 2**63, 10**30, 0.5, -1e308, 1e308, float("nan"), float("inf")),
    *("", "x", "../../../etc/passwd", "/dev/zero", "\x1b[2J\x07", "\u202egpj", "os:system", "x" * 70_000, "\ud800"),
    *([], {}, [[]], [0] * 5_000, {"": {}}, [1e30], ["a", None], {"name": "lstta", "type": "os:system"}),
)
KEYS = (
    "type",
    "root",
    "path",
    "compile",
    "budget",
    "width",
    "heads",
    "extra",
    "name",
    "_target_",
    "",
    "a.b",
    "\x1b[2J",
)


def mutated(value: Any, seed: int) -> Any:
    """A copy of a value of JSON, or of the like with tensors in it, with one to three changes."""
    chance = random.Random(seed)
    changed = [copy.deepcopy(value)]  # in a list, so that all of it may be replaced too
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _change(changed, chance)
    return changed[0]


def mutated_json(value: Any, seed: int) -> bytes:
    """The same as bytes of JSON; every third as bytes that were changed themselves."""
    if seed % 3:
        return json.dumps(mutated(value, seed)).encode()
    return mutated_bytes(json.dumps(value).encode(), seed)


def mutated_bytes(data: bytes, seed: int) -> bytes:
    """Bytes with a few of them changed, taken out, doubled, or the end cut off."""
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 9))):
        at, length = chance.randrange(len(changed) + 1), chance.choice((1, 2, 17))
        part = changed[at : at + length]
        new = (chance.randbytes(len(part)), b"", part * 2, b"9" * 12, b"[" * 5_000, bytes(part[::-1]))
        changed[at : at + length] = chance.choice(new)
        if chance.random() < 0.1:
            del changed[chance.randrange(len(changed) + 1) :]
    return bytes(changed)


def _change(whole: list[Any], chance: random.Random) -> None:
    holder, key = chance.choice(_places(whole))
    kinds = ["value", "value", "value", "larger", "delete", "add", "swap"]
    kind = chance.choice(kinds)
    here = holder[key]
    if kind == "delete" and holder is not whole:
        del holder[key]
    elif kind == "add" and isinstance(here, dict):
        here[chance.choice(KEYS)] = copy.deepcopy(chance.choice(VALUES))
    elif kind == "swap":
        other, place = chance.choice(_places(whole))
        holder[key] = copy.deepcopy(other[place])
    elif kind == "larger" and type(here) in (int, float, str, list):
        holder[key] = here * chance.choice((-1, 2, 1_000))
    else:
        holder[key] = copy.deepcopy(chance.choice(VALUES))


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = []
    for key in keys:
        found += [(value, key), *_places(value[key])]
    return found

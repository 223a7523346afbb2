"""Encoders whose weights, or files of features, lie elsewhere than an adapter's record or a config says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WHERE = ("model", "path")
"""The options of encoders that say where their weights or their features are."""
OPTION = "--encoder"


def moved_to(encoders: Mapping[str, Mapping[str, Any]], places: Mapping[str, str], place: object) -> dict[str, Any]:
    """The encoders of a record or a config, with other places of some.

    Their digests are compared as ever: other weights are refused.

    Args:
        encoders: settings by modality.
        places: by modality, a folder, a file or a hub id.
        place: the record or the config, for messages.

    Raises:
        ValueError: there is no such encoder, or it lies in no place of its own.
    """
    changed: dict[str, Any] = {str(m): settings for m, settings in encoders.items()}
    for modality, where in places.items():
        if modality not in changed:
            raise ValueError(f"{OPTION} {modality}=…: {place} has encoders of {', '.join(changed)}")
        option = next((name for name in WHERE if name in changed[modality]), None)
        if option is None:
            raise ValueError(
                f"{OPTION} {modality}=…: {place}: the encoder {changed[modality].get('name')!r} has none of the "
                f"options {', '.join(WHERE)}: it comes with its package"
            )
        changed[modality] = {**changed[modality], option: where}
    return changed


def places_of(pairs: Sequence[str]) -> dict[str, str]:
    """``["visual=models/dinov2"]`` by modality.

    Raises:
        ValueError: a pair is none, or a modality comes twice.
    """
    places: dict[str, str] = {}
    for pair in pairs:
        modality, equals, where = pair.partition("=")
        if not equals or not where:
            raise ValueError(f"{OPTION} wants MODALITY=PLACE, such as visual=models/dinov2-small, got {pair!r}")
        if modality in places:
            raise ValueError(f"{OPTION} {modality}=… is given twice: {places[modality]} and {where}")
        places[modality] = where
    return places

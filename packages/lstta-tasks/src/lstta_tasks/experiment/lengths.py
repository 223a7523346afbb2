"""What an encoder hears, from what the config's clips hold: no encoder is made for longer sound than there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstta_tasks.experiment.factories import arguments, factory_of

LENGTHS = ("segments", "sound_seconds")
SAID = "seconds"
"""The argument with which a config says the whole length itself."""


def lengths_for(section: str, settings: Mapping[str, Any], clips: Mapping[str, Any]) -> dict[str, Any]:
    """Those :data:`LENGTHS` of the clips that an encoder's factory takes and its settings do not say.

    Args:
        section: the encoder's place in the config.
        settings: what stands there.
        clips: the section of that name.

    Raises:
        ValueError, UnknownNameError: see :func:`~lstta_tasks.experiment.factories.factory_of`.
    """
    if isinstance(settings, Mapping) and SAID in settings:
        return {}
    takes, _ = arguments(factory_of("encoder", section, settings))
    return {key: clips[key] for key in LENGTHS if key in takes and key in clips and key not in settings}

"""What a film can show."""

from __future__ import annotations

from lstta_world.event_clips import EventClip
from lstta_world.film import Film
from lstta_world.moment_clips import Moments
from lstta_world.scene import Scene

Shown = Scene | Film | Moments | EventClip

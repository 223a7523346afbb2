"""No adapter at all: only the readout trains (late fusion of the frozen encoders)."""

from __future__ import annotations

from lstta_core.interfaces import Method


class NoAdapter(Method):
    """Trains nothing in the model, which leaves the readout and the head."""

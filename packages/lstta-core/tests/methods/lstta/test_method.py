"""What the method makes of its options, at every stage."""

from __future__ import annotations

from lstta_core import LSTTA
from lstta_core.interfaces import Modality, Stage
from lstta_core.methods.lstta.adapter import LSTTAAdapter

V, A, L = Modality.VISUAL, Modality.AUDIO, Modality.LANGUAGE
WIDTHS = {V: 5, A: 7, L: 13}


def test_method_places_what_it_was_told() -> None:
    method = LSTTA(width=6, heads=2, latents=3, window=5, dropout=0.1)
    adapter = method.adapter(Stage(index=2, count=3, widths={V: 5, A: 7}))
    assert isinstance(adapter, LSTTAAdapter)
    assert adapter.down[V].weight.shape == (6, 5)
    assert adapter.up[A].weight.shape == (7, 6)
    assert adapter.dropout.p == 0.1
    assert adapter.short_term is not None
    assert adapter.short_term.window == 5
    assert adapter.short_term.latents.shape == (2 * 3, 6)
    assert adapter.long_term is not None
    assert adapter.long_term.importance is None, "nothing reads importances before the last stage"
    last = method.adapter(Stage(index=3, count=3, widths={V: 5, A: 7}))
    assert isinstance(last, LSTTAAdapter)
    assert last.long_term is not None
    assert last.long_term.importance is not None


# What does not fit

"""Colours that people of all kinds of colour vision tell apart (Okabe and Ito 2008), and the words beside them."""

from __future__ import annotations

from lstta_core.interfaces import Modality
from lstta_tasks.explain.explanation import STANDS_OUT

COLOURS = {Modality.VISUAL: "#0072B2", Modality.AUDIO: "#C4510A"}
"""On a light ground; the second is darkened to be readable as text."""
DARK_COLOURS = {Modality.VISUAL: "#56B4E9", Modality.AUDIO: "#F0A04B"}
NAMES = {Modality.VISUAL: "sight", Modality.AUDIO: "sound"}
DASHES = {Modality.VISUAL: "", Modality.AUDIO: "5 3"}
"""Lengths of dash and gap; lines are told apart without colours too."""
SPECTROGRAM = "cividis"

IMPORTANCE = (
    "Importance: g of the last adapter, divided by its mean over the clip. Its scale is free (log g is a bias on a "
    "softmax), so only ratios within a clip mean something."
)
ATTENTION = (
    "Attention: which part of the readout's weights a segment has, in the mean of its heads; dotted, an even share. "
    f"The segment with most is outlined where it has {STANDS_OUT:g} times an even share of those that hold anything. "
    "It says what was read, not what changed the answer."
)
LISTENED = (
    "The darker, the more of what the adapters heard when they said the word came from there; the darkest is the most "
    "of this answer. What the language model makes of its own earlier words is not in it."
)

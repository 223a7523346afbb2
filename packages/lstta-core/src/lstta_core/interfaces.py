"""The contracts: modality, stream, encoder, adapter, method. Everything else in the system is written against these.

Shape legend, used in all of core:

    B  clips in the batch            T  segments of a clip (video and sound)
    S  segments of a stream (T, or 1 for a text that belongs to the whole clip)
    N  tokens of one segment         D  width of an encoder's tokens
    R  rows an encoder works on (clips, segments or frames: its own choice)
    M  tokens of one row, class and padding tokens included
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from lstta_core.adapter import Adapter as Adapter
from lstta_core.adapter import AdapterOutput as AdapterOutput
from lstta_core.adapter import Size as Size
from lstta_core.adapter import Stage as Stage
from lstta_core.encoder import AudioSpec as AudioSpec
from lstta_core.encoder import Encoder as Encoder
from lstta_core.encoder import FeatureSpec as FeatureSpec
from lstta_core.encoder import InputSpec as InputSpec
from lstta_core.encoder import LanguageSpec as LanguageSpec
from lstta_core.encoder import VisualSpec as VisualSpec
from lstta_core.method import EncoderChange as EncoderChange
from lstta_core.method import Method as Method
from lstta_core.modality import TIMED as TIMED
from lstta_core.modality import Modality as Modality
from lstta_core.streams import EncoderState as EncoderState
from lstta_core.streams import Stream as Stream
from lstta_core.streams import Streams as Streams
from lstta_core.streams import check_streams as check_streams

Inputs = Mapping[Modality, Mapping[str, Any]]
"""By modality, ``present`` and the tensors that its encoder's spec asks for; or ``state`` in place of those, as
:meth:`~lstta_core.lockstep.TrimodalModel.prefix` gives it."""


@dataclass(frozen=True)
class TrimodalOutput:
    """What the lockstep model gives.

    Attributes:
        streams: the encoders' finished tokens, by modality.
        importances: one entry an adapted stage that has them, first stage first: (B, T) for each modality.
        states: the encoders' states after the last stage, where an answer is to go on from them; else empty.
    """

    streams: Streams
    importances: list[Mapping[Modality, Tensor]]
    states: Mapping[Modality, EncoderState] = field(default_factory=dict)

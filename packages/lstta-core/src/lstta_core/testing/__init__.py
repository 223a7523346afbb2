"""Conformance suites: what every encoder, adapter and method must keep, for the tests of whoever writes one.

Under pytest, inherit in a class whose name starts with ``Test``:

    class TestMyEncoder(EncoderConformance):
        def make_encoder(self) -> Encoder:
            return MyEncoder()

Without pytest, ``run_checks(MyEncoder())`` gives the same checks as a list of results.
"""

from __future__ import annotations

from lstta_core.testing.adapter_suite import AdapterConformance
from lstta_core.testing.encoder_suite import EncoderConformance
from lstta_core.testing.inputs import synthetic_inputs, synthetic_streams
from lstta_core.testing.method_suite import MethodConformance
from lstta_core.testing.run import run_checks
from lstta_core.testing.speaker_suite import SpeakerConformance
from lstta_core.testing.suite import CheckResult, Conformance
from lstta_core.testing.toy_encoders import ToyAudio, ToyLanguage, ToyVisual, toy_encoders
from lstta_core.testing.toy_speaker import ToySpeaker, toy_encoders_that_speak

__all__ = [
    "AdapterConformance",
    "CheckResult",
    "Conformance",
    "EncoderConformance",
    "MethodConformance",
    "SpeakerConformance",
    "ToyAudio",
    "ToyLanguage",
    "ToySpeaker",
    "ToyVisual",
    "run_checks",
    "synthetic_inputs",
    "synthetic_streams",
    "toy_encoders",
    "toy_encoders_that_speak",
]

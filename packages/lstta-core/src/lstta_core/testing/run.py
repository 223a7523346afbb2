"""The suites without pytest: for a command line, or a notebook."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from lstta_core.interfaces import Adapter, Encoder, Method, Modality, Stage
from lstta_core.speaking import SpeakingEncoder
from lstta_core.testing.adapter_suite import WIDTHS, AdapterConformance
from lstta_core.testing.encoder_suite import EncoderConformance
from lstta_core.testing.method_suite import MethodConformance
from lstta_core.testing.speaker_suite import SpeakerConformance
from lstta_core.testing.suite import CheckResult, Conformance


def run_checks(subject: Encoder | Method | Conformance) -> list[CheckResult]:
    """Every check of an encoder, of a method and its adapter, or of a suite that somebody wrote.

    Args:
        subject: an encoder (its weights stay as they are), a method, or an instance of a suite.

    Returns:
        One result a check; see :class:`~lstta_core.testing.suite.CheckResult`.
    """
    if isinstance(subject, Conformance):
        return subject.run()
    if isinstance(subject, Encoder):
        return _encoder_suite(subject).run()
    results = _method_suite(subject).run()
    if subject.adapter(Stage(index=1, count=1, widths=WIDTHS)) is not None:
        results += _adapter_suite(subject).run()
    return results


def _encoder_suite(encoder: Encoder) -> EncoderConformance:
    suite = SpeakerConformance if isinstance(encoder, SpeakingEncoder) else EncoderConformance

    class Given(suite):  # type: ignore[valid-type, misc]
        def make_encoder(self) -> Encoder:
            return copy.deepcopy(encoder)

    return Given()


def _method_suite(method: Method) -> MethodConformance:
    class Given(MethodConformance):
        def make_method(self) -> Method:
            return method

    return Given()


def _adapter_suite(method: Method) -> AdapterConformance:
    class Given(AdapterConformance):
        def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
            adapter = method.adapter(Stage(index=1, count=1 if last else 2, widths=widths))
            assert adapter is not None
            return adapter

    return Given()

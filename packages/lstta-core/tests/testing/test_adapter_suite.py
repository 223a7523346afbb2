"""The suite passes on LSTTA, and each of its checks fails on an adapter that breaks what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from lstta_core.interfaces import Adapter, AdapterOutput, Modality, Stream, Streams
from lstta_core.methods.lstta.adapter import LSTTAAdapter
from lstta_core.testing import AdapterConformance


class TestLSTTA(AdapterConformance):
    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return LSTTAAdapter(widths=widths, width=6, heads=3, last=last)


class TestLongTermAlone(AdapterConformance):
    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return LSTTAAdapter(widths=widths, width=6, heads=2, short_term=False, last=last)


class TestShortTermAlone(AdapterConformance):
    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return LSTTAAdapter(widths=widths, width=6, heads=2, long_term=False, last=last)


class Good(Adapter):
    """A scale for each modality; subclasses break it."""

    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__()
        self.scale = nn.ParameterDict({m: nn.Parameter(torch.zeros(width)) for m, width in widths.items()})

    def forward(self, streams: Streams) -> AdapterOutput:
        return AdapterOutput(
            {
                m: s.with_tokens(s.tokens + (s.tokens * self.scale[m]).masked_fill(~s.mask[..., None], 0))
                for m, s in streams.items()
            }
        )


class TestGood(AdapterConformance):
    def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
        return Good(widths)


def _with(output: AdapterOutput, streams: Streams) -> AdapterOutput:
    return replace(output, streams=streams)


class NotIdentity(Good):
    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__(widths)
        for scale in self.scale.values():
            nn.init.constant_(scale, 1e-3)


class NotIdentityInTraining(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        if self.training:
            streams = {m: s.with_tokens(s.tokens * 1.5) for m, s in streams.items()}
        return super().forward(streams)


class OtherMask(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        out = super().forward(streams).streams
        return AdapterOutput({m: replace(s, mask=torch.ones_like(s.mask)) for m, s in out.items()})


class WildImportances(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        importance = -streams[Modality.VISUAL].tokens.mean((2, 3)).exp()
        return replace(super().forward(streams), importances={Modality.VISUAL: importance})


class InPlace(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        out = super().forward(streams)
        with torch.no_grad():
            for m, stream in streams.items():
                stream.tokens.add_(self.scale[m])
        return out


class ChangesMasked(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        return AdapterOutput({m: s.with_tokens(s.tokens * (1 + self.scale[m])) for m, s in streams.items()})


class DoesNothing(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        return AdapterOutput({m: s.with_tokens(s.tokens + 0 * self.scale[m]) for m, s in streams.items()})


class ReadsPadding(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        out = {}
        for m, s in streams.items():
            mean = s.tokens.mean(2, keepdim=True)
            out[m] = s.with_tokens(s.tokens + (mean * self.scale[m]).masked_fill(~s.mask[..., None], 0))
        return AdapterOutput(out)


class CountsPadding(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        out = {}
        for m, s in streams.items():
            part = (s.tokens * self.scale[m] / s.tokens.shape[2]).masked_fill(~s.mask[..., None], 0)
            out[m] = s.with_tokens(s.tokens + part)
        return AdapterOutput(out)


class MixesClips(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        out = {}
        for m, s in streams.items():
            first = s.tokens[:1, :1, :1]
            out[m] = s.with_tokens(s.tokens + (first * self.scale[m]).masked_fill(~s.mask[..., None], 0))
        return AdapterOutput(out)


class DeadParameter(Good):
    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__(widths)
        self.dead = nn.Parameter(torch.zeros(3))


class NotANumber(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        out = {}
        for m, s in streams.items():
            count = s.mask.sum((1, 2))[:, None, None, None]
            part = torch.where(s.mask[..., None], s.tokens * self.scale[m] / count, 0)
            out[m] = s.with_tokens(s.tokens + part)
        return AdapterOutput(out)


class InfiniteWhereAbsent(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        seen = torch.stack([s.mask.sum((1, 2)) for s in streams.values()]).amin(0)[:, None, None, None]
        out = super().forward(streams).streams
        return AdapterOutput({m: s.with_tokens(s.tokens + (s.tokens.detach() / seen) * 0) for m, s in out.items()})


class HiddenState(Good):
    def __init__(self, widths: Mapping[Modality, int]) -> None:
        super().__init__(widths)
        self.hidden = torch.rand(()).item()

    def forward(self, streams: Streams) -> AdapterOutput:
        out = super().forward(streams).streams
        blend = {m: streams[m].tokens + self.hidden * (s.tokens - streams[m].tokens) for m, s in out.items()}
        return AdapterOutput({m: s.with_tokens(blend[m]) for m, s in out.items()})


class NeedsAll(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        assert set(streams) == set(Modality)
        return super().forward(streams)


class ReadsAnswers(Good):
    def forward(self, streams: Streams) -> AdapterOutput:
        out = super().forward(streams)
        text = streams.get(Modality.LANGUAGE)
        if text is None or text.answer is None:
            return out
        said = (text.tokens * text.answer[..., None]).sum((1, 2, 3))[:, None, None, None] * self.scale["visual"]
        sight = out.streams[Modality.VISUAL]
        after = sight.tokens + said.masked_fill(~sight.mask[..., None], 0)
        return _with(out, {**out.streams, Modality.VISUAL: sight.with_tokens(after)})


class SpeaksOtherwise(Good):
    def speak(self, stream: Stream, heard: Streams) -> Stream:
        return stream.with_tokens(stream.tokens + 1)


class ListensToMoreThanThereIs(Good):
    def listened(self, text: Stream, heard: Streams) -> Mapping[Modality, Tensor]:
        segments = heard[Modality.VISUAL].tokens.shape[1]
        return {Modality.VISUAL: torch.ones(len(text.tokens), text.tokens.shape[2], segments)}


BROKEN: dict[type[Good], str] = {
    NotIdentity: "test_fresh_adapter_is_the_identity",
    NotIdentityInTraining: "test_fresh_adapter_is_the_identity_in_train_mode",
    OtherMask: "test_shapes_and_masks_are_kept",
    WildImportances: "test_importances_are_in_range",
    InPlace: "test_streams_stay_as_they_are",
    ChangesMasked: "test_masked_tokens_are_left_alone",
    DoesNothing: "test_awake_adapter_does_something",
    ReadsPadding: "test_content_of_padding_does_not_matter",
    CountsPadding: "test_amount_of_padding_does_not_matter",
    MixesClips: "test_clips_do_not_see_each_other",
    DeadParameter: "test_gradients_reach_every_parameter",
    NotANumber: "test_gradients_are_finite_where_nothing_is_seen",
    InfiniteWhereAbsent: "test_absent_clips_work",
    HiddenState: "test_state_dict_holds_everything",
    NeedsAll: "test_missing_modalities_work_or_are_refused",
    ReadsAnswers: "test_an_answer_is_read_by_nobody",
    SpeaksOtherwise: "test_an_answer_may_come_later",
    ListensToMoreThanThereIs: "test_what_is_listened_to_adds_up",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)
def test_broken_adapter_fails_its_check(broken: type[Good]) -> None:
    class Suite(AdapterConformance):
        def make_adapter(self, widths: Mapping[Modality, int], *, last: bool) -> Adapter:
            return broken(widths)

    results = {result.name: result for result in Suite().run()}
    order = ["test_order_of_the_batch_does_not_matter"] if broken is MixesClips else []
    assert [name for name, result in results.items() if not result.passed] == [BROKEN[broken], *order]


def test_every_check_has_an_adapter_that_breaks_it() -> None:
    checks = {name for name in dir(AdapterConformance) if name.startswith("test_")}
    assert checks == set(BROKEN.values()) | {"test_order_of_the_batch_does_not_matter"}

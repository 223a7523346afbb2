from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lstta_core.interfaces import EncoderChange, Method, Modality, Stage, Stream, Streams, check_streams
from lstta_core.testing import ToyAudio, synthetic_streams

V, A = Modality.VISUAL, Modality.AUDIO


@pytest.fixture
def streams() -> Streams:
    return synthetic_streams({V: 5, A: 7})


def test_streams_that_fit_pass(streams: Streams) -> None:
    check_streams(streams)
    check_streams({})


def test_misfits_are_named_with_both_values(streams: Streams) -> None:
    sound = streams[A]
    with pytest.raises(ValueError, match=r"the streams differ in batch size: {.*visual.*: 3, .*audio.*: 2}"):
        check_streams({**streams, A: Stream(sound.tokens[:2], sound.mask[:2], sound.present[:2])})
    with pytest.raises(ValueError, match=r"audio mask must have shape \(3, 5, 3\), got \(3, 5, 2\)"):
        check_streams({**streams, A: replace(sound, mask=sound.mask[..., :2])})
    with pytest.raises(ValueError, match=r"audio present must have shape \(3,\), got \(3, 1\)"):
        check_streams({**streams, A: replace(sound, present=sound.present[:, None])})
    with pytest.raises(ValueError, match="audio mask and present must be bool"):
        check_streams({**streams, A: replace(sound, mask=sound.mask.float())})


def test_other_tokens_keep_mask_and_presence(streams: Streams) -> None:
    stream = streams[V]
    other = stream.with_tokens(stream.tokens + 1)
    assert torch.equal(other.tokens, stream.tokens + 1)
    assert other.mask is stream.mask
    assert other.present is stream.present
    with pytest.raises(ValueError, match=r"it was \(3, 5, 7, 5\), it would become \(3, 5, 6, 5\)"):
        stream.with_tokens(stream.tokens[:, :, 1:])


def test_depth_is_the_number_of_widths() -> None:
    assert ToyAudio().depth == 3


def test_a_method_that_overrides_nothing_changes_nothing() -> None:
    method = Method()
    encoder = ToyAudio()
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    change = method.prepare({A: encoder})
    change.switch(True)
    change.switch(False)
    assert change == EncoderChange()
    assert (change.trainable, change.modules, method.size) == ((), (), None)
    assert method.adapter(Stage(index=1, count=1, widths={A: 5})) is None
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.state_dict().items())

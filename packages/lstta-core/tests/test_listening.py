"""To what an answer listened: against weights written out, and which place belongs to which token."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lstta_core.interfaces import Method, Modality
from lstta_core.listening import listened
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.bottleneck import Bottleneck
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.methods.lstta.attention import Attention
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.toy_speaker import toy_encoders_that_speak

ANSWERS = ((3, 4, 5, 6, 7), (8, 9), ())


def adapted(method: Method) -> tuple[TrimodalModel, dict[Modality, dict[str, Tensor]]]:
    torch.manual_seed(0)
    model = TrimodalModel(toy_encoders_that_speak())
    model.add_adapter("some", method)
    for parameter in model.trainable_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model.eval(), {m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()}


def test_weights_are_those_of_the_attention() -> None:
    torch.manual_seed(0)
    attention = Attention(width=5, heads=1)
    queries, keys, bias = torch.randn(2, 3, 5), torch.randn(2, 7, 5), torch.randn(2, 1, 1, 7)
    key_values = attention.key_value(keys)
    weights = attention.weights(queries, key_values, bias)
    torch.testing.assert_close(attention.out(weights @ key_values[..., 5:]), attention(queries, key_values, bias))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))


def test_each_token_has_what_was_heard_before_it() -> None:
    model, inputs = adapted(LSTTA(width=5))
    whole = listened(model, inputs, ANSWERS)
    for answer, shares in zip(ANSWERS, whole, strict=True):
        assert {m: tuple(share.shape) for m, share in shares.items()} == {
            m: (len(answer), 5) for m in (Modality.VISUAL, Modality.AUDIO)
        }
        total = torch.stack([share.sum(-1) for share in shares.values()]).sum(0)
        torch.testing.assert_close(total, torch.ones(len(answer)))
    # What follows a token, and the token itself, change nothing of what it listened to; what stands before it does.
    other = listened(model, inputs, ((3, 4, 15, 16), (9, 9), (2,)))
    for m, share in whole[0].items():
        torch.testing.assert_close(other[0][m][:3], share[:3])
        assert not torch.allclose(other[0][m][3], share[3])
        torch.testing.assert_close(other[1][m][0], whole[1][m][0])
        assert not torch.allclose(other[1][m][1], whole[1][m][1])


def test_what_a_clip_lacks_is_not_listened_to() -> None:
    model, inputs = adapted(LSTTA(width=5))
    inputs[Modality.AUDIO]["present"][:] = False
    inputs[Modality.VISUAL]["present"][1] = False
    one, two, _ = listened(model, inputs, ((3, 4), (5,), ()))
    assert one[Modality.AUDIO].sum() == 0
    torch.testing.assert_close(one[Modality.VISUAL].sum(-1), torch.ones(2))
    assert all(share.sum() == 0 for share in two.values()), "where there is nothing, nothing is listened to"


@pytest.mark.parametrize("method", [Bottleneck(width=3), LSTTA(width=5, short_term=False)], ids=["peer", "long"])
def test_a_method_that_cannot_tell(method: Method) -> None:
    model, inputs = adapted(method)
    assert listened(model, inputs, ANSWERS) == [{}, {}, {}]
    assert not any(adapter._forward_hooks for adapter in model.modules())

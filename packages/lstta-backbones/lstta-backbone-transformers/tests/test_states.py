"""States of single clips, put together, are those of the batch: what a prefix cache rests on, for every family."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lstta_core import AudioSpec, EncoderState, LanguageSpec, TrimodalModel
from lstta_core.states import as_segments, crop_state, join_states, shared_extras, token_axes
from lstta_core.testing import synthetic_inputs

BATCH, MORE = 3, 2  # and how many ids texts are padded beyond the longest


def test_states_joined_are_those_of_the_batch(case: Any) -> None:
    encoder = case.encoder(case.library())
    model = TrimodalModel({encoder.modality: encoder}, adapted=1)
    spec = encoder.spec
    ragged = not (isinstance(spec, AudioSpec) and not spec.padding_invariant)
    inputs = synthetic_inputs(spec, batch=BATCH, segments=5, ragged=ragged)

    def state_of(given: dict[str, Tensor]) -> EncoderState:
        with torch.no_grad():
            return model.prefix({encoder.modality: given}, [encoder.modality])[encoder.modality]

    longer = inputs
    if isinstance(spec, LanguageSpec):
        more = min(MORE, spec.max_length - inputs["ids"].shape[-1])
        ids, mask = F.pad(inputs["ids"], (0, more), value=spec.pad_id), F.pad(inputs["mask"], (0, more))
        longer = inputs | {"ids": ids, "mask": mask}
    each = [{name: value[b : b + 1] for name, value in longer.items()} for b in range(BATCH)]
    states = [state_of(given) for given in each]
    twice = state_of({name: torch.cat([value, value]) for name, value in each[0].items()})
    shared = {name: states[0].extras[name] for name in shared_extras(states[0], twice)}
    for state in states:
        assert all(torch.equal(state.extras[name], tensor) for name, tensor in shared.items())
    own = [replace(s, extras={name: x for name, x in s.extras.items() if name not in shared}) for s in states]
    joined = join_states(own, shared)
    if isinstance(spec, LanguageSpec):
        shorter = {name: value[..., :-1] if name != "present" else value for name, value in each[0].items()}
        joined = crop_state(joined, inputs["ids"].shape[-1], token_axes(states[0], state_of(shorter)))

    wanted = state_of(inputs)
    assert joined.tokens.shape == wanted.tokens.shape
    assert torch.equal(joined.mask, wanted.mask)
    assert torch.equal(joined.layout.segment, wanted.layout.segment)
    torch.testing.assert_close(joined.tokens[wanted.mask], wanted.tokens[wanted.mask], rtol=1e-5, atol=1e-5)
    assert joined.extras.keys() == wanted.extras.keys()
    for name, tensor in wanted.extras.items():
        assert joined.extras[name].shape == tensor.shape
    valid = wanted.layout.mask(wanted.mask)
    assert torch.equal(joined.layout.mask(joined.mask), valid)
    torch.testing.assert_close(
        joined.layout.to_segments(joined.tokens)[valid],
        wanted.layout.to_segments(wanted.tokens)[valid],
        rtol=1e-5,
        atol=1e-5,
    )
    with torch.no_grad():  # the blocks that follow read the extras
        one, two = (encoder.run_block(encoder.depth - 1, state).tokens for state in (joined, wanted))
    if one.shape[:2] == wanted.mask.shape:
        one, two = one[wanted.mask], two[wanted.mask]
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


def test_texts_by_themselves_are_those_of_the_segments(case: Any) -> None:
    encoder = case.encoder(case.library())
    if not isinstance(encoder.spec, LanguageSpec):
        pytest.skip("only texts are cut into segments")
    model = TrimodalModel({encoder.modality: encoder}, adapted=1)
    segments = 3
    inputs = synthetic_inputs(encoder.spec, batch=BATCH, segments=5, text_segments=segments, ragged=True)

    def state_of(given: dict[str, Tensor]) -> EncoderState:
        with torch.no_grad():
            return model.prefix({encoder.modality: given}, [encoder.modality])[encoder.modality]

    present = inputs["present"]
    rows = [
        state_of(
            {
                "ids": inputs["ids"][b : b + 1, s : s + 1],
                "mask": inputs["mask"][b : b + 1, s : s + 1],
                "present": present[b : b + 1],
            }
        )
        for b in range(BATCH)
        for s in range(segments)
    ]
    wanted = state_of(inputs)
    shared = {name: rows[0].extras[name] for name in shared_extras(rows[0], wanted)}
    own = [replace(row, extras={name: x for name, x in row.extras.items() if name not in shared}) for row in rows]
    joined = as_segments(join_states(own, shared), segments)
    assert torch.equal(joined.mask, wanted.mask)
    assert torch.equal(joined.layout.segment, wanted.layout.segment)
    assert (joined.layout.segments, joined.layout.rows_per_clip) == (segments, segments)
    torch.testing.assert_close(joined.tokens[wanted.mask], wanted.tokens[wanted.mask], rtol=1e-5, atol=1e-5)
    assert {name: x.shape for name, x in joined.extras.items()} == {name: x.shape for name, x in wanted.extras.items()}
    with pytest.raises(ValueError, match=r"only rows that are a clip each can become segments; these are 3 segments"):
        as_segments(joined, segments)

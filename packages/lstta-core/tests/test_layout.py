from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lstta_core.layout import Layout

FEW = settings(max_examples=40, deadline=None)
CLIPS, ROWS, TOKENS, SEGMENTS, WIDTH = (st.integers(1, high) for high in (3, 3, 7, 5, 3))


def naive_segments(values: Tensor, layout: Layout) -> list[list[list[Tensor]]]:
    """By clip and segment: the tokens that belong there, in the order of rows and of tokens in a row."""
    rows, tokens = layout.segment.shape
    by_segment: list[list[list[Tensor]]] = [
        [[] for _ in range(layout.segments)] for _ in range(rows // layout.rows_per_clip)
    ]
    for row in range(rows):
        for token in range(tokens):
            segment = int(layout.segment[row, token])
            if segment >= 0:
                by_segment[row // layout.rows_per_clip][segment].append(values[row, token])
    return by_segment


def assert_same_tokens(stream: Tensor, mask: Tensor, wanted: list[list[list[Tensor]]]) -> None:
    for b, clip in enumerate(wanted):
        for s, tokens in enumerate(clip):
            got = stream[b, s][mask[b, s]]
            assert len(got) == len(tokens)
            assert all(torch.equal(one, two) for one, two in zip(got, tokens, strict=True))


@FEW
@given(clips=CLIPS, rows=ROWS, tokens=TOKENS, segments=SEGMENTS, width=WIDTH, seed=st.integers(0, 99))
def test_ragged_equals_naive_loop(clips: int, rows: int, tokens: int, segments: int, width: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    segment = torch.randint(-1, segments, (clips * rows, tokens), generator=random)
    values = torch.randn(clips * rows, tokens, width, generator=random)
    layout = Layout.ragged(segment, segments, rows)
    everything = torch.ones(clips * rows, tokens, dtype=torch.bool)
    assert_same_tokens(layout.to_segments(values), layout.mask(everything), naive_segments(values, layout))


@FEW
@given(clips=CLIPS, rows=ROWS, tokens=TOKENS, segments=SEGMENTS, seed=st.integers(0, 99))
def test_ragged_there_and_back(clips: int, rows: int, tokens: int, segments: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    segment = torch.randint(-1, segments, (clips * rows, tokens), generator=random)
    values = torch.randn(clips * rows, tokens, 3, generator=random)
    layout = Layout.ragged(segment, segments, rows)
    assert torch.equal(layout.to_rows(layout.to_segments(values), values), values)
    changed = layout.to_rows(layout.to_segments(values) + 1, values)
    assert torch.equal(changed, torch.where(segment[..., None] >= 0, values + 1, values))


@FEW
@given(clips=CLIPS, rows=ROWS, tokens=TOKENS, segments=SEGMENTS, seed=st.integers(0, 99))
def test_regular_equals_naive_loop(clips: int, rows: int, tokens: int, segments: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    segment = torch.arange(segments).repeat_interleave(rows).repeat(clips)[:, None].repeat(1, tokens)
    segment[torch.rand(segment.shape, generator=random) < 0.3] = -1
    values = torch.randn(*segment.shape, 2, generator=random)
    layout = Layout.regular(segment, segments, segments * rows)
    stream, mask = layout.to_segments(values), layout.mask(torch.ones_like(segment, dtype=torch.bool))
    assert stream.shape == (clips, segments, rows * tokens, 2)
    assert_same_tokens(stream, mask, naive_segments(values, layout))
    assert torch.equal(layout.to_rows(stream, values), values)
    adapted = torch.where(mask[..., None], stream + 1, stream)
    assert torch.equal(layout.to_rows(adapted, values), torch.where(segment[..., None] >= 0, values + 1, values))


@FEW
@given(segments=SEGMENTS, each=st.integers(1, 3), clips=CLIPS)
def test_one_row_over_a_clip_may_be_regular(segments: int, each: int, clips: int) -> None:
    segment = torch.arange(segments).repeat_interleave(each).repeat(clips, 1)
    values = torch.randn(clips, segments * each, 2)
    layout = Layout.regular(segment, segments, 1)
    assert_same_tokens(layout.to_segments(values), layout.mask(segment >= 0), naive_segments(values, layout))


def test_regular_streams_are_views() -> None:
    values = torch.randn(6, 5, 7)
    layout = Layout.regular(torch.arange(3).repeat(2)[:, None].repeat(1, 5), 3, 3)
    assert layout.to_segments(values).data_ptr() == values.data_ptr()


def test_masked_tokens_are_not_in_the_mask() -> None:
    segment = torch.tensor([[0, 1, -1, 1, 0]])
    valid = torch.tensor([[True, False, True, True, True]])
    mask = Layout.ragged(segment, 3, 1).mask(valid)
    assert mask.tolist() == [[[True, True], [False, True], [False, False]]]


def test_width_is_the_number_of_places() -> None:
    segment = torch.tensor([[0, 1, 1, -1]])
    assert Layout.ragged(segment, 2, 1, width=3).to_segments(torch.zeros(1, 4, 2)).shape == (1, 2, 3, 2)


def test_gradients_go_to_the_tokens_that_belong() -> None:
    segment = torch.tensor([[0, -1, 2, 2, 0]])
    values = torch.randn(1, 5, 3, requires_grad=True)
    layout = Layout.ragged(segment, 3, 1)
    assert layout.filled is not None
    (layout.to_segments(values) * layout.filled[..., None]).sum().backward()
    assert values.grad is not None
    assert values.grad[0, :, 0].tolist() == [1, 0, 1, 1, 1]


def test_rows_keep_their_dtype() -> None:
    original = torch.randn(2, 3, 5, dtype=torch.bfloat16)
    segment = torch.tensor([[0, 0, 0], [1, 1, 1]])
    for layout in (Layout.regular(segment, 2, 2), Layout.ragged(segment, 2, 2)):
        assert layout.to_rows(layout.to_segments(original).float(), original).dtype == torch.bfloat16


def test_bad_layouts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 rows of 5 tokens, 3 rows a clip, do not divide into 7 segments"):
        Layout.regular(torch.zeros(3, 5, dtype=torch.long), 7, 3)
    with pytest.raises(ValueError, match="5 rows do not divide into clips of 2 rows"):
        Layout.ragged(torch.zeros(5, 3, dtype=torch.long), 2, 2)
    with pytest.raises(ValueError, match="a segment holds 3 tokens, more than width=2"):
        Layout.ragged(torch.tensor([[0, 0, 0, 1]]), 2, 1, width=2)

"""Measured time and memory."""

from __future__ import annotations

import torch

from lstta_core.profiling import measure

CPU = torch.device("cpu")
MEGA = 1_000_000


def test_the_peak_is_of_what_is_held_at_a_time() -> None:
    def call() -> None:
        first = torch.empty(MEGA, dtype=torch.uint8)
        second = torch.empty(2 * MEGA, dtype=torch.uint8)
        del first
        third = torch.empty(MEGA // 2, dtype=torch.uint8)
        del second, third

    assert measure(call, device=CPU).peak_bytes == 3 * MEGA


def test_what_was_there_before_does_not_count_and_what_stays_does() -> None:
    blocks = [torch.empty(5 * MEGA, dtype=torch.uint8)]

    def call() -> None:
        blocks.append(torch.empty(MEGA, dtype=torch.uint8))

    assert measure(call, device=CPU, repeats=1).peak_bytes == MEGA


def test_a_graph_is_kept_until_the_backward_pass() -> None:
    weight = torch.ones(1000, requires_grad=True)
    peaks = []
    for layers in (2, 5):

        def call(layers: int = layers) -> None:
            x = weight
            for _ in range(layers):
                x = x.sin()
            x.sum().backward()
            weight.grad = None

        peaks.append(measure(call, device=CPU, repeats=1).peak_bytes)
    assert peaks[1] - peaks[0] == 3 * 1000 * 4


def test_calls_are_counted_and_timed() -> None:
    calls: list[None] = []
    measured = measure(lambda: calls.append(None), device=CPU, repeats=3, warmup=2)
    assert len(calls) == 2 + 3 + 1
    assert len(measured.seconds) == 3
    assert min(measured.seconds) <= measured.median <= max(measured.seconds)

"""To which segments of sight and sound an answer listened, token by token: for people to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from lstta_core.interfaces import Adapter, AdapterOutput, Inputs, Modality, Streams
from lstta_core.speaking import prompts_of

if TYPE_CHECKING:
    from lstta_core.lockstep import TrimodalModel

LANGUAGE = Modality.LANGUAGE
Shares = Mapping[Modality, Tensor]


@torch.no_grad()
def listened(model: TrimodalModel, inputs: Inputs, answers: Sequence[Sequence[int]]) -> list[dict[Modality, Tensor]]:
    """To what the place that said each token listened: for the first token the last of the prompt, then the one before.

    Everything is run once more, with the answers behind their prompts. The shares are the mean over the adapted stages
    that tell, see :meth:`~lstta_core.adapter.Adapter.listened`.

    Args:
        model: in eval mode, with an encoder that speaks.
        inputs: as of :func:`~lstta_core.speaking.begin`.
        answers: the ids of each clip's answer.

    Returns:
        For each clip (n, T) by modality, n tokens; empty where no adapter tells.
    """
    with _telling(model) as told:
        model({**inputs, LANGUAGE: _with_answers(prompts_of(inputs[LANGUAGE]), answers)})
    if not told:
        return [{} for _ in answers]
    shares = {m: torch.stack([one[m] for one in told]).mean(0) for m in told[0]}
    before = prompts_of(inputs[LANGUAGE])["mask"][:, 0].sum(1) - 1
    return [
        {m: share[row, first : first + len(ids)] for m, share in shares.items()}
        for row, (first, ids) in enumerate(zip(before.tolist(), answers, strict=True))
    ]


@contextmanager
def _telling(model: TrimodalModel) -> Iterator[list[Shares]]:
    """What the adapters tell of the texts that go through them for as long as the context lasts, a stage an entry."""
    told: list[Shares] = []

    def tell(adapter: nn.Module, given: tuple[Streams, ...], output: AdapterOutput) -> None:
        assert isinstance(adapter, Adapter)
        heard: Any = given[0] if output.heard is None else output.heard
        if shares := adapter.listened(given[0][LANGUAGE], heard):
            told.append(shares)

    adapters = [adapter for stage in range(1, model.stages + 1) if (adapter := model.adapter_at(stage)) is not None]
    hooks = [adapter.register_forward_hook(tell) for adapter in adapters]
    try:
        yield told
    finally:
        for hook in hooks:
            hook.remove()


def _with_answers(prompts: Mapping[str, Any], answers: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Inputs of a language encoder with an answer behind each prompt, padded behind that."""
    ids, mask = prompts["ids"][:, 0], prompts["mask"][:, 0]
    lengths = mask.sum(1).tolist()
    said = [ids.new_tensor(one) for one in answers]
    rows = [torch.cat([row[:length], one]) for row, length, one in zip(ids, lengths, said, strict=True)]
    there = pad_sequence([torch.ones_like(row, dtype=torch.bool) for row in rows], batch_first=True)
    answer = there & (torch.arange(there.shape[1], device=ids.device) >= mask.sum(1, keepdim=True))
    longer = {"ids": pad_sequence(rows, batch_first=True), "mask": there, "answer": answer}
    return {"present": prompts["present"], **{name: values[:, None] for name, values in longer.items()}}

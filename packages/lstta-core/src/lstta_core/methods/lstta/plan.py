"""What follows from the masks of a batch alone: the same at every stage, so it is made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lstta_core.interfaces import TIMED, Modality
from lstta_core.methods.lstta.windows import windows


@dataclass(frozen=True)
class TextPlan:
    """Of a text with S segments of L tokens: 1, or those of the clip.

    Attributes:
        timed: whether it has the clip's segments.
        speaks: whether it has an answer, if only one that is still to come.
        hidden: (B, S, L, 1), bool, true for what is not there. An answer is there: it hears, and is heard by nobody.
        means: (B, 1, S L), weights of the mean over its words, zeros where there are none and for an answer.
        words_hidden: (B, S L, 1), bool, true for what a softmax over the words leaves out.
        hears: (B S, 1, 1, K), the bias of the keys that words hear.
        heard: (B, S, L, 1), 1 for words that are there and have a key to hear, else 0.
        there: (B, S, L, 1), 1 for words that are there, else 0.
    """

    timed: bool
    speaks: bool
    hidden: Tensor
    means: Tensor
    words_hidden: Tensor
    hears: Tensor
    heard: Tensor
    there: Tensor


@dataclass(frozen=True)
class Plan:
    """Of n modalities with T segments, N tokens in each, all of them side by side.

    Attributes:
        sizes: how many of the N tokens each modality has.
        hidden: (B, T, N, 1), bool, true for what is not there.
        there: (B, T, N, 1), 1 for tokens that are there, else 0.
        latents_hidden: (B, T, N, n, 1), bool, true for tokens that a modality's latents leave out.
        means: (B, T, n, N), weights of each modality's mean, zeros where it has nothing.
        seen: (B, T, n, 1), 1 where a segment holds something of the modality, else 0.
        unseen: (B, T, n, 1), bool, the contrary.
        left_out: (B, T, n), bool, true for segments that a softmax over a clip's segments leaves out.
        log_counts: (B, 1, n), log of how many segments hold something, at least float32.
        clip_means: (B, 1, T), weights of the mean over segments that hold something.
        hears: (B T, 1, 1, K), the bias of the keys around each segment.
        heard: (B, T, N, 1), 1 for tokens that are there and have a key to hear, else 0.
        sequence: (B, 1, 1, T n + 1), the bias of all segments and the text, or one less without a text.
        time: (T, r), where in the clip each segment is.
        text: of the text, or None.
    """

    sizes: tuple[int, ...]
    hidden: Tensor
    there: Tensor
    latents_hidden: Tensor
    means: Tensor
    seen: Tensor
    unseen: Tensor
    left_out: Tensor
    log_counts: Tensor
    clip_means: Tensor
    hears: Tensor
    heard: Tensor
    sequence: Tensor
    time: Tensor
    text: TextPlan | None


@torch.no_grad()
def make_plan(
    masks: Mapping[Modality, Tensor],
    *,
    width: int,
    window: int,
    latents: int,
    dtype: torch.dtype,
    answer: Tensor | None = None,
) -> Plan:
    """The plan of a batch.

    Args:
        masks: (B, S, N_m), bool, by modality; at least one of sight and sound.
        width: r, of the bottleneck.
        window: w, of the short-term module.
        latents: k, of each segment.
        dtype: of what is computed with.
        answer: (B, 1, L), bool, of a text that speaks.
    """
    parts = [masks[m] for m in TIMED if m in masks]
    sizes = tuple(part.shape[2] for part in parts)
    mask = torch.cat(parts, 2)
    owner = torch.eye(len(sizes), dtype=torch.bool, device=mask.device)
    owner = owner.repeat_interleave(torch.tensor(sizes, device=mask.device), 1, output_size=sum(sizes))
    own = mask[:, :, None] & owner  # (B, T, n, N)
    counts = own.sum(-1)
    seen = counts > 0
    anything = seen.any(-1)
    segments_seen = seen.sum(1, keepdim=True)

    around = windows(seen, window).transpose(2, 3)  # (B, T, w, n)
    keys = _loudness(around, around.sum(2, keepdim=True) * latents, dtype)
    hears = keys[..., None].expand(*keys.shape, latents).flatten(2)
    sequence, text = seen.flatten(1), None
    if Modality.LANGUAGE in masks:
        said = masks[Modality.LANGUAGE]
        timed = said.shape[1] == mask.shape[1] > 1
        words = said.flatten(1)
        if timed:
            near = windows(said, window).transpose(2, 3).flatten(2)
            words_hear = hears
        else:
            near = words[:, None].expand(-1, mask.shape[1], -1)
            whole = _loudness(seen, segments_seen * latents, dtype)
            words_hear = whole[..., None].expand(*whole.shape, latents).flatten(1)[:, None]
        hears = torch.cat([hears, _loudness(near, near.sum(-1, keepdim=True), dtype)], 2)
        words_hear, can_hear = _some(words_hear)
        spoken = said if answer is None else said | answer
        text = TextPlan(
            timed=timed,
            speaks=answer is not None,
            hidden=~spoken[..., None],
            means=(words.to(dtype) / words.sum(1, keepdim=True).clamp(min=1))[:, None],
            words_hidden=~(words | ~words.any(1, keepdim=True))[..., None],
            hears=words_hear.flatten(0, 1)[:, None, None],
            heard=(spoken & can_hear)[..., None].to(dtype),
            there=spoken[..., None].to(dtype),
        )
        sequence = torch.cat([sequence, words.any(1, keepdim=True)], 1)
    hears, can_hear = _some(hears)
    return Plan(
        sizes=sizes,
        hidden=~mask[..., None],
        there=mask[..., None].to(dtype),
        latents_hidden=~(own | ~seen[..., None]).transpose(2, 3)[..., None],
        means=own.to(dtype) / counts.clamp(min=1)[..., None],
        seen=seen[..., None].to(dtype),
        unseen=~seen[..., None],
        left_out=~seen & (segments_seen > 0),
        log_counts=segments_seen.clamp(min=1).to(torch.promote_types(dtype, torch.float32)).log(),
        clip_means=(anything.to(dtype) / anything.sum(1, keepdim=True).clamp(min=1))[:, None],
        hears=hears.flatten(0, 1)[:, None, None],
        heard=(mask & can_hear)[..., None].to(dtype),
        sequence=_some(_loudness(sequence, torch.ones_like(sequence, dtype=torch.long), dtype))[0][:, None, None],
        time=sinusoids(mask.shape[1], width, torch.zeros((), dtype=dtype, device=mask.device)),
        text=text,
    )


def sinusoids(positions: int, width: int, like: Tensor) -> Tensor:
    """(positions, width): sine and cosine of the position at geometric frequencies (Vaswani et al. 2017)."""
    precise = torch.promote_types(like.dtype, torch.float32)
    rate = torch.arange(0, width, 2, device=like.device, dtype=precise) / width
    angle = torch.arange(positions, device=like.device, dtype=precise)[:, None] / 10000**rate
    table = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)
    return table[:, :width].to(like.dtype)


def _loudness(there: Tensor, together: Tensor, dtype: torch.dtype) -> Tensor:
    """−log of how many keys weigh together what one would, −∞ where none is."""
    return torch.where(there, -together.clamp(min=1).to(dtype).log(), float("-inf"))


def _some(bias: Tensor) -> tuple[Tensor, Tensor]:
    """The bias, 0 for all keys where there is none; and whether there is any, (…, 1)."""
    some = (bias > float("-inf")).any(-1, keepdim=True)
    return torch.where(some, bias, 0), some

"""The losses of retrieval: contrastive for embeddings, and of pairs against harder ones for the match score."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def contrastive_loss(clips: Tensor, texts: Tensor, scale: Tensor, target: Tensor) -> Tensor:
    """Symmetric InfoNCE (van den Oord et al. 2018; both directions as in Radford et al. 2021) over a batch, ().

    Each clip should find its text among the batch's and each text its clip. Pairs of the same clip are not each other's
    negatives.

    Args:
        clips: (B, E), unit vectors.
        texts: (B, E), unit vectors; text i is about clip i.
        scale: (), the inverse temperature.
        target: (B,), equal for pairs of the same clip.
    """
    logits = (scale * clips @ texts.T).masked_fill(~negatives(target) & ~_diagonal(target), float("-inf"))
    places = torch.arange(len(target), device=target.device)
    return (F.cross_entropy(logits, places) + F.cross_entropy(logits.T, places)) / 2


def negatives(target: Tensor) -> Tensor:
    """(B, B), true where clip i and text j do not belong together."""
    return target[:, None] != target[None]


def mine(similarity: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Wrong pairs that look right: for each clip a text and for each text a clip, drawn by their similarity.

    Drawn with the probabilities of a softmax over the batch's negatives, as in ALBEF (Li et al. 2021), since the very
    hardest of a batch often fits as well.

    Args:
        similarity: (B, B), clips by texts, scaled by the inverse temperature; without a gradient.
        target: (B,), equal for pairs of the same clip.

    Returns:
        (2B, 2) clip and text of right pairs, and (2B, 2) a wrong one for each; where a batch has no wrong one, the
        right pair itself, whose scores then cancel out.
    """
    allowed = negatives(target)
    allowed = allowed | (_diagonal(target) & ~allowed.any(1))
    weights = [sides.float().masked_fill(~allowed, float("-inf")) for sides in (similarity, similarity.T)]
    other_text, other_clip = (side.softmax(1).multinomial(1)[:, 0] for side in weights)
    places = torch.arange(len(target), device=target.device)
    right = torch.stack([places, places], 1).repeat(2, 1)
    wrong = torch.cat([torch.stack([places, other_text], 1), torch.stack([other_clip, places], 1)])
    return right, wrong


def matching_loss(right: Tensor, wrong: Tensor) -> Tensor:
    """−log σ(right − wrong), the mean over pairs of scores (P,). Our choice: ranking needs no more than their order."""
    return F.softplus(wrong - right).mean()


def _diagonal(target: Tensor) -> Tensor:
    return torch.eye(len(target), dtype=torch.bool, device=target.device)

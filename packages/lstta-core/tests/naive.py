"""The formulas of docs/method.md, one clip, segment, head and token at a time, to compare the modules with.

What is masked is left out of the lists here, instead of hidden by a mask; tensors are vectors of one token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lstta_core.attention import MaskedAttention
from lstta_core.interfaces import Modality, Streams
from lstta_core.methods.lstta.adapter import LSTTAAdapter
from lstta_core.methods.lstta.importance import Importance
from lstta_core.methods.lstta.long_term import LongTermFilter
from lstta_core.methods.lstta.short_term import Latents, ShortTermInteraction
from lstta_core.methods.projections import Down

Clip = dict[Modality, list[list[Tensor]]]
"""The visible tokens of one clip: by modality, segment and token."""


def linear(vector: Tensor, layer: nn.Module) -> Tensor:
    assert isinstance(layer, nn.Linear)
    out = layer.weight @ vector
    return out if layer.bias is None else out + layer.bias


def layer_norm(vector: Tensor, norm: nn.Module) -> Tensor:
    assert isinstance(norm, nn.LayerNorm)
    mean = vector.sum() / len(vector)
    variance = ((vector - mean) ** 2).sum() / len(vector)
    normed = (vector - mean) / (variance + norm.eps).sqrt()
    return normed * norm.weight + norm.bias if norm.elementwise_affine else normed


def softmax(scores: list[Tensor]) -> list[Tensor]:
    top = max(float(score.detach()) for score in scores)
    powers = [(score - top).exp() for score in scores]
    total = sum(powers[1:], powers[0])
    return [power / total for power in powers]


def mean(vectors: list[Tensor], width: int, like: Tensor) -> Tensor:
    total = torch.zeros(width, dtype=like.dtype)
    for vector in vectors:
        total = total + vector
    return total / max(len(vectors), 1)


def attention(query: Tensor, keys: list[Tensor], biases: list[Tensor], module: nn.Module) -> Tensor:
    """One query over the keys that it may see, each with a bias for each head; zeros where there are none."""
    assert isinstance(module, MaskedAttention)
    if not keys:
        return torch.zeros_like(query)
    size = module.query.out_features // module.heads
    q, ks, vs = (
        linear(query, module.query),
        [linear(k, module.key) for k in keys],
        [linear(k, module.value) for k in keys],
    )
    parts = []
    for head in range(module.heads):
        own = slice(head * size, (head + 1) * size)
        scores = [(q[own] * k[own]).sum() / math.sqrt(size) + bias[head] for k, bias in zip(ks, biases, strict=True)]
        part = torch.zeros(size, dtype=query.dtype)
        for weight, value in zip(softmax(scores), vs, strict=True):
            part = part + weight * value[own]
        parts.append(part)
    return linear(torch.cat(parts), module.out)


def sinusoid(position: int, width: int, like: Tensor) -> Tensor:
    values = []
    for i in range(width):
        angle = position / 10000 ** ((i - i % 2) / width)
        values.append(math.sin(angle) if i % 2 == 0 else math.cos(angle))
    return torch.tensor(values, dtype=like.dtype)


def visible(tokens: Mapping[Modality, Tensor], masks: Mapping[Modality, Tensor], clip: int) -> Clip:
    return {
        m: [[tokens[m][clip, s, n] for n in range(mask.shape[2]) if mask[clip, s, n]] for s in range(mask.shape[1])]
        for m, mask in masks.items()
    }


def long_term(
    module: LongTermFilter, clip: Clip, width: int
) -> tuple[list[Tensor], Tensor, dict[Modality, list[Tensor]]]:
    """Context of each segment, that of the clip, and log g of each segment."""
    like = next(module.parameters())
    segments = len(clip[module.timed[0]])
    summaries: dict[tuple[Modality, int], Tensor] = {}
    for modality in module.timed:
        for t in range(segments):
            if clip[modality][t]:
                time = linear(sinusoid(t, width, like), module.time)
                summaries[modality, t] = mean(clip[modality][t], width, like) + time + module.kind[modality]
    words = [word for part in clip.get(Modality.LANGUAGE, []) for word in part]
    if words:
        summaries[Modality.LANGUAGE, 0] = mean(words, width, like) + module.kind[Modality.LANGUAGE]
    keys = [layer_norm(summary, module.norm) for summary in summaries.values()]
    zero, even = like.new_zeros(()), like.new_zeros(module.attention.heads)
    parts: dict[tuple[Modality, int], Tensor] = {}
    summed: dict[tuple[Modality, int], Tensor] = {}
    for (modality, t), summary in summaries.items():
        if modality in module.timed:
            query = layer_norm(summary, module.norm)
            attended = summary + attention(query, keys, [even] * len(keys), module.attention)
            summed[modality, t] = attended
            parts[modality, t] = linear(attended, module.context[modality])

    def total(t: int) -> Tensor:
        return sum((part for (_, at), part in parts.items() if at == t), like.new_zeros(width))

    context = [total(t) for t in range(segments)]
    seen = [t for t in range(segments) if any((m, t) in parts for m in module.timed)]
    log_g: dict[Modality, list[Tensor]] = {}
    for modality in module.timed if module.importance is not None else ():
        assert module.importance is not None
        there = [t for t in range(segments) if (modality, t) in parts]
        shares = importance(module.importance, modality, there, summed, words)
        log_g[modality] = [shares[there.index(t)] if t in there else zero for t in range(segments)]
    return context, mean([context[t] for t in seen], width, like), log_g


def importance(
    module: Importance,
    modality: Modality,
    there: list[int],
    summaries: dict[tuple[Modality, int], Tensor],
    words: list[Tensor],
) -> list[Tensor]:
    """Log g of the segments that are there."""
    if not there:
        return []
    query = linear(together(module.asked, module.named, words), module.query)
    size = len(query) // module.heads
    others = [m for m in module.key if m != modality] or [modality]
    scores = []
    for t in there:
        score = query.new_zeros(())
        for head in range(module.heads):
            own = slice(head * size, (head + 1) * size)

            def found(m: str, at: int, own: slice = own) -> Tensor:
                if (m, at) not in summaries:
                    return query.new_zeros(())
                key = linear(layer_norm(summaries[Modality(m), at], module.norm[m]), module.key[m])
                return (query[own] * key[own]).sum() / math.sqrt(size)

            places = [torch.ones_like(score)]
            if module.window > 1:
                chosen = linear(together(module.asked, module.meant, words), module.place[modality])
                places = softmax(list(chosen[head * module.window : (head + 1) * module.window]))
            score = score + found(modality, t)
            for place, weight in enumerate(places):
                for other in others:
                    score = score + weight * found(other, t + place - module.window // 2)
        scores.append(score)
    return [(len(scores) * share).log() for share in softmax(scores)]


def together(asked: Tensor, module: nn.Module, words: list[Tensor]) -> Tensor:
    """What is asked and the weighted mean of the words."""
    if words:
        assert isinstance(module.word, Tensor)
        for weight, word in zip(softmax([(module.word * word).sum() for word in words]), words, strict=True):
            asked = asked + weight * word
    assert isinstance(module.norm, nn.LayerNorm)
    return layer_norm(asked, module.norm)


def latents(tokens: list[Tensor], module: nn.Module) -> list[Tensor]:
    """The k latents of one segment; none where it holds nothing."""
    assert isinstance(module, Latents)
    if not tokens:
        return []
    notes = []
    for query in module.queries:
        total = torch.zeros_like(query)
        for weight, token in zip(softmax([(query * token).sum() for token in tokens]), tokens, strict=True):
            total = total + weight * token
        notes.append(linear(total, module.project))
    return notes


def short_term(module: ShortTermInteraction, clip: Clip) -> dict[Modality, list[list[Tensor]]]:
    """What every visible token hears."""
    nothing = module.offset.new_zeros(module.attention.heads)
    segments = len(clip[module.timed[0]])
    timed_text = Modality.LANGUAGE in clip and len(clip[Modality.LANGUAGE]) == segments > 1
    reach = module.window // 2

    def source(vector: Tensor, modality: Modality) -> Tensor:
        return layer_norm(vector, module.source_norm[modality]) + module.kind[modality]

    notes = {
        m: [[source(latent, m) for latent in latents(clip[m][t], module.latents[m])] for t in range(segments)]
        for m in module.timed
    }
    words = [[source(word, Modality.LANGUAGE) for word in part] for part in clip.get(Modality.LANGUAGE, [])]

    def around(per_segment: list[list[Tensor]], t: int) -> list[tuple[Tensor, int, Tensor]]:
        keys = []
        for offset in range(module.window):
            near = t + offset - reach
            distance = nothing if module.near is None else module.near[:, offset]
            if 0 <= near < segments:
                keys += [(key + module.offset[offset], near, distance) for key in per_segment[near]]
        return keys

    heard: dict[Modality, list[list[Tensor]]] = {m: [] for m in clip}
    for modality, parts in clip.items():
        for s, tokens in enumerate(parts):
            keys: list[Tensor] = []
            biases: list[Tensor] = []
            heard_from = [*module.timed, *([Modality.LANGUAGE] if words and modality is not Modality.LANGUAGE else [])]
            for place, speaker in enumerate(heard_from):
                if speaker is Modality.LANGUAGE:
                    near = around(words, s) if timed_text else [(word, 0, nothing) for word in words[0]]
                elif modality is Modality.LANGUAGE and not timed_text:
                    near = [(key, t, nothing) for t in range(segments) for key in notes[speaker][t]]
                else:
                    near = around(notes[speaker], s)
                liked = module.prefer[modality][place] if modality in module.prefer else nothing
                for key, _, distance in near:
                    keys.append(key)
                    biases.append(liked + distance - math.log(len(near)))
            norm, attend = module.norm[modality], module.attention
            heard[modality].append([attention(layer_norm(token, norm), keys, biases, attend) for token in tokens])
    return heard


def gelu(vector: Tensor) -> Tensor:
    return vector * 0.5 * (1 + torch.erf(vector / math.sqrt(2)))


def down(x: Tensor, module: nn.Module) -> Tensor:
    """W↓ (LN(x) − μ) / σ + b."""
    assert isinstance(module, Down)
    normed = layer_norm(x, nn.LayerNorm(len(x), elementwise_affine=False))
    return module.weight @ ((normed - module.mean) / (module.variance + module.eps).sqrt()) + module.bias


def bounded(u: Tensor, x: Tensor) -> Tensor:
    """u / √(1 + |u|² / |x|²), |x| a constant."""
    return u / (1 + (u**2).sum() / (x.detach() ** 2).sum()).sqrt()


def lstta(adapter: LSTTAAdapter, streams: Streams) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
    """The tokens after the stage, and the importances (B, T)."""
    tokens = {m: stream.tokens.clone() for m, stream in streams.items()}
    masks = {m: stream.mask for m, stream in streams.items()}
    width = next(adapter.up.parameters()).shape[1]
    importances: dict[Modality, list[Tensor]] = {}
    for b in range(len(next(iter(tokens.values())))):
        raw = visible({m: stream.tokens for m, stream in streams.items()}, masks, b)
        z = {m: [[down(x, adapter.down[m]) for x in part] for part in parts] for m, parts in raw.items()}
        log_g: dict[Modality, list[Tensor]] = {}
        if adapter.short_term is not None:
            heard = short_term(adapter.short_term, z)
            z = {
                m: [[v + h for v, h in zip(*pair, strict=True)] for pair in zip(z[m], heard[m], strict=True)] for m in z
            }
        if adapter.long_term is not None:
            context, clip_context, log_g = long_term(adapter.long_term, z, width)
            for m, parts in z.items():
                for s, part in enumerate(parts):
                    said = linear(clip_context if len(parts) == 1 else context[s], adapter.spread[m])
                    parts[s] = [vector + said for vector in part]
        for m, parts in z.items():
            for s, part in enumerate(parts):
                places = masks[m][b, s].nonzero().flatten().tolist()
                for n, vector in zip(places, part, strict=True):
                    x = streams[m].tokens[b, s, n]
                    tokens[m][b, s, n] = x + bounded(adapter.up[m].weight @ gelu(vector), x)
        for m, values in log_g.items():
            importances.setdefault(m, []).append(torch.stack(values).exp())
    return tokens, {m: torch.stack(values) for m, values in importances.items()}

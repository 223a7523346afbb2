"""The formulas of docs/method.md, one clip, segment, head and token at a time, to compare the modules with.

What is masked is left out of the lists here, instead of hidden by a mask; tensors are vectors of one token.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lstta_core.attention import MaskedAttention
from lstta_core.interfaces import TIMED, Modality, Streams
from lstta_core.methods.lstta.adapter import LSTTAAdapter
from lstta_core.methods.lstta.attention import Attention
from lstta_core.methods.lstta.importance import Importance
from lstta_core.methods.lstta.long_term import LongTermFilter
from lstta_core.methods.lstta.short_term import ShortTermInteraction
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
    ks, vs = [linear(k, module.key) for k in keys], [linear(k, module.value) for k in keys]
    return weighed(query, ks, vs, biases, module)


def adapters_attention(
    query: Tensor, keys: list[tuple[Tensor, Tensor | None]], biases: list[float], module: Attention
) -> Tensor:
    """The same for the adapter's attention; keys come with what their place adds to key and value, or None."""
    sums = [linear(y, module.key_value) for y, _ in keys]
    sums = [both if place is None else both + place for both, (_, place) in zip(sums, keys, strict=True)]
    half = module.key_value.out_features // 2
    loud = [query.new_full((module.heads,), bias) for bias in biases]
    return weighed(query, [both[:half] for both in sums], [both[half:] for both in sums], loud, module)


def weighed(
    query: Tensor, ks: list[Tensor], vs: list[Tensor], biases: list[Tensor], module: MaskedAttention | Attention
) -> Tensor:
    if not ks:
        return torch.zeros_like(query)
    size = module.query.out_features // module.heads
    q = linear(query, module.query)
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


def plain_norm(vector: Tensor) -> Tensor:
    return layer_norm(vector, nn.LayerNorm(len(vector), elementwise_affine=False))


def timed(clip: Clip) -> list[Modality]:
    return [m for m in TIMED if m in clip]


def long_term(
    module: LongTermFilter, clip: Clip, width: int, held: Clip | None = None
) -> tuple[list[Tensor], Tensor, dict[Modality, list[Tensor]]]:
    """Context of each segment, that of the clip, and log g of each segment; held is the clip before what was heard."""
    like = next(module.parameters())
    segments = len(clip[timed(clip)[0]])

    def summed_up(clip: Clip) -> dict[tuple[Modality, int], Tensor]:
        return {
            (m, t): mean(clip[m][t], width, like) + linear(sinusoid(t, width, like), module.time) + module.kind[n]
            for n, m in enumerate(timed(clip))
            for t in range(segments)
            if clip[m][t]
        }

    summaries = summed_up(clip)
    words = [word for part in clip.get(Modality.LANGUAGE, []) for word in part]
    if words:
        summaries[Modality.LANGUAGE, 0] = mean(words, width, like) + module.text_kind
    keys: list[tuple[Tensor, Tensor | None]] = [(plain_norm(summary), None) for summary in summaries.values()]
    parts: dict[tuple[Modality, int], Tensor] = {}
    summed: dict[tuple[Modality, int], Tensor] = {}
    for (modality, t), summary in summaries.items():
        if modality in TIMED:
            n = timed(clip).index(modality)
            heard = adapters_attention(plain_norm(summary), keys, [0.0] * len(keys), module.attention)
            summed[modality, t] = summary + heard
            parts[modality, t] = module.context.weight[:, n * width : (n + 1) * width] @ summed[modality, t]

    def total(t: int) -> Tensor:
        return sum((part for (_, at), part in parts.items() if at == t), like.new_zeros(width))

    context = [softly_normed(total(t)) for t in range(segments)]
    seen = [t for t in range(segments) if any((m, t) in parts for m in TIMED)]
    known = {key: plain_norm(value) for key, value in summed.items()}
    if held is not None:
        known = {key: torch.cat([known[key], plain_norm(value)]) for key, value in summed_up(held).items()}
    log_g: dict[Modality, list[Tensor]] = {}
    for modality in timed(clip) if module.importance is not None else ():
        assert module.importance is not None
        there = [t for t in range(segments) if (modality, t) in parts]
        shares = importance(module.importance, modality, there, known, words, timed(clip))
        log_g[modality] = [shares[there.index(t)] if t in there else like.new_zeros(()) for t in range(segments)]
    return context, mean([context[t] for t in seen], width, like), log_g


def softly_normed(context: Tensor) -> Tensor:
    centred = context - sum(context) / len(context)
    return centred / torch.sqrt(sum(value * value for value in centred) / len(context) + 1)


def importance(
    module: Importance,
    modality: Modality,
    there: list[int],
    known: dict[tuple[Modality, int], Tensor],
    words: list[Tensor],
    modalities: list[Modality],
) -> list[Tensor]:
    """Log g of the segments that are there."""
    if not there:
        return []
    query = linear(together(module, 0, words), module.query)
    size = len(query) // module.heads
    keys = module.key.weight.unflatten(0, (len(modalities), module.heads, size))
    others = [m for m in modalities if m != modality] or [modality]
    scores = []
    for t in there:
        score = query.new_zeros(())
        for head in range(module.heads):
            q = query[head * size : (head + 1) * size]

            def found(m: Modality, at: int, q: Tensor = q, head: int = head) -> Tensor:
                if (m, at) not in known:
                    return query.new_zeros(())
                return (q * (keys[modalities.index(m), head] @ known[m, at])).sum() / math.sqrt(size)

            places = [torch.ones_like(score)]
            if module.place is not None:
                chosen = linear(together(module, 1, words), module.place).unflatten(
                    0, (len(modalities), module.heads, module.window)
                )
                places = softmax(list(chosen[modalities.index(modality), head]))
            score = score + found(modality, t)
            for place, weight in enumerate(places):
                for other in others:
                    score = score + weight * found(other, t + place - module.window // 2)
        scores.append(score)
    return [(len(scores) * share).log() for share in softmax(scores)]


def together(module: Importance, which: int, words: list[Tensor]) -> Tensor:
    """What is asked and the weighted mean of the words."""
    asked: Tensor = module.asked
    if words:
        assert module.words is not None
        own = module.words[which]
        for weight, word in zip(softmax([(own * word).sum() for word in words]), words, strict=True):
            asked = asked + weight * word
    return plain_norm(asked)


def short_term(module: ShortTermInteraction, clip: Clip) -> dict[Modality, list[list[Tensor]]]:
    """What every visible token hears."""
    segments = len(clip[timed(clip)[0]])
    timed_text = Modality.LANGUAGE in clip and len(clip[Modality.LANGUAGE]) == segments > 1
    reach = module.window // 2
    notes: dict[Modality, list[list[Tensor]]] = {}
    for n, m in enumerate(timed(clip)):
        queries = module.latents[n * module.count : (n + 1) * module.count]
        notes[m] = [[plain_norm(x) + module.kind[n] for x in latents(tokens, queries)] for tokens in clip[m]]
    words = [[plain_norm(word) + module.text_kind for word in part] for part in clip.get(Modality.LANGUAGE, [])]

    def around(per_segment: list[list[Tensor]], t: int) -> list[tuple[Tensor, Tensor | None]]:
        keys: list[tuple[Tensor, Tensor | None]] = []
        for offset in range(module.window):
            near = t + offset - reach
            place = None if module.place is None else module.place[offset]
            if 0 <= near < segments:
                keys += [(key, place) for key in per_segment[near]]
        return keys

    heard: dict[Modality, list[list[Tensor]]] = {m: [] for m in clip}
    for modality, parts in clip.items():
        for s, tokens in enumerate(parts):
            keys: list[tuple[Tensor, Tensor | None]] = []
            biases: list[float] = []
            for speaker in [*timed(clip), *([Modality.LANGUAGE] if words and modality in TIMED else [])]:
                if speaker is Modality.LANGUAGE:
                    near = around(words, s) if timed_text else [(word, None) for word in words[0]]
                elif modality is Modality.LANGUAGE and not timed_text:
                    near = [(key, None) for t in range(segments) for key in notes[speaker][t]]
                else:
                    near = around(notes[speaker], s)
                keys += near
                biases += [-math.log(max(len(near), 1))] * len(near)
            heard[modality].append([adapters_attention(plain_norm(x), keys, biases, module.attention) for x in tokens])
    return heard


def latents(tokens: list[Tensor], queries: Tensor) -> list[Tensor]:
    """The k latents of one segment; none where it holds nothing."""
    found = []
    for query in queries if tokens else ():
        total = torch.zeros_like(query)
        for weight, token in zip(softmax([(query * token).sum() for token in tokens]), tokens, strict=True):
            total = total + weight * token
        found.append(total)
    return found


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
        held: Clip | None = None
        if adapter.short_term is not None:
            held = z
            heard = short_term(adapter.short_term, z)
            z = {
                m: [[v + h for v, h in zip(*pair, strict=True)] for pair in zip(z[m], heard[m], strict=True)] for m in z
            }
        if adapter.long_term is not None:
            context, clip_context, log_g = long_term(adapter.long_term, z, width, held)
            for parts in z.values():
                for s, part in enumerate(parts):
                    said = clip_context if len(parts) == 1 else context[s]
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

#!/usr/bin/env python3
"""What a language model of 0.5 B costs as the encoder that speaks: one training step, and 20 tokens of an answer.

    python benchmarks/speaking.py [--tokens 20] [--clips 1] [--rounds 3] [--method lstta] [--small]

Qwen 2.5 of 0.5 B in float32 with random weights, the tiny encoders of sight and sound (8 segments), a prompt of 24
tokens, an answer of 12, adapters at four stages. A token's cost is measured with adapters, without them, and by the
library's own forward with its own cache, token by token in turns, so that all three see the same machine; it is the
median over the tokens.

time:     a minute or two of one core; 5 GiB
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from typing import Any

import torch
import transformers
from torch import Tensor

from lstta_backbone_transformers.families import FAMILIES
from lstta_backbone_transformers.speaker import Speaker
from lstta_core.interfaces import Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.plugins import installed_plugins
from lstta_core.speaking import begin, go_on, speaker
from lstta_core.testing.inputs import synthetic_inputs

QWEN = {
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}
SMALL = {**QWEN, "hidden_size": 112, "intermediate_size": 304, "num_hidden_layers": 4, "vocab_size": 997}
PROMPT, ANSWER, SEGMENTS = 24, 12, 8


class NoWords:
    """Stands in for a tokenizer: the ids are drawn."""

    eos_token_id, bos_token_id, pad_token_id, chat_template = 1, 0, 1, None


def model_of(config: dict[str, Any], method: str) -> TrimodalModel:
    torch.manual_seed(0)
    library: Any = transformers
    language = library.Qwen2ForCausalLM(library.Qwen2Config(**config)).eval()
    family: Any = FAMILIES["qwen2"]
    said = Speaker(model=language, family=family, tokenizer=NoWords())
    tiny = {m: installed_plugins().create("encoder", f"tiny-{m}") for m in (Modality.VISUAL, Modality.AUDIO)}
    parts = {**tiny, Modality.LANGUAGE: said}
    model = TrimodalModel(parts, stages=4)
    model.add_adapter("some", installed_plugins().create("method", method))
    return model


def batch_of(model: TrimodalModel, clips: int, vocabulary: int) -> dict[Modality, dict[str, Tensor]]:
    timed = {
        m: synthetic_inputs(encoder.spec, batch=clips, segments=SEGMENTS, ragged=False)
        for m, encoder in model.by_modality().items()
        if m is not Modality.LANGUAGE
    }
    ids = torch.randint(2, vocabulary, (clips, 1, PROMPT + ANSWER))
    answer = (torch.arange(PROMPT + ANSWER) >= PROMPT).expand(ids.shape)
    there = torch.ones_like(answer)
    present = torch.ones(clips, dtype=torch.bool)
    return {**timed, Modality.LANGUAGE: {"ids": ids, "mask": there, "answer": answer, "present": present}}


def one_step(model: TrimodalModel, inputs: dict[Modality, dict[str, Tensor]]) -> None:
    language = inputs[Modality.LANGUAGE]
    answer = language["answer"][:, 0]
    tokens = model.train()(inputs).streams[Modality.LANGUAGE].tokens[:, 0, :-1][answer[:, 1:]]
    torch.nn.functional.cross_entropy(speaker(model).logits(tokens), language["ids"][:, 0][answer]).backward()


def seconds_a_token(model: TrimodalModel, inputs: dict[Modality, dict[str, Tensor]], tokens: int) -> list[list[float]]:
    """By turns with adapters, without them, and of the library alone: seconds of each of so many tokens."""
    with model.disabled():
        alone = begin(model, inputs)
    adapted, library, times = begin(model, inputs), Library(model, inputs), [[], [], []]
    for _ in range(tokens):
        begun = time.perf_counter()
        adapted = go_on(model, _likeliest(adapted[0]), adapted[1])
        times[0].append(time.perf_counter() - begun)
        with model.disabled():
            begun = time.perf_counter()
            alone = go_on(model, _likeliest(alone[0]), alone[1])
            times[1].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        library.go_on()
        times[2].append(time.perf_counter() - begun)
        apart = (library.logits - alone[0]).abs().max() / library.logits.abs().max()
        assert apart < 1e-4, f"the model without adapters says something else than its library: {apart:.2g}"
    return times


class Library:
    """The language model by its library, with a cache of the library."""

    def __init__(self, model: TrimodalModel, inputs: dict[Modality, dict[str, Tensor]]) -> None:
        encoder: Any = speaker(model)
        self.model, self.cache = encoder.model, None
        self._said(inputs[Modality.LANGUAGE]["ids"][:, 0, :PROMPT])

    def go_on(self) -> None:
        self._said(_likeliest(self.logits))

    @torch.no_grad()
    def _said(self, ids: Tensor) -> None:
        output = self.model(ids, past_key_values=self.cache, use_cache=True, logits_to_keep=1)
        self.logits, self.cache = output.logits, output.past_key_values


def _likeliest(logits: Tensor) -> Tensor:
    """(B, V) or (B, 1, V) to (B, 1)."""
    return logits.reshape(len(logits), -1, logits.shape[-1])[:, -1].argmax(-1, keepdim=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=20)
    parser.add_argument("--clips", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--method", default="lstta")
    parser.add_argument("--small", action="store_true", help="a model of no size, to see that it runs")
    args = parser.parse_args()
    config = SMALL if args.small else QWEN
    model = model_of(config, args.method)
    inputs = batch_of(model, args.clips, config["vocab_size"])
    one_step(model, inputs)
    begun = time.perf_counter()
    one_step(model, inputs)
    print(f"one training step of {args.clips} clips: {time.perf_counter() - begun:.2f} s")
    model.eval()
    rounds = [seconds_a_token(model, inputs, args.tokens) for _ in range(args.rounds)]
    ours, alone, theirs = (statistics.median([t for one in rounds for t in one[way]]) for way in range(3))
    print(f"{args.tokens} tokens: {ours * args.tokens:.2f} s with adapters, {alone * args.tokens:.2f} s without them, "
          f"{theirs * args.tokens:.2f} s by the library alone")  # fmt: skip
    print(f"a token: {1000 * ours:.1f} ms, {ours / alone:.3f} × without adapters, {ours / theirs:.3f} × the library's")
    print(f"memory at its most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")


if __name__ == "__main__":
    main()

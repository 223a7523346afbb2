"""Language models that speak: equal to their library, with the cache and without, and what adapters do to them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from lstta_backbone_transformers.checkpoints import SPEAKING
from lstta_backbone_transformers.load import speaker as loaded
from lstta_core import LSTTA, Bottleneck, Encoder, Lavish, Method, Modality, TrimodalModel
from lstta_core.generation import Decoding, say
from lstta_core.methods.means import Means
from lstta_core.speaking import speaker
from lstta_core.testing import SpeakerConformance, ToyAudio, ToyVisual, synthetic_inputs
from lstta_core.testing.speaker_checks import require_no_leak, require_same_spoken, with_answers

L = Modality.LANGUAGE
TEMPLATE = (
    "{% for m in messages %}[CLS] {{ m.role }} {{ m.content }} [SEP] {% endfor %}"
    "{% if add_generation_prompt %}[CLS] assistant {% endif %}"
)
Batch = dict[Modality, dict[str, Tensor]]
FAST = ("qwen2", "gpt2")  # between them rotary tables, learned places, shared heads and shared words
ALL = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in SPEAKING]


def trimodal(encoder: Encoder, method: Method | None = None) -> tuple[TrimodalModel, Batch]:
    """With sight and sound; adapters fresh where there are any."""
    torch.manual_seed(1)
    model = TrimodalModel({Modality.VISUAL: ToyVisual(), Modality.AUDIO: ToyAudio(), L: encoder}, stages=2)
    if method is not None:
        model.add_adapter("some", method)
    return model.eval(), {m: synthetic_inputs(e.spec) for m, e in model.by_modality().items()}


def woken(model: TrimodalModel) -> TrimodalModel:
    """Adapters that do something."""
    for parameter in model.trainable_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model.requires_grad_(False)


def by_library(library: Any, inputs: Mapping[str, Tensor], **options: Any) -> list[list[int]]:
    """What the library's generate says, of prompts padded on the left, as it wants them."""
    length = inputs["ids"].shape[-1]
    rows = [ids[mask] for ids, mask in zip(inputs["ids"][:, 0], inputs["mask"][:, 0], strict=True)]
    ids = torch.stack([torch.nn.functional.pad(row, (length - len(row), 0), value=1) for row in rows])
    mask = torch.stack([torch.arange(length) >= length - len(row) for row in rows])
    said = library.generate(ids, attention_mask=mask.long(), do_sample=False, **options)[:, length:]
    end = library.config.eos_token_id
    return [row[: row.index(end)] if end in row else row for row in said.tolist()]


@pytest.mark.parametrize("name", ALL)
def test_the_family_conforms(speakers: ModuleType, name: str) -> None:
    library = speakers.library(name)

    class Suite(SpeakerConformance):
        def make_encoder(self) -> Encoder:
            return speakers.speaker(speakers.library(name))

        def make_inputs(self, *, batch: int = 3, segments: int = 5) -> dict[str, Tensor]:
            return synthetic_inputs(self.encoder.spec, batch=batch)

        def reference_logits(self, inputs: Mapping[str, Tensor]) -> Tensor:
            ids, mask = inputs["ids"][:, 0], inputs["mask"][:, 0]
            with torch.no_grad():
                return library(input_ids=ids, attention_mask=mask.long()).logits

    failed = [f"{result.name}: {result.reason}" for result in Suite().run() if not result.passed]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("name", ALL)
def test_fresh_adapters_say_what_the_library_says(speakers: ModuleType, name: str) -> None:
    library = speakers.library(name)
    model, inputs = trimodal(speakers.speaker(library), LSTTA(width=4))
    ours = [list(said.ids) for said in say(model, inputs, Decoding(length=12))]
    assert ours == by_library(library, inputs[L], max_new_tokens=12)
    assert max(map(len, ours)) > 1
    for penalty in (1.0, 0.0):
        beams = say(model, inputs, Decoding(length=7, beams=3, length_penalty=penalty))
        wanted = by_library(library, inputs[L], max_new_tokens=7, num_beams=3, length_penalty=penalty)
        assert [list(said.ids) for said in beams] == wanted


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("method", [LSTTA(width=5), Bottleneck(width=3), Lavish(width=2, groups=1)], ids=type)
def test_an_answer_is_read_by_later_tokens_alone_and_may_come_later(
    speakers: ModuleType, method: Method, attention: str
) -> None:
    library = speakers.library("qwen3")
    library.set_attn_implementation(attention)
    model, inputs = trimodal(speakers.speaker(library), method)
    woken(model)
    require_no_leak(model, with_answers(inputs))
    require_same_spoken(model, with_answers(inputs), 1e-5)


@pytest.mark.parametrize("name", ALL)
def test_gradients_reach_every_adapter(speakers: ModuleType, name: str) -> None:
    model, inputs = trimodal(speakers.speaker(speakers.library(name)), LSTTA(width=5))
    inputs = with_answers(inputs)
    answer = inputs[L]["answer"][:, 0]
    optimizer = torch.optim.SGD(model.trainable_parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        tokens = model(inputs).streams[L].tokens[:, 0]
        logits = speaker(model).logits(tokens[:, :-1][answer[:, 1:]])
        torch.nn.functional.cross_entropy(logits, inputs[L]["ids"][:, 0][answer]).backward()
        optimizer.step()
    parameters = model.named_parameters()
    without = [n for n, p in parameters if p.requires_grad and (p.grad is None or not p.grad.any())]
    assert without == [f"adapters.some.2.up.{m}.weight" for m in ("visual", "audio")]


@pytest.mark.parametrize("name", ALL)
def test_what_was_saved_says_the_same(speakers: ModuleType, name: str, tmp_path: Path) -> None:
    speakers.library(name).save_pretrained(tmp_path)
    speakers.words().save_pretrained(tmp_path)
    model, inputs = trimodal(loaded(model=tmp_path), LSTTA(width=4))
    woken(model)
    again, _ = trimodal(loaded(model=tmp_path), LSTTA(width=4))
    again.load_state_dict(model.state_dict())
    assert again.digests[L] == model.digests[L]
    assert say(again, inputs, Decoding(length=9)) == say(model, inputs, Decoding(length=9))


@pytest.mark.parametrize("name", FAST)
def test_a_preface_is_what_the_library_makes_of_its_embeddings(speakers: ModuleType, name: str) -> None:
    library = speakers.library(name)
    model, inputs = trimodal(speakers.speaker(library), Means())
    woken(model)
    inputs = with_answers(inputs)
    ids, mask = inputs[L]["ids"][:, 0], inputs[L]["mask"][:, 0]
    streams = model(inputs).streams
    preface = model.preface
    assert preface is not None
    before = preface({m: stream for m, stream in streams.items() if m != L})
    assert before.shape == (3, 10, library.config.hidden_size)
    embedded = library.get_input_embeddings()
    end = torch.full(before.shape[:2], speaker(model).ends[0])
    both = torch.cat([embedded(end) + before, embedded(ids)], 1)
    there = torch.cat([torch.ones_like(end, dtype=torch.bool), mask], 1)
    wanted = library(inputs_embeds=both, attention_mask=there.long()).logits[:, 10:]
    torch.testing.assert_close(speaker(model).logits(streams[L].tokens[:, 0])[mask], wanted[mask], rtol=0, atol=1e-5)
    require_no_leak(model, inputs)
    require_same_spoken(model, inputs, 1e-5)


def test_weights_without_a_head_and_others_are_refused(speakers: ModuleType, small: ModuleType, tmp_path: Path) -> None:
    speakers.library("llama").base_model.save_pretrained(tmp_path / "headless")
    speakers.words().save_pretrained(tmp_path / "headless")
    with pytest.raises(ValueError, match=r"the weights lack lm_head\.weight"):
        loaded(model=tmp_path / "headless")
    next(case for case in small.CASES if case.name == "bert").library().save_pretrained(tmp_path / "bert")
    with pytest.raises(ValueError, match="'bert' does not speak here"):
        loaded(model=tmp_path / "bert")


def test_prompts_and_answers_of_plain_models(speakers: ModuleType) -> None:
    encoder = speakers.speaker(speakers.library("llama"), max_length=5)
    tokenize, answer = encoder.spec.tokenize, encoder.spec.answer
    start, end = encoder.tokenizer.bos_token_id, encoder.tokenizer.eos_token_id
    # The small tokenizer closes its texts, which a prompt must not be.
    assert tokenize("what plays first") == [start, *answer("what plays first")[:-1]]
    assert answer("yes")[-1] == end
    assert len(tokenize("where does the last one come from")) == 5
    assert encoder.text(answer("what plays first")) == "what plays first"
    assert encoder.ends == (end,)


def test_chat_templates(speakers: ModuleType) -> None:
    words = speakers.words()
    words.chat_template = TEMPLATE
    encoder = speakers.speaker(speakers.library("qwen2"), tokenizer=words, max_length=9)
    plain = speakers.speaker(speakers.library("qwen2"), tokenizer=words, chat=False)
    text = "what plays first"
    template = words.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, return_dict=False
    )
    assert (
        pickle.loads(pickle.dumps(encoder.spec.tokenize))(text)
        == words(
            words.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False),
            add_special_tokens=False,
        )["input_ids"]
    )
    assert len(template) > 0
    assert encoder.spec.tokenize(text) != plain.spec.tokenize(text)
    cut = encoder.spec.tokenize("where does the last one come from the last one")
    assert len(cut) == 9
    assert cut[-2:] == encoder.spec.tokenize(text)[-2:], "what follows the user's words stays"
    with pytest.raises(ValueError, match="has no chat template"):
        speakers.speaker(speakers.library("qwen2"), chat=True)


def test_a_model_in_bfloat16_speaks(speakers: ModuleType) -> None:
    library = speakers.library("llama").to(torch.bfloat16)
    model, inputs = trimodal(speakers.speaker(library))
    assert [list(said.ids) for said in say(model, inputs, Decoding(length=5))] == by_library(
        library, inputs[L], max_new_tokens=5
    )

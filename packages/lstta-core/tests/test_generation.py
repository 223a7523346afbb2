"""Greedy, by beams, drawn; ends, stop strings and lengths; batches of unequal prompts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from lstta_core.generation import Decoding, _drawn_from, say
from lstta_core.interfaces import Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.speaking import prompts_of, speaker
from lstta_core.testing.inputs import synthetic_inputs
from lstta_core.testing.suite import take
from lstta_core.testing.toy_speaker import END, VOCABULARY, toy_encoders_that_speak

L = Modality.LANGUAGE
Batch = dict[Modality, dict[str, Tensor]]


def made(seed: int = 0) -> tuple[TrimodalModel, Batch]:
    torch.manual_seed(seed)
    model = TrimodalModel(toy_encoders_that_speak())
    model.add_adapter("some", LSTTA(width=5))
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return model.eval(), {m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()}


def log_p(model: TrimodalModel, inputs: Batch, clip: int, ids: list[int]) -> Tensor:
    """(V,), what follows these tokens of an answer, by a whole forward of one clip."""
    alone: Any = {m: take(tensors, [clip]) for m, tensors in inputs.items()}
    prompt = alone[L]["ids"][alone[L]["mask"]]
    text = torch.cat([prompt, torch.tensor(ids, dtype=torch.long)])[None, None]
    answer = (torch.arange(text.shape[-1]) >= len(prompt))[None, None]
    alone[L] = {**alone[L], "ids": text, "mask": torch.ones_like(answer), "answer": answer}
    with torch.no_grad():
        tokens = model(alone).streams[L].tokens[0, 0, -1]
        return speaker(model).logits(tokens).log_softmax(-1)


def test_greedy_takes_the_likeliest_of_a_whole_forward() -> None:
    model, inputs = made()
    said = say(model, inputs, Decoding(length=5))
    for clip, answer in enumerate(said):
        ids: list[int] = []
        score = 0.0
        while len(ids) < 5 and (not ids or ids[-1] != END):
            following = log_p(model, inputs, clip, ids)
            ids.append(int(following.argmax()))
            score += float(following.max())
        assert list(answer.ids) == [number for number in ids if number != END]
        assert answer.score == pytest.approx(score, abs=1e-4)


def test_all_beams_find_the_best_of_all_answers() -> None:
    model, inputs = made(seed=3)
    short = {m: take(tensors, [0]) for m, tensors in inputs.items()}
    first = log_p(model, short, 0, [])
    second = {one: log_p(model, short, 0, [one]) for one in range(VOCABULARY) if one != END}
    answers = [(float(first[END]), [END])]
    answers += [
        (float(first[one] + second[one][two]) / 2**0.7, [one, two]) for one in second for two in range(VOCABULARY)
    ]
    said = say(model, short, Decoding(length=2, beams=VOCABULARY, length_penalty=0.7))[0]
    assert list(said.ids) == [number for number in max(answers)[1] if number != END]


def test_beams_of_one_are_greedy_and_more_are_no_worse() -> None:
    model, inputs = made()
    greedy = say(model, inputs, Decoding(length=6))
    beams = say(model, inputs, Decoding(length=6, beams=4, length_penalty=0.0))
    assert all(b.score >= g.score - 1e-5 for b, g in zip(beams, greedy, strict=True))


def test_clips_do_not_hear_each_other() -> None:
    model, inputs = made()
    for decoding in (Decoding(length=6), Decoding(length=6, beams=3)):
        together = say(model, inputs, decoding)
        for clip, answer in enumerate(together):
            assert say(model, {m: take(t, [clip]) for m, t in inputs.items()}, decoding)[0].ids == answer.ids


def test_stop_strings_end_an_answer_and_are_left_out() -> None:
    model, inputs = made()
    whole = say(model, inputs, Decoding(length=6))
    stop = whole[0].text.split()[2]
    said = say(model, inputs, Decoding(length=6, stops=(stop,)))
    assert said[0].text == " ".join(whole[0].text.split()[: whole[0].text.split().index(stop)])
    assert all(stop not in answer.text.split() for answer in said)


def test_drawing_follows_the_seed_and_the_probabilities() -> None:
    model, inputs = made()
    one, two = (say(model, inputs, Decoding(length=6, sample=True, seed=seed)) for seed in (1, 2))
    assert one == say(model, inputs, Decoding(length=6, sample=True, seed=1))
    assert one != two
    cold = say(model, inputs, Decoding(length=6, sample=True, temperature=1e-4))
    assert [answer.ids for answer in cold] == [answer.ids for answer in say(model, inputs, Decoding(length=6))]


def test_top_p_by_hand() -> None:
    logits = torch.tensor([[0.5, 0.2, 0.3]]).log()
    assert _drawn_from(logits, Decoding(top_p=0.5)).gt(0).tolist() == [[True, False, False]]
    assert _drawn_from(logits, Decoding(top_p=0.6)).gt(0).tolist() == [[True, False, True]]
    assert _drawn_from(logits, Decoding(top_p=1.0)).gt(0).tolist() == [[True, True, True]]


def test_an_answer_that_is_there_is_left_out() -> None:
    _, inputs = made()
    language = inputs[L]
    length = language["mask"].sum(-1, keepdim=True)
    answer = torch.arange(language["ids"].shape[-1]) == length - 1
    prompts = prompts_of({**language, "answer": answer})
    assert torch.equal(prompts["mask"].sum(-1, keepdim=True), length - 1)
    assert not prompts["answer"].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "decoding.length must be at least 1, got 0"),
        ({"temperature": 0.0}, "temperature > 0"),
        ({"top_p": 1.5}, "0 < top_p"),
        ({"sample": True, "beams": 2}, "choose one"),
        ({"stops": ("",)}, "an empty text"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Decoding(**options)

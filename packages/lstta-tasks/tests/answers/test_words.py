"""Answers in words: loss on the answer alone, what is said in evaluation, and the metrics by hand."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lstta_core.generation import Decoding, say
from lstta_core.interfaces import Modality
from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.speaking import speaker
from lstta_core.testing import synthetic_inputs, toy_encoders, toy_encoders_that_speak
from lstta_core.testing.speaker_checks import with_answers
from lstta_tasks.answers.text_metrics import caption_scores, normal
from lstta_tasks.answers.words import Words
from lstta_tasks.data.batch import language_inputs
from lstta_tasks.data.clip import ClipSource
from lstta_tasks.sample import Sample
from lstta_tasks.speaking_network import SpeakingNetwork, Spoken, answers_of

L = Modality.LANGUAGE
DECODING = Decoding(length=5)


def made() -> tuple[SpeakingNetwork, dict[Modality, dict[str, Tensor]]]:
    torch.manual_seed(0)
    model = TrimodalModel(toy_encoders_that_speak())
    model.add_adapter("default", LSTTA(width=5))
    for parameter in model.trainable_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    inputs = {m: synthetic_inputs(encoder.spec) for m, encoder in model.by_modality().items()}
    return SpeakingNetwork(model, DECODING), with_answers(inputs)


def sample(number: int, *answers: str, labels: tuple[str, ...] = ()) -> Sample:
    return Sample(str(number), ClipSource("clip", Path("clip.mp4")), "what?", 0, labels, answers=answers)


def test_the_loss_is_of_the_answer_alone_and_the_same_in_evaluation() -> None:
    network, inputs = made()
    kind = Words(metrics="exact", decoding=DECODING)
    # Answers of different lengths.
    answer = inputs[L]["answer"]
    shorter = answer & ~((answer.long().cumsum(-1) > 2) & (torch.arange(3) == 1)[:, None, None])
    inputs[L] |= {"answer": shorter, "mask": inputs[L]["mask"] & (shorter | ~answer)}
    with torch.no_grad():
        taught = network.train()(inputs).output
        spoken = network.eval()(inputs).output
        logits = speaker(network.trimodal).logits(network.trimodal(inputs).streams[L].tokens[:, 0])
    wanted, counts = [], []
    for row, there, ids in zip(logits, shorter[:, 0], inputs[L]["ids"][:, 0], strict=True):
        places = there.nonzero().flatten()
        wanted.append(torch.nn.functional.cross_entropy(row[places - 1], ids[places]))
        counts.append(len(places))
    torch.testing.assert_close(taught.losses, torch.stack(wanted))
    torch.testing.assert_close(spoken.losses, torch.stack(wanted), atol=1e-5, rtol=1e-5)
    assert taught.counts.tolist() == spoken.counts.tolist() == counts
    mean = sum(float(loss) * count for loss, count in zip(wanted, counts, strict=True)) / sum(counts)
    assert kind.loss(taught, torch.zeros(3)).item() == pytest.approx(mean, rel=1e-5)
    assert not taught.said
    assert list(spoken.said) == say(network.trimodal, inputs, DECODING)


def test_without_answers_it_only_speaks() -> None:
    network, inputs = made()
    del inputs[L]["answer"]
    with torch.no_grad():
        output = network.eval()(inputs)
    assert output.output.counts.tolist() == [0, 0, 0]
    assert len(output.output.said) == 3
    assert set(output.importances) == {Modality.VISUAL, Modality.AUDIO}


def test_an_encoder_that_does_not_speak_is_refused() -> None:
    with pytest.raises(ValueError, match="want a language encoder that speaks"):
        SpeakingNetwork(TrimodalModel(toy_encoders()), DECODING)


def test_answers_stand_right_behind_their_prompts() -> None:
    spec = toy_encoders_that_speak()[L].spec
    inputs = language_inputs([["what plays first"], ["yes"]], spec, answers=["a drum", None])
    assert inputs["mask"].sum(-1).tolist() == [[4 + 3], [2]]
    assert inputs["answer"].int().tolist() == [[[0, 0, 0, 0, 1, 1, 1]], [[0] * 7]]
    ids, there = answers_of({L: inputs})
    assert ids[0].tolist() == spec.answer("a drum")
    assert there.tolist() == [[True] * 3, [False] * 3]
    assert "answer" not in language_inputs([["what plays first"]], spec)


def test_exact_answers_by_group() -> None:
    kind = Words(metrics="exact", decoding=DECODING, groups=lambda s: [s.labels], cell=lambda s: s.labels)
    samples = [
        sample(0, "yes", labels=("audio",)),
        sample(1, "no", labels=("audio",)),
        sample(2, "Two", "2", labels=("visual",)),
    ]
    said = {"0": {"text": "Yes."}, "1": {"text": "yes"}, "2": {"text": "2"}}
    report = kind.report(said, samples)
    assert {s.name: (s.value, s.baseline, s.count) for s in report.scores} == {
        "exact": (pytest.approx(2 / 3), pytest.approx(2 / 3), 3),
        "audio": (0.5, 0.5, 2),
        "visual": (1.0, 1.0, 1),
    }


def test_what_is_said_for_people() -> None:
    kind = Words(metrics="exact", decoding=DECODING)
    nothing = Spoken(torch.zeros(1), torch.zeros(1), tuple(say(made()[0].trimodal.eval(), _one(), DECODING)))
    assert kind.predict(nothing)[0].keys() == kind.right(sample(0, "yes")).keys()
    assert all(answer.text for answer in kind.describe(nothing))


def test_an_explanation_has_the_words_and_what_they_listened_to() -> None:
    network, inputs = made()
    kind = Words(metrics="exact", decoding=DECODING)
    output = network.eval().explain(inputs)
    plain = network(inputs)
    assert output.output.said == plain.output.said
    answers = kind.describe(output.output)
    for answer, said in zip(answers, output.output.said, strict=True):
        assert "".join(word.text for word in answer.words) == said.text
        assert len(answer.words) == len(said.ids)
        for word in answer.words:
            assert {m: share.shape for m, share in word.listened.items()} == {m: (5,) for m in inputs if m != L}
    assert any(answer.words for answer in answers)
    assert all(answer.words == () for answer in kind.describe(plain.output))
    with network.trimodal.disabled():
        assert network.explain(inputs).output.words == ((), (), ())


def _one() -> dict[Modality, dict[str, Tensor]]:
    return {m: {name: tensor[:1] for name, tensor in tensors.items()} for m, tensors in made()[1].items()}


def _cider(texts: list[str], answers: list[list[str]]) -> float:
    """CIDEr-D (Vedantam et al. 2015) from the paper: n-grams by tf-idf, clipped, with a penalty of lengths."""

    def grams(text: str, n: int) -> Counter[tuple[str, ...]]:
        words = text.split()
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    total = 0.0
    for n in range(1, 5):
        seen = Counter(gram for some in answers for gram in {g for a in some for g in grams(a, n)})
        for text, some in zip(texts, answers, strict=True):
            vectors = []
            for one in (text, *some):
                idf = {gram: math.log(len(answers) / max(1, seen[gram])) for gram in grams(one, n)}
                vectors.append({gram: count * idf[gram] for gram, count in grams(one, n).items()})
            mine, *theirs = vectors
            for answer, other in zip(some, theirs, strict=True):
                dot = sum(min(value, other.get(gram, 0)) * other.get(gram, 0) for gram, value in mine.items())
                norms = [math.sqrt(sum(v * v for v in vector.values())) for vector in (mine, other)]
                apart = len(text.split()) - len(answer.split())
                penalty = math.exp(-(apart**2) / (2 * 6.0**2))
                total += 10 * penalty * (dot / (norms[0] * norms[1]) if all(norms) else 0) / len(some)
    return total / 4 / len(texts)


def test_caption_scores_are_those_of_their_papers() -> None:
    texts = ["a dog is running", "two men play guitar", "a piano plays before a drum on the left"]
    answers = [
        ["a dog runs fast on grass", "the dog is running"],
        ["two men play guitar", "men playing the guitar together"],
        ["a piano plays before the drum on the left", "first a piano is heard then a drum"],
    ]
    scores = caption_scores([f"{text.capitalize()}." for text in texts], answers)
    assert scores["CIDEr-D"] == pytest.approx(_cider(texts, answers), rel=1e-6)
    # ROUGE-L by hand: the longest common subsequence over all answers, F with β = 1.2.
    best = [(3 / 4, 3 / 4), (4 / 4, 4 / 4), (8 / 9, 8 / 9)]
    f = [(1 + 1.2**2) * p * r / (r + 1.2**2 * p) for p, r in best]
    assert scores["ROUGE-L"] == pytest.approx(sum(f) / 3, rel=1e-6)
    # BLEU-1 by hand: each word is in an answer, as often as it is said, and the nearest answers are as long.
    assert scores["BLEU-1"] == pytest.approx(1.0, rel=1e-6)


def test_normal_words() -> None:
    assert normal("  A dog, isn't it?\nYes ") == "a dog isn't it yes"

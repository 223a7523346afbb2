"""Explanations say what the model did: its answer, its importances, its readout's attention."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_world import write_film
from untrained import TOY, predictor

from lstta_core.finite import NotFiniteError
from lstta_core.interfaces import Modality
from lstta_tasks.data.clip import ClipSource, DecodeError
from lstta_tasks.data.decode import decode_clip
from lstta_tasks.explain.explain import explain
from lstta_tasks.explain.explanation import STANDS_OUT, Explanation
from lstta_tasks.task import Sample, TimedText
from lstta_tasks.tasks.avqa import AVQA
from lstta_tasks.tasks.inference import Inference
from lstta_tasks.tasks.retrieval import Retrieval
from lstta_tasks.tasks.sentiment import Sentiment

VISUAL, AUDIO, LANGUAGE = Modality
QUESTIONS = ["Is the flute loud?", "Is it bright?"]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    write_film(tmp_path / "film.mp4")
    return tmp_path / "film.mp4"


def inputs_of(model: Any, film: Path, *texts: str | None, timed: tuple[TimedText, ...] = ()) -> Any:
    source = ClipSource("film", film)
    clip = decode_clip(source, TOY)
    items = [(Sample(id=str(i), source=source, text=text, target=0, timed=timed), clip) for i, text in enumerate(texts)]
    return model.collate(items)["inputs"]


class TestAnswers:
    def test_are_those_of_predict(self, film: Path) -> None:
        model = predictor(AVQA(answers=["a", "b", "c"]))
        for found, text in zip(explain(model, film, QUESTIONS), QUESTIONS, strict=True):
            expected = model.predict(film, text)
            assert (found.text, found.answer.text) == (text, expected["answer"])
            assert found.answer.choices[expected["answer"]] == pytest.approx(expected["probability"], abs=1e-6)

    @pytest.mark.parametrize("texts", [[], [" "]])
    def test_without_words(self, film: Path, texts: list[str]) -> None:
        model = predictor(AVQA(answers=["a", "b", "c"]))
        (found,) = explain(model, film, texts)
        assert found.text is None
        assert max(found.answer.choices.values()) == pytest.approx(model.predict(film)["probability"], abs=1e-6)

    def test_subtitles_are_read(self, film: Path) -> None:
        model, timed = predictor(Inference()), (TimedText(0.1, 0.5, "a flute"),)
        (found,) = explain(model, film, ["it is loud"], timed=timed)
        assert found.timed == timed
        with torch.no_grad():
            logit = model.model(inputs_of(model, film, "it is loud", timed=timed)).output
        assert found.answer.choices["real"] == pytest.approx(logit.sigmoid().item())
        assert found.answer != explain(model, film, ["it is loud"])[0].answer

    def test_and_refused_by_tasks_that_read_none(self, film: Path) -> None:
        with pytest.raises(ValueError, match="the task avqa reads none"):
            explain(predictor(AVQA(answers=["a", "b"])), film, QUESTIONS, timed=[TimedText(0, 1, "?")])

    def test_a_file_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(DecodeError, match=r"none.mp4"):
            explain(predictor(AVQA(answers=["a", "b"])), tmp_path / "none.mp4", QUESTIONS)


class TestCurves:
    def test_are_the_models_own(self, film: Path) -> None:
        model = predictor(AVQA(answers=["a", "b", "c"]))
        explanations = explain(model, film, QUESTIONS)
        with torch.no_grad():
            trimodal = model.model.trimodal(inputs_of(model, film, *QUESTIONS))
            attention = model.model.readout.attention(trimodal)
        for row, found in enumerate(explanations):
            for modality in (VISUAL, AUDIO):
                g = trimodal.importances[-1][modality][row].double().numpy()
                assert g.std() > 1e-3
                np.testing.assert_array_equal(found.importances[modality], g)
                np.testing.assert_allclose(found.relative_importances[modality], g / g.mean())
                np.testing.assert_array_equal(found.attention[modality], attention[modality][row].double().numpy())
                assert found.attention[modality].sum() == pytest.approx(1)
            assert found.duration == pytest.approx(1.0)
            np.testing.assert_allclose(found.edges(3), [0, 1 / 3, 2 / 3, 1], rtol=1e-3)
        assert not np.allclose(explanations[0].attention[VISUAL], explanations[1].attention[VISUAL])

    def test_of_a_modality_that_the_clip_lacks_there_are_none(self, tmp_path: Path) -> None:
        write_film(tmp_path / "silent.mp4", sound=False)
        (found,) = explain(predictor(AVQA(answers=["a", "b"])), tmp_path / "silent.mp4", QUESTIONS[:1])
        assert list(found.importances) == list(found.attention) == [VISUAL]

    def test_methods_without_importances_have_attention(self, film: Path) -> None:
        (found,) = explain(predictor(AVQA(answers=["a", "b"]), method={"name": "none"}), film, QUESTIONS[:1])
        assert not found.importances
        assert list(found.attention) == [VISUAL, AUDIO]

    def test_a_model_that_has_diverged_is_an_error(self, film: Path) -> None:
        model = predictor(Sentiment())
        with torch.no_grad():
            for parameter in model.model.parameters():
                if parameter.requires_grad:
                    parameter.fill_(torch.nan)
        with pytest.raises(NotFiniteError, match="what the model answers holds numbers that are NaN or infinite"):
            explain(model, film, QUESTIONS[:1])

    def test_importances_that_are_no_numbers_are_an_error(self, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        model = predictor(Sentiment())
        before = model.model.explain

        def spoilt(inputs: Any) -> Any:
            output = before(inputs)
            return replace(output, importances={m: g * float("nan") for m, g in output.importances.items()})

        monkeypatch.setattr(model.model, "explain", spoilt)
        with pytest.raises(NotFiniteError, match="the importances of its segments"):
            explain(model, film, QUESTIONS[:1])

    def test_segments_that_hold_nothing_have_no_importance(self, film: Path) -> None:
        made = explanation(importances={AUDIO: np.array([0.5, np.nan, 1.5])})
        np.testing.assert_allclose(made.relative_importances[AUDIO], [0.5, np.nan, 1.5])

    def test_importances_that_are_all_zero_are_equal(self) -> None:
        """As they are in float32 once training has driven log g below −104."""
        made = explanation(importances={AUDIO: np.array([0.0, np.nan, 0.0])})
        np.testing.assert_array_equal(made.relative_importances[AUDIO], [1, np.nan, 1])

    @pytest.mark.parametrize("most", [STANDS_OUT / 4 * 0.99, STANDS_OUT / 4 * 1.01])
    def test_a_segment_is_pointed_out_where_it_stands_out(self, most: float) -> None:
        rest = (1 - most) / 3
        made = explanation(attention={VISUAL: np.array([rest, rest, most, rest])})
        assert made.most_attended(VISUAL) == ((4.0, 6.0) if most > STANDS_OUT / 4 else None)
        assert made.most_attended(AUDIO) is None

    def test_even_attention_to_what_a_clip_has_is_even(self) -> None:
        shares, holds = np.array([0.25, 0.25, 0.25, 0.25, 0, 0, 0]), np.array([True] * 4 + [False] * 3)
        assert explanation(attention={AUDIO: shares}).most_attended(AUDIO) is not None
        assert explanation(attention={AUDIO: shares}, holds={AUDIO: holds}).most_attended(AUDIO) is None


class TestRetrieval:
    TEXTS = ("loud and bright", "soft and dark", "it is silent")

    def test_texts_are_ranked_by_their_cosine(self, film: Path) -> None:
        model = predictor(Retrieval(embedding=6))
        (found,) = explain(model, film, self.TEXTS)
        cosines = {text: model.predict(film, text)["similarity"] for text in self.TEXTS}
        assert found.answer.choices == pytest.approx(cosines, abs=1e-6)
        assert list(found.answer.choices) == sorted(cosines, key=lambda text: -cosines[text])
        assert (found.answer.text, found.answer.measure) == (next(iter(found.answer.choices)), "cosine")
        assert list(found.attention) == list(found.importances) == [VISUAL, AUDIO]

    def test_in_joint_mode_as_the_third_tower_corrects_it(self, film: Path) -> None:
        model = predictor(Retrieval(embedding=6, joint=True))
        (found,) = explain(model, film, self.TEXTS)
        for text in self.TEXTS:
            said = model.predict(film, text)
            with torch.no_grad():
                added = model.model.score(inputs_of(model, film, text)).item()
            assert found.answer.choices[text] == pytest.approx(said["scale"] * said["similarity"] + added, abs=1e-4)
        assert found.answer.measure == "match"

    def test_more_texts_than_fit_into_a_batch(self, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        model = predictor(Retrieval(embedding=6))
        (whole,) = explain(model, film, self.TEXTS)
        monkeypatch.setattr("lstta_tasks.explain.explain.AT_ONCE", 2)
        (parts,) = explain(model, film, self.TEXTS)
        assert parts.answer.choices == pytest.approx(whole.answer.choices, abs=1e-6)

    def test_without_texts(self, film: Path) -> None:
        with pytest.raises(ValueError, match="retrieval compares clips with texts: give at least one"):
            explain(predictor(Retrieval(embedding=6)), film)


def explanation(**curves: Any) -> Explanation:
    from lstta_tasks.answers.description import Answer

    filled: dict[str, Any] = {"importances": {}, "attention": {}, **curves}
    return Explanation(ClipSource("clip", Path("clip.mp4")), "?", (), Answer("yes"), 8.0, **filled)

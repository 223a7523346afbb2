"""Pictures and pages of whatever there is to show. Warnings, such as of a missing glyph, are errors here."""

from __future__ import annotations

import base64
import io
import re
import wave
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_world import write_film
from untrained import TOY, predictor

from lstta_core.interfaces import Modality
from lstta_tasks.answers.description import Answer
from lstta_tasks.explain import inline, said
from lstta_tasks.explain.excerpt import Media, read_media
from lstta_tasks.explain.explain import explain
from lstta_tasks.explain.explanation import Explanation
from lstta_tasks.explain.page import article, page
from lstta_tasks.explain.palette import COLOURS, DARK_COLOURS
from lstta_tasks.explain.picture import picture, save_picture, titles
from lstta_tasks.task import TimedText
from lstta_tasks.tasks.avqa import AVQA

EVIL = '<script>alert("1")</script> & <b>more</b>'
WORDS = ["", "🙂🎺 שלום مرحبا", "it costs $5 or $\\nothing$", "two\nlines\tand tabs", " ".join(["word"] * 200), EVIL]
Case = tuple[Explanation, Media]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return made(tmp_path_factory.mktemp("film") / "film.mp4")


def made(path: Path, **film: Any) -> Case:
    write_film(path, **film)
    (found,) = explain(predictor(AVQA(answers=["left", "right", "middle"])), path, ["Which is loud?"], name=path.name)
    return found, read_media(found.source, TOY, found.duration)


def changed(case: Case, **changes: Any) -> Case:
    return replace(case[0], **changes), case[1]


class TestPicture:
    @pytest.mark.parametrize("text", WORDS)
    def test_any_words(self, case: Case, text: str) -> None:
        answer = Answer(text or "-", {text or "-": 0.75, "other": 0.25})
        found = picture(*changed(case, text=text, answer=answer, timed=(TimedText(0.2, 0.8, text),)))
        plain = picture(*changed(case, timed=(TimedText(0.2, 0.8, "plain"),)))
        assert found.dtype == np.uint8
        assert found.shape == plain.shape
        assert found.shape[1:] == (1100, 3)

    def test_colours_of_both_modalities_are_there(self, case: Case) -> None:
        pixels = picture(*case).reshape(-1, 3)
        for colour in COLOURS.values():
            wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
            assert (pixels == wanted).all(1).sum() > 500

    def test_without_sound_or_pictures_or_curves(self, case: Case, tmp_path: Path) -> None:
        silent = picture(*made(tmp_path / "silent.mp4", sound=False))
        wanted = np.array([int(COLOURS[Modality.AUDIO][i : i + 2], 16) for i in (1, 3, 5)])
        assert not (silent == wanted).all(-1).any()
        explanation, media = case
        blind = replace(media, clip=replace(media.clip, has_video=False))
        assert picture(explanation, blind).shape[0] < picture(*case).shape[0]
        bare = picture(*changed(case, importances={}, attention={}))
        assert bare.shape[0] < picture(*case).shape[0] - 200

    def test_a_segment_that_holds_nothing(self, case: Case) -> None:
        g = {m: np.array([0.5, np.nan, 1.5]) for m in (Modality.VISUAL, Modality.AUDIO)}
        assert (picture(*changed(case, importances=g)) != picture(*case)).any()

    def test_a_file(self, case: Case, tmp_path: Path) -> None:
        save_picture(*case, tmp_path / "a.png")
        with Image.open(tmp_path / "a.png") as image:
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), picture(*case))

    def test_titles(self, case: Case) -> None:
        choices = {"left": 0.6, "right": 0.397, "middle": 0.003}
        assert titles(changed(case, answer=Answer("left", choices))[0]) == (
            "film.mp4 · Which is loud?",
            "left 60 % · right 40 %",
        )
        scored = Answer("weakly negative", score=-1.04, scale=(-3, 3))
        assert titles(changed(case, answer=scored)[0])[1] == "weakly negative −1.04, from −3 to +3"
        ranked = Answer("a", {"a": 0.5, "b": -0.5}, "cosine")
        asked, said = titles(changed(case, answer=ranked)[0])
        assert (asked, said) == ("film.mp4 · cosine with 2 texts; the curves are of the clip alone", "0.500 a")


class Reader(HTMLParser):
    """Checks that tags are balanced, and keeps what is seen and what is referred to."""

    VOID = ("meta", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.seen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.seen += data


def read(*drawn: Case, **others: Any) -> tuple[str, Reader]:
    options: dict[str, Any] = {
        "title": "t", "subtitle": "s", "rankings": {}, "measure": "probability", "failed": {}, **others
    }  # fmt: skip
    text = page(articles=[article(*case) for case in drawn], **options)
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return text, reader


class TestPage:
    def test_it_needs_nothing_from_outside(self, case: Case) -> None:
        text, reader = read(case)
        assert len(reader.addresses) == 3 + 1 + 1  # frames, spectrogram, sound
        assert all(address.startswith("data:") for address in reader.addresses)
        code = re.sub(r"data:[^\"]*", "", text)
        assert not re.search(r"https?://|@import|url\(|fetch|XMLHttp", code)
        assert "default-src 'none'" in text
        assert not {"link", "iframe", "object", "embed"} & set(reader.tags)

    def test_texts_are_escaped_everywhere(self, case: Case) -> None:
        answer = Answer(EVIL, {EVIL: 0.9, EVIL + "2": 0.1})
        evil = changed(case, text=EVIL, answer=answer, timed=(TimedText(0, 1, EVIL),))
        evil = (replace(evil[0], source=replace(evil[0].source, id=EVIL)), evil[1])
        text, reader = read(
            evil, title=EVIL, subtitle=EVIL, rankings={EVIL: [(EVIL, 0.5)]}, measure=EVIL, failed={EVIL: EVIL}
        )
        assert reader.tags.count("script") == 1
        assert "<b>more" not in text
        assert reader.seen.count(EVIL) >= 10

    def test_only_curves_that_are_drawn_are_explained(self, case: Case) -> None:
        both, spoken, neither = (
            read(one)[1].seen
            for one in (case, changed(case, attention={}), changed(case, attention={}, importances={}))
        )
        assert ("Importance: g" in both, "Attention: which" in both) == (True, True)
        assert ("Importance: g" in spoken, "Attention: which" in spoken) == (True, False)
        assert ("Importance: g" in neither, "Attention: which" in neither) == (False, False)

    def test_pictures_and_sound_are_the_clips(self, case: Case) -> None:
        _, media = case
        _, reader = read(case)
        *images, sound = [base64.b64decode(address.split(",")[1]) for address in reader.addresses]
        sizes = [Image.open(io.BytesIO(image)).size for image in images]
        assert sizes[:3] == [media.clip.frames.shape[3:1:-1]] * 3
        with wave.open(io.BytesIO(sound)) as file:
            assert (file.getframerate(), file.getnchannels()) == (TOY.sample_rate, 1)
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        np.testing.assert_array_equal(samples, media.sound()[0])

    @pytest.mark.parametrize("segment", range(6))
    def test_a_narrow_screen_leaves_out_every_other_frame_but_the_outlined(self, case: Case, segment: int) -> None:
        explanation, media = case
        media = replace(media, clip=replace(media.clip, frames=np.repeat(media.clip.frames[:1], 6, 0)))
        attention = {Modality.VISUAL: np.eye(6)[segment]}
        text, _ = read((replace(explanation, attention=attention, importances={}), media))
        spare = ["spare" in found for found in re.findall(r"<img [^>]*alt=.at", text)]
        assert [sum(spare[place : place + 2]) for place in (0, 2, 4)] == [1, 1, 1]
        assert not spare[segment]

    def test_numbers(self, case: Case) -> None:
        explanation, _ = case
        _, reader = read(case)
        for curve in explanation.attention.values():
            assert all(f"{share:.1%}" in reader.seen for share in curve)
        for curve in explanation.relative_importances.values():
            assert all(f"{g:.2f}" in reader.seen for g in curve)

    @pytest.mark.parametrize(
        "answer",
        [
            Answer("fine", score=0.4, scale=(-3, 3)),
            Answer("b", {"b": 0.2, "a long text that stands on a line of its own": -0.1}, "cosine"),
            Answer("tags: x, y"),
        ],
    )
    def test_answers_of_every_kind(self, case: Case, answer: Answer) -> None:
        _, reader = read(changed(case, answer=answer))
        assert answer.text in reader.seen

    def test_without_sound_or_pictures_or_curves(self, case: Case, tmp_path: Path) -> None:
        _, silent = read(made(tmp_path / "silent.mp4", sound=False))
        assert "no sound" in silent.seen
        assert "audio" not in silent.tags
        explanation, media = case
        blind = replace(media, clip=replace(media.clip, has_video=False))
        assert "no pictures" in read((explanation, blind))[1].seen
        _, bare = read(changed(case, importances={}, attention={}))
        assert "clip's mean" not in bare.seen.split("Importance: ")[0]
        assert "% per segment" not in bare.seen

    def test_much_sound_is_left_out(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inline, "LARGEST", 10)
        assert "audio" not in read(case)[1].tags

    def test_sound_with_gaps_is_left_out(self, case: Case) -> None:
        explanation, media = case
        sound = media.clip.sound_length.copy()
        sound[1] = 1
        gapped = replace(media, clip=replace(media.clip, sound_length=sound))
        assert "audio" not in read((explanation, gapped))[1].tags


@pytest.mark.parametrize(("colours", "ground"), [(COLOURS, "#ffffff"), (DARK_COLOURS, "#1b1f24")])
def test_colours_can_be_read_on_their_ground(colours: dict[Modality, str], ground: str) -> None:
    """As WCAG 2.2 asks of text: a contrast of 4.5."""
    for colour in colours.values():
        light, dark = sorted((_luminance(colour), _luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in levels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


class TestSegments:
    """Answers for every segment: rows along the time axis, those that are said first."""

    ANSWER = Answer("a 2", segments={EVIL: [0.0, 0.6, 1.0], "car, sight": [0.3, 0.2, 0.1], "never": [0.0, 0.1, 0.2]})

    def test_a_row_each_with_a_cell_a_segment(self, case: Case) -> None:
        text = article(*changed(case, answer=self.ANSWER, attention={}))
        assert text.count('<div class="cells') == 2
        assert '<div class="cells sight">' in text
        assert ">60</i>" in text
        assert 'class="likely"' in text
        assert EVIL not in text
        assert "never" not in text
        assert "<th>&lt;script&gt;" in text  # among the numbers too

    def test_the_picture_has_them_too(self, case: Case) -> None:
        plain = picture(*case)
        found = picture(*changed(case, answer=self.ANSWER))
        assert found.shape[0] > plain.shape[0] + 30
        assert found.shape[1:] == plain.shape[1:]

    def test_one_row_where_nothing_is_likely(self, case: Case) -> None:
        faint = Answer("none", segments={"a": [0.1] * 3, "b": [0.05] * 3})
        assert list(said.rows(faint)) == ["a"]
        assert article(*changed(case, answer=faint)).count('<div class="cells') == 1

    def test_long_clips_have_no_numbers_in_cells(self, case: Case) -> None:
        long = Answer("a", segments={"a": [0.9] * 41})
        text = article(*changed(case, answer=long, importances={}, attention={}))
        assert text.count("<i style=") == 41
        assert ">90</i>" not in text
        assert picture(*changed(case, answer=long, importances={}, attention={})).size

    def test_names_are_cut_before_their_side(self) -> None:
        assert said.short("Telephone_bell_ringing, sight", 17) == "Telephone…, sight"
        assert said.short("background", 17) == "background"

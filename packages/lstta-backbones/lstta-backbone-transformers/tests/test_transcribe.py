"""Whisper's search: the rules of its times, windows, and vocabularies; what it hears with real weights is in tests/."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from lstta_backbone_transformers.transcribe import RATE, OpenAIWords, Whisper, _Ids

ENGLISH, MANY = 51864, 51865


@pytest.fixture(scope="module", params=[ENGLISH, MANY])
def whisper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    """One that says anything: two small blocks with random weights, and the numbers of its tokens as words."""
    folder = tmp_path_factory.mktemp("whisper")
    torch.manual_seed(0)
    small = {"d_model": 12, "encoder_layers": 1, "decoder_layers": 1, "max_target_positions": 44, "num_mel_bins": 80}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8}
    config = WhisperConfig(vocab_size=request.param, **small, **heads)
    WhisperForConditionalGeneration(config).save_pretrained(folder / "model")
    lines = [f"{base64.b64encode(f' {number}'.encode()).decode()} {number}" for number in range(50257)]
    (folder / "words.tiktoken").write_text("\n".join(lines))
    return Whisper(model=str(folder / "model"), vocabulary=str(folder / "words.tiktoken"))


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).integers(-8000, 8000, round(seconds * RATE), dtype=np.int16)


def test_times_never_go_back_and_lines_end_after_their_start(whisper: Whisper) -> None:
    lines = whisper(noise(41))
    assert lines
    for (start, end, text), after in zip(lines, [*lines[1:], (41.0, 41.0, "")], strict=True):
        assert 0 <= start <= end <= 41
        assert after[0] >= end or after[0] >= start
        assert text


def test_allowed_tokens(whisper: Whisper) -> None:
    ids = whisper.ids

    def allowed(*tokens: int) -> torch.Tensor:
        return whisper._allowed(torch.zeros(whisper.model.config.vocab_size), tokens).isfinite()

    first, later = ids.times + 10, ids.times + 30
    assert allowed().nonzero().flatten().tolist() == list(range(ids.times, ids.times + 51))
    assert not allowed(first)[ids.times :].any()  # words, or nothing
    assert allowed(first)[[5, ids.end]].all()
    assert allowed(first, 5)[[6, first + 1]].all()
    assert not allowed(first, 5)[ids.times : first + 1].any()
    closed = allowed(first, 5, later)
    assert closed[[ids.end, later, later + 1]].all()
    assert not closed[[5, first, later - 1]].any()
    assert not allowed(first, 5)[ids.end + 1 : ids.times].any()


def test_lines_of_a_window(whisper: Whisper) -> None:
    time = whisper.ids.times
    whole = [time, 7, 8, time + 50, time + 50, 9, time + 100]
    assert whisper._lines(whole, 30.0) == ([(0.0, 1.0, "7 8"), (1.0, 2.0, "9")], 30.0)
    cut = [*whole[:4], time + 60, 9]
    assert whisper._lines(cut, 30.0) == ([(0.0, 1.0, "7 8")], pytest.approx(1.2))  # heard again from there
    assert whisper._lines(cut, 3.0) == ([(0.0, 1.0, "7 8"), (pytest.approx(1.2), 3.0, "9")], 3.0)
    assert whisper._lines([time, 7], 30.0) == ([(0.0, 30.0, "7")], 30.0)
    assert whisper._lines([], 30.0) == ([], 30.0)


def test_silence_says_nothing(whisper: Whisper) -> None:
    assert whisper(np.zeros(RATE, np.int16)) == []
    assert whisper(np.zeros(0, np.int16)) == []


def test_ids_are_those_of_the_published_models() -> None:
    english, many, newest = _Ids(ENGLISH), _Ids(MANY), _Ids(51866)
    assert (english.end, english.start, english.no_speech, english.times) == (50256, 50257, 50361, 50363)
    assert (many.end, many.start, many.transcribe, many.no_speech, many.times) == (50257, 50258, 50359, 50362, 50364)
    assert (newest.transcribe, newest.times) == (50360, 50365)
    assert (english.language("en"), many.language("en"), many.language("de")) == (None, 50259, 50261)
    for ids, name in ((english, "de"), (many, "klingon")):
        with pytest.raises(ValueError, match=f"language: one of .*en.* is wanted, got '{name}'"):
            ids.language(name)


def test_vocabularies(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("w6Q= 0\nIA== 1\nw6Q= 2\n")
    assert OpenAIWords(tmp_path / "a").decode([0, 1, 2, 99]) == "ä ä"
    (tmp_path / "b").write_text("no vocabulary\n")
    with pytest.raises(ValueError, match=r"b: no vocabulary, whose lines are a word in base64 and a number"):
        OpenAIWords(tmp_path / "b")


def test_what_is_no_whisper(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match="a Whisper is wanted, got 'bert'"):
        Whisper(model=str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "whisper"}))
    with pytest.raises(ValueError, match=r"it has no tokenizer.json: say where its vocabulary is"):
        Whisper(model=str(tmp_path))

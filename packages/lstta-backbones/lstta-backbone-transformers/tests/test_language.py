"""Texts: the tokenizer in workers, lengths, and padding that is attended to."""

from __future__ import annotations

import multiprocessing
from types import ModuleType
from typing import Any

import pytest
import torch

from lstta_backbone_transformers.language import LanguageEncoder


def made(small: ModuleType, name: str, **options: Any) -> LanguageEncoder:
    case = next(case for case in small.CASES if case.name == name)
    part = case.part(case.library())
    return LanguageEncoder(
        model=part, family=small.FAMILIES[part.config.model_type], tokenizer=small.tokenizer(), **options
    ).eval()


def test_special_tokens_are_added_and_long_texts_cut(small: ModuleType) -> None:
    spec = made(small, "bert", max_length=7).spec
    assert spec.pad_id == small.PAD
    ids = spec.tokenize("the drum is on the left of the one on the right")
    assert len(ids) == 7
    assert (ids[0], ids[-1]) == (small.CLS, small.SEP)


def test_the_tokenizer_works_in_spawned_workers(small: ModuleType) -> None:
    tokenize = made(small, "bert").spec.tokenize
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(tokenize, ("what plays first",)) == tokenize("what plays first")


@pytest.mark.parametrize(
    ("name", "length"),
    [("bert", 128), ("clip-text", 23), ("roberta", 128), ("clap-text", 27), ("siglip-text", 17), ("t5", 128)],
)
def test_the_length_stays_within_the_architecture(small: ModuleType, name: str, length: int) -> None:
    assert made(small, name).spec.max_length == length


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("clip-text", 24, "max_length=24 does not fit clip_text_model: it reads at most 23 ids"),
        ("clap-text", 28, "it reads at most 27 ids"),
        ("siglip-text", 16, "it reads exactly 17 ids"),
    ],
)
def test_lengths_over_the_limit_are_refused(small: ModuleType, name: str, asked: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(small, name, max_length=asked)


@pytest.mark.parametrize("name", ["clap-text", "clip-text", "mpnet", "roberta"])
def test_a_text_of_the_full_length_runs(small: ModuleType, name: str) -> None:
    encoder = made(small, name)
    limit = encoder.family.limit(encoder.model.config)
    assert limit is not None
    ids = torch.full((1, 1, limit), 7)
    with torch.no_grad():
        encoder.embed({"ids": ids, "mask": torch.ones_like(ids, dtype=torch.bool)})


def test_siglip_attends_to_padding_but_adapters_do_not_see_it(small: ModuleType) -> None:
    encoder = made(small, "siglip-text")
    ids = encoder.spec.tokenize("what plays first")
    assert len(ids) == 17
    batch = {"ids": torch.tensor([[ids]]), "mask": torch.ones(1, 1, 17, dtype=torch.bool)}
    with torch.no_grad():
        state = encoder.embed(batch)
    assert "attention_mask" not in state.extras
    assert state.layout.mask(state.mask).sum() == 5


@pytest.mark.parametrize("name", ["bert", "llama", "modernbert", "t5"])
def test_a_row_without_words_attends_to_all_of_its_places(small: ModuleType, name: str) -> None:
    """Attention over nothing is not a number on some devices, and would poison the gradients of the other rows."""
    ids = torch.tensor([[[5, 6, 7]], [[small.PAD] * 3]])
    words = torch.tensor([[[True, True, False]], [[False] * 3]])
    with torch.no_grad():
        state = made(small, name).embed({"ids": ids, "mask": words})
    masks = [mask for mask in state.extras.values() if mask.dtype == torch.bool]
    assert masks
    for attention in masks:
        assert attention[1].any(-1).all()
        assert not attention[0, ..., 2].any()
    assert not state.mask[1].any()

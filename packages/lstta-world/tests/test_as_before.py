"""What is generated is what version 0.1 generated: annotations to the byte, scenes and talks to nine digits.

The digests were computed with version 0.1 (commit e6b9918), those of ``moments`` with its first edition. Whatever
changes one makes other data sets from the same arguments: then GENERATOR_VERSION or the data set's edition has to rise.
Films are functions of scenes and talks; their bytes depend on the encoder's version, so they are not compared here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from importlib import import_module

import pytest

from lstta_world.data_set import DataSet
from lstta_world.splits import SPLITS

SEED = 5
# Clips of each split; the digest of the plans of eleven clips of each; the digests of the annotation files.
EXPECTED: dict[str, tuple[tuple[int, int, int], str, dict[str, str]]] = {
    "music_avqa": (
        (7, 3, 3),
        "92cf3b8e8d3ffdf0",
        {
            "json/avqa-test.json": "1f0ff0438adc4a2c",
            "json/avqa-train.json": "778f323630fe0e78",
            "json/avqa-val.json": "a8a28cfebb8a4117",
        },
    ),
    "msrvtt": (
        (6, 3, 4),
        "2a7fb1a6cc73bce0",
        {
            "MSRVTT_JSFUSION_test.csv": "d901527dd02f4d23",
            "MSRVTT_data.json": "606bdc60ddc88e5d",
            "MSRVTT_train.9k.csv": "55e66bb7747eefcf",
            "MSRVTT_val.csv": "2b89515153570fe0",
        },
    ),
    "violin": (
        (5, 2, 3),
        "4375fae659fb9d9c",
        {"violin_annotation.json": "205515c1490c8344"},
    ),
    "urfunny": (
        (6, 2, 3),
        "f039843c26ff7111",
        {
            "data_folds.pkl": "33db443c7ccbe360",
            "humor_label_sdk.pkl": "f35f8960baa85e9d",
            "language_sdk.pkl": "87c7c3951a078466",
        },
    ),
    "mosi": (
        (6, 3, 4),
        "e553e372aec4fba0",
        {"label.csv": "31d6fd52fd6ea509"},
    ),
    "meld": (
        (7, 3, 4),
        "cb70738f2b9fac5f",
        {
            "dev_sent_emo.csv": "e499f2d4345ae621",
            "test_sent_emo.csv": "bf14f9a83d85f024",
            "train_sent_emo.csv": "ecfa58824135e533",
        },
    ),
    "moments": (
        (5, 2, 3),
        "119d0a40ef633725",
        {
            "json/avqa-test.json": "25cb24ea91086b3b",
            "json/avqa-train.json": "ae5b6b619d3c924a",
            "json/avqa-val.json": "c0dd4ce6c2adb8d9",
        },
    ),
}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def plain(value: object) -> object:
    """As JSON can have it, numbers to nine digits; functions are left out."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if callable(value) else value


@pytest.mark.parametrize("module", EXPECTED)
def test_data_sets_are_as_before(module: str) -> None:
    counts, of_plans, of_files = EXPECTED[module]
    writer = import_module(f"lstta_world.{module}")
    plans = plain([writer.plan(split, 11, SEED) for split in SPLITS])
    assert digest(json.dumps(plans, ensure_ascii=False).encode()) == of_plans
    data_set: DataSet = writer.DATA_SET
    contents = data_set.contents(dict(zip(SPLITS, counts, strict=True)), SEED)
    assert {path: digest(content) for path, content in contents.annotations.items()} == of_files

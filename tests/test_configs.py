"""Every shipped config loads and describes a model that can be built."""

from __future__ import annotations

import ast
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest
import tokenizers
import transformers

from lstta_core.profiling import ParameterCount, count_parameters
from lstta_tasks.costs.profile import folder_bytes, macs_of_a_sample, profile
from lstta_tasks.experiment.config import load_config
from lstta_tasks.experiment.parts import Experiment
from lstta_tasks.experiment.record import record_of
from lstta_tasks.shipped import shipped

REPOSITORY = Path(__file__).parents[1]
CONFIGS = list(shipped("config").values())
OPTIONS = {
    "ave": {},
    "avqa": {"task.answers": ["no", "yes"]},
    "avvp": {},
    "captioning": {},
    "custom": {"task.labels": ["cat", "dog"]},
    "emotion": {},
    "humor": {},
    "inference": {},
    "moments": {"task.answers": ["no", "yes"]},
    "sentiment": {},
    "recipes": {"task.answers": ["no", "yes"]},
    "open-qa": {},
    "retrieval": {},
}
"""What stands in for the annotations of a task."""


MODELS = Path(os.environ.get("LSTTA_SHARED", REPOSITORY.parent / "shared")) / "models"
ON_DISK = {
    "facebook/dinov2-small": "dinov2-small",
    "openai/whisper-tiny.en": "whisper-tiny-en",
    "sentence-transformers/all-MiniLM-L6-v2": "minilm-l6",
}
QWEN = "Qwen/Qwen2.5-0.5B-Instruct"
ALPHABET = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())


@cache
def small_qwen() -> tempfile.TemporaryDirectory[str]:
    """A language model of Qwen's architecture with random weights, a tokenizer and a chat template; a folder."""
    folder = tempfile.TemporaryDirectory()
    words = tokenizers.Tokenizer(tokenizers.models.BPE({letter: number for number, letter in enumerate(ALPHABET)}, []))
    words.pre_tokenizer, words.decoder = tokenizers.pre_tokenizers.ByteLevel(), tokenizers.decoders.ByteLevel()
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="[END]")
    made.chat_template = "{% for m in messages %}{{ m.content }}[END]{% endfor %}"
    config = transformers.Qwen2Config(
        **{"vocab_size": len(made), "hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 4},
        **{"num_attention_heads": 4, "num_key_value_heads": 2, "eos_token_id": made.eos_token_id},
    )
    transformers.Qwen2ForCausalLM(config).save_pretrained(folder.name)
    made.save_pretrained(folder.name)
    return folder


def local_models(path: Path) -> dict[str, str]:
    """Options that take a config's encoders from the disk; skips the test where one is not there."""
    options = {}
    for modality, settings in load_config(path).encoders.items():
        if "model" in settings:
            on_disk = MODELS / ON_DISK.get(settings["model"], "none")
            folder = Path(small_qwen().name) if settings["model"] == QWEN else on_disk
            if not folder.is_dir():
                pytest.skip(f"{settings['model']} is not in {MODELS}: set LSTTA_SHARED")
            options[f"encoders.{modality}.model"] = str(folder)
    return options


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", CONFIGS, ids=name)
class TestConfigs:
    def test_it_loads(self, path: Path) -> None:
        load_config(path)

    def test_its_header_says_how_to_run_it(self, path: Path) -> None:
        header = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert f"lstta train {name(path)}" in header

    def test_what_it_describes_can_be_built(self, path: Path) -> None:
        config = load_config(path, {**OPTIONS[path.parent.name], **local_models(path)})
        experiment = Experiment(config)
        model = experiment.model
        assert any(parameter.requires_grad for parameter in model.parameters())
        assert experiment.preprocessing.segments == config.clips.segments
        assert record_of(experiment)["method"]["name"] == config.method["name"]

    def test_its_costs_are_counted(self, path: Path) -> None:
        experiment = Experiment(load_config(path, {**OPTIONS[path.parent.name], **local_models(path)}))
        macs = macs_of_a_sample(experiment, text_length=7).total
        assert 0 < macs.forward < macs.step
        parameters = sum(count_parameters(experiment.model).values(), ParameterCount())
        assert 0 < parameters.trainable < parameters.total
        assert folder_bytes(experiment) <= 1.05 * 4 * parameters.trainable

    @pytest.mark.slow
    def test_its_costs_are_measured(self, path: Path) -> None:
        config = load_config(path, {**OPTIONS[path.parent.name], **local_models(path)})
        costs = profile(config, batch_size=2, text_length=7, repeats=1)
        assert costs.config == f"{path.parent.name}/{path.stem}"
        # Where the frozen encoders' forward needs more than the adapters' whole step both have that peak; the one
        # without a target holds two masks then, of 7 and of 3 places for each of two texts.
        assert costs.step.peak_bytes + 2 * (7 + 3) >= costs.forward.peak_bytes > 0


def test_there_are_configs() -> None:
    assert any(path.stem == "tiny_lstta" for path in CONFIGS)

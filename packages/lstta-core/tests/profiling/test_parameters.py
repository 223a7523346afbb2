"""Parameters by part."""

from __future__ import annotations

from lstta_core import FullFineTuning, Modality, TrimodalModel
from lstta_core.adapter_files import trained_tensors
from lstta_core.methods.lstta.adapter import LSTTA
from lstta_core.profiling import ParameterCount, count_parameters
from lstta_core.testing.toy_encoders import toy_encoders

WIDTHS = {Modality.VISUAL: 12, Modality.AUDIO: 10, Modality.LANGUAGE: 6}


def test_adapters_by_stage_and_module() -> None:
    model = TrimodalModel(toy_encoders(), stages=2, adapted=1)
    model.add_adapter("mine", LSTTA(width=8, heads=2))
    counts = count_parameters(model)
    stage = {part[2]: count for part, count in counts.items() if part[:2] == ("adapters", "stage 2")}
    assert stage["down"] == ParameterCount(trainable=sum(8 * width + 8 for width in WIDTHS.values()))
    assert stage["up"] == ParameterCount(trainable=sum(8 * width for width in WIDTHS.values()))
    assert set(stage) == {"down", "up", "long_term", "short_term"}
    assert not any(part[:2] == ("adapters", "stage 1") for part in counts)
    for modality, encoder in model.by_modality().items():
        assert counts[f"{modality} encoder",] == ParameterCount(frozen=sum(p.numel() for p in encoder.parameters()))


def test_the_total_is_the_model_and_what_trains_is_what_is_saved() -> None:
    model = TrimodalModel(toy_encoders())
    model.add_adapter("other", LSTTA(width=4, heads=2))
    model.add_adapter("mine", LSTTA(width=8, heads=2))
    total = sum(count_parameters(model).values(), ParameterCount())
    assert total.total == sum(parameter.numel() for parameter in model.parameters())
    buffers = dict(model.named_buffers())
    saved = {name: t for name, t in trained_tensors(model, "encoders.").items() if name not in buffers}
    assert total.trainable == sum(tensor.numel() for tensor in saved.values())


def test_full_fine_tuning_trains_encoders() -> None:
    model = TrimodalModel(toy_encoders())
    model.add_adapter("all", FullFineTuning())
    assert all(count.frozen == 0 and count.trainable > 0 for count in count_parameters(model).values())

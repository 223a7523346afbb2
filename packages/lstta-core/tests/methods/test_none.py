from __future__ import annotations

from types import ModuleType

from lstta_core.lockstep import TrimodalModel
from lstta_core.methods.none import NoAdapter


def test_nothing_trains_and_there_is_no_graph(small: ModuleType) -> None:
    model = TrimodalModel(small.encoders())
    model.add_adapter("none", NoAdapter())
    assert model.trainable_names() == []
    assert not any(parameter.requires_grad for parameter in model.parameters())
    output = model(small.inputs())
    assert not any(stream.tokens.requires_grad for stream in output.streams.values())
    assert output.importances == []

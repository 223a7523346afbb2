"""What a method is, what it may change inside the encoders, and methods by the names that plugins register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from lstta_core.adapter import Adapter, Size, Stage
from lstta_core.methods.choice import MethodChoice
from lstta_core.plugins import installed_plugins

if TYPE_CHECKING:
    from lstta_core.encoder import Encoder
    from lstta_core.lockstep import TrimodalModel
    from lstta_core.modality import Modality
    from lstta_core.preface import Preface


@dataclass(frozen=True)
class EncoderChange:
    """What a method changes inside the encoders; by default nothing.

    Attributes:
        trainable: names of the encoders' parameters that train, as ``<modality>.<parameter name>``.
        modules: modules inside the encoders that follow ``train()`` and ``eval()`` (dropout); the rest stays in eval.
        switch: true puts the change into force; false takes all of it out of the encoders, which are then as before
            to the bit, with the same parameter names. Always called in turn.
        hear: is told what the other streams have come to before each stage's blocks of an encoder run, and ``{}``
            behind them: by modality (R, E), a vector for each row, zeros where there is nothing; ``{}`` too before the
            first stage, where streams have not met. None, the default, where the change reads no other stream. See
            :mod:`~lstta_core.context`.
    """

    trainable: tuple[str, ...] = ()
    modules: tuple[nn.Module, ...] = ()
    switch: Callable[[bool], None] = lambda on: None
    hear: Callable[[Mapping[Modality, Tensor]], None] | None = None


class Method:
    """What a config names: it decides what trains.

    A method either puts adapters at stages (``lstta``, ``bottleneck``), or changes what trains inside the encoders
    (``lora``, ``full``), or neither (``none``). It overrides what it does and leaves the other as it is: the one
    exception to 'abstract or final', since nearly every method would have to say that it does not do the other.

    Attributes:
        size: the option that ``budget`` solves for, or None where the size of the method is fixed.
    """

    size: Size | None = None

    def prepare(self, encoders: Mapping[Modality, Encoder]) -> EncoderChange:
        """Change the encoders, if that is what the method does, and return the change *switched off*; else no change.

        Args:
            encoders: frozen, and without any other method's change in force.
        """
        return EncoderChange()

    def prepare_at_stages(
        self, encoders: Mapping[Modality, Encoder], crossed: Mapping[Modality, Sequence[int]]
    ) -> EncoderChange:
        """What is called for the change: as :meth:`prepare`, which it calls unless a method has to know the stages.

        Args:
            encoders: as there.
            crossed: by modality, how many blocks have run at stage 0 (none) … K (all).
        """
        return self.prepare(encoders)

    def adapter(self, stage: Stage) -> Adapter | None:
        """The adapter at this stage, freshly initialised; None, as it is here, for none."""
        return None

    def preface(self, widths: Mapping[Modality, int]) -> Preface | None:
        """What stands before a text that speaks, freshly initialised; None, as it is here, for nothing.

        A method with a preface has no adapters at stages, and changes nothing inside the encoders.

        Args:
            widths: of each encoder's finished tokens.
        """
        return None


def create_method(
    name: str, model: TrimodalModel | Sequence[TrimodalModel], *, budget: int | None = None, **options: Any
) -> MethodChoice:
    """A registered method, of a wanted size where one is wanted.

    In a config: ``method=dict(name="lstta", budget=350_000, window=3)``.

    Args:
        name: ``"lstta"``, ``"bottleneck"``, … as plugins register it.
        model: that the method is for; widths, stages and how many are adapted come from it. It is not changed. Where
            there are several, they share the budget: all get the same options.
        budget: how many parameters to train, readout and head not counted; None for the options as they are.
        options: keyword arguments of the method; beside a budget not the one that sets its size (``width``, ``r``).

    Raises:
        UnknownNameError: no plugin registers the name.
        ValueError: the method has no size option, or it is given beside the budget, or the budget is too small.
    """
    models = list(model) if isinstance(model, Sequence) else [model]
    if budget is None:
        return MethodChoice(installed_plugins().create("method", name, **options), name, options, models)
    from lstta_core.budget import nearest_to_budget

    return nearest_to_budget(name, models, budget, options)

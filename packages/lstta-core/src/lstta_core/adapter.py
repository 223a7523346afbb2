"""What an adapter is: the contract of what is trained between blocks, where it stands, and what sets its size.

The letters of shapes are those of ``interfaces``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from lstta_core.modality import Modality
from lstta_core.streams import ending, joined

if TYPE_CHECKING:
    from lstta_core.streams import Stream, Streams

LANGUAGE = Modality.LANGUAGE


@dataclass(frozen=True)
class Stage:
    """A place between blocks where the streams meet.

    Attributes:
        index: 1 … count.
        count: how many stages the model has in all, adapted or not.
        widths: the width of each modality's tokens there; a modality that the model lacks is not in it.
        first: whether it is the first that is adapted.
    """

    index: int
    count: int
    widths: Mapping[Modality, int]
    first: bool = False


@dataclass(frozen=True)
class Size:
    """The option of a method that sets how many parameters it trains.

    Attributes:
        option: its name; more of it means more parameters.
        step: how far its values are apart.
        least: the lowest of them; the step where nothing is said.
    """

    option: str
    step: int = 1
    least: int | None = None

    def value(self, number: int) -> int:
        """The value of this number, counted from 1."""
        return (self.step if self.least is None else self.least) + (number - 1) * self.step


@dataclass(frozen=True)
class AdapterOutput:
    """What an adapter returns.

    Attributes:
        streams: the same modalities, with the same shapes, as it was given.
        importances: (B, T) each, above 0, 1 where nothing is said; empty where a method has none.
        heard: of a text that speaks, what :meth:`Adapter.speak` needs besides later tokens; None for the streams that
            came in.
    """

    streams: Streams
    importances: Mapping[Modality, Tensor] = field(default_factory=dict)
    heard: Any = None


class Adapter(nn.Module, ABC):
    """What is trained at one stage: reads the streams, returns streams of the same shapes.

    It changes the values of tokens, never their number; leaves tokens under a false mask as they are; and at
    initialisation returns its input exactly, so that a fresh model equals the frozen one. What it has to tell the
    adapter at the next stage beside the tokens it returns as ``carried`` of a stream: nothing may be kept in the
    module, since stages are computed again in the backward pass, and two batches may be under way at once.

    A text may have an answer, see :class:`~lstta_core.streams.Stream`: tokens under a false mask that may be changed
    all the same, each by what it is itself and by what lies under true masks. An adapter that knows nothing of answers
    leaves them as they are.
    """

    plan_key: Hashable = None
    """What else a plan depends on: adapters whose keys are equal share it. None: plans are not shared."""

    @abstractmethod
    def forward(self, streams: Streams) -> AdapterOutput:
        """The streams after this stage. An adapter whose :meth:`plan` gives something takes it as second argument."""

    def plan(self, streams: Streams) -> Any:
        """What follows from the masks of a batch alone, made once for all stages; None, the default, for nothing.

        Without gradients. Tokens are not to be looked at: they are other ones at the next stage.
        """
        return None

    def front(self) -> Mapping[Modality, Tensor]:
        """(P, D) by modality: tokens that every row of an encoder has in front from here to the last block.

        Asked for at the first adapted stage alone; by default there are none. See :mod:`~lstta_core.front`.
        """
        return {}

    def speak(self, stream: Stream, heard: Any) -> Stream:
        """Tokens of an answer that come later, as :meth:`forward` would have changed them.

        By default it runs once more with what came in then and these tokens at the end of the text: right for every
        adapter that obeys the rule, since tokens of an answer do not hear each other here.

        Args:
            stream: of the text, (B, 1, n, D): nothing but an answer.
            heard: of the output that :meth:`forward` gave for what came before; the streams it was given where that
                has none.
        """
        streams = {**heard, LANGUAGE: joined(heard[LANGUAGE], stream)}
        plan = self.plan(streams)
        after = (self(streams) if plan is None else self(streams, plan)).streams[LANGUAGE]
        return ending(after, stream)

    def listened(self, text: Stream, heard: Any) -> Mapping[Modality, Tensor]:
        """To which segments each token of a text that speaks listens here, for people to see; by default not told.

        Args:
            text: as :meth:`forward` was given it.
            heard: of the output that it gave; the streams it was given where that has none.

        Returns:
            (B, N, T) by modality of what is heard, shares that add up to 1 over segments and modalities, or to 0 where
            there is nothing to hear; empty where an adapter cannot tell.
        """
        return {}

    def measure(self, streams: Streams) -> None:
        """See a training batch before :meth:`forward` does, for statistics of tokens; by default there are none.

        Not called in evaluation, nor where a stage is computed again in the backward pass.
        """

"""What an encoder is: the contract, and what it wants collation to hand over.

The letters of shapes are those of ``interfaces``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from torch import Tensor, nn

if TYPE_CHECKING:
    from lstta_core.features import FeatureSource
    from lstta_core.interfaces import EncoderState, Modality


@dataclass(frozen=True)
class VisualSpec:
    """What a visual encoder wants: ``frames`` (B, T, F, H, W, 3) uint8, RGB, and ``mask`` (B, T, F) bool.

    Attributes:
        size: (height, width) of a frame in pixels.
        frames_per_segment: how many frames of a segment it reads (VideoMAE: the tubelet depth or a multiple).
        span: ``"segment"`` for rows of one segment or frame, ``"clip"`` for one row over all of a clip.
    """

    size: tuple[int, int]
    frames_per_segment: int = 1
    span: Literal["segment", "clip"] = "segment"


@dataclass(frozen=True)
class AudioSpec:
    """What an audio encoder wants: ``sound`` (B, T, n) int16, mono, and ``length`` (B, T) int64 valid samples.

    Attributes:
        sample_rate: in Hz.
        span: whether the encoder hears each segment by itself or the segments of a clip joined end to end.
        seconds: the fixed length of its input where the architecture has one (Whisper 30, AST 10.24), else None.
        padding_invariant: false where padding changes valid outputs (wav2vec types with group norm): such
            encoders need equal lengths in a batch.
    """

    sample_rate: int
    span: Literal["segment", "clip"] = "segment"
    seconds: float | None = None
    padding_invariant: bool = True


@dataclass(frozen=True)
class LanguageSpec:
    """What a language encoder wants: ``ids`` (B, S, L) int64 and ``mask`` (B, S, L) bool.

    Attributes:
        tokenize: text to token ids, special tokens included, at most ``max_length`` of them. Must be picklable,
            since texts are tokenised in the loader's workers. Adapters are bound to it, see
            :func:`~lstta_core.input_digest.input_digest`: let it tell its ``vocabulary``.
        max_length: the most ids a text may have.
        pad_id: the id that fills ``ids`` where ``mask`` is false.
        answer: of an encoder that speaks, a text to the ids of an answer, its end included; picklable. Such an encoder
            may be given ``answer`` (B, 1, L) bool too, see :mod:`~lstta_core.speaking`. None for all others.
    """

    tokenize: Callable[[str], list[int]]
    max_length: int
    pad_id: int = 0
    answer: Callable[[str], list[int]] | None = None


@dataclass(frozen=True)
class FeatureSpec:
    """What an encoder of ready-made features wants: ``features`` (B, S, N, D) float32 and ``mask`` (B, S, N) bool.

    Attributes:
        source: where features are read. Must be picklable, since they are read in the loader's workers.
        width: D, of a feature.
        tokens: N, how many a segment has at most; collation averages more.
        named: whose features these are: a clip's, a sample's (a question's), or those of a whole video, of which a
            clip may be a part.
        of: what made them, such as an encoder and the digest of its weights. Adapters are bound to it.
    """

    source: FeatureSource
    width: int
    tokens: int = 1
    named: Literal["clip", "sample", "video"] = "clip"
    of: str | None = None


InputSpec = VisualSpec | AudioSpec | LanguageSpec | FeatureSpec
"""What collation must hand over to an encoder."""


class Encoder(nn.Module, ABC):
    """A pretrained network of one modality, seen as embed → blocks → finish.

    Subclasses are final: they implement the three abstract methods, and nothing overrides those again. Raw input
    (uint8 frames, int16 sound, text ids) comes in, so that normalising and log-mels run where the weights are.
    ``finish`` of all blocks of ``embed`` must equal the original library's forward.

    Inputs are a dict of tensors as the spec's docstring says, and always ``present`` (B,) bool.

    Attributes:
        modality: which of the three it reads.
        widths: ``widths[i]`` is the width of the tokens *after* block i, merging included.
        spec: what collation must hand over.
        name: of the weights, such as a hub id; None where nothing is said. An adapter's card shows these three.
        revision: of the weights, such as a commit.
        licence: of the weights.
    """

    modality: Modality
    widths: tuple[int, ...]
    spec: InputSpec
    name: str | None = None
    revision: str | None = None
    licence: str | None = None

    @property
    def depth(self) -> int:
        """The number of blocks."""
        return len(self.widths)

    @abstractmethod
    def embed(self, inputs: Mapping[str, Tensor]) -> EncoderState:
        """Raw input to the state before block 0."""

    @abstractmethod
    def run_block(self, index: int, state: EncoderState) -> EncoderState:
        """The state after block ``index`` (0 ≤ index < depth)."""

    @abstractmethod
    def finish(self, state: EncoderState) -> Tensor:
        """What comes after the last block, such as a norm: (R, M, D), the tokens as the original library gives them."""

    def more_tokens(self, extras: Mapping[str, Tensor], count: int) -> Mapping[str, Tensor] | None:
        """What blocks need besides their tokens if each row has ``count`` more in front, which all its tokens may read.

        None, the default, where the blocks fix the number of tokens, or may: such an encoder takes no prompts.

        Args:
            extras: of a state without them; {} asks whether the encoder takes any.
            count: P.
        """
        return None

    def last_block_behind(self, state: EncoderState, count: int) -> Tensor:
        """(R, M, D): the tokens after the last block, but for the first ``count`` of each row, which nothing reads.

        By default those are computed and left out. Blocks that tell queries from keys can do without; call the block
        itself, as :meth:`run_block` does, and not its parts: what shards, compiles and counts it sees only calls.

        Args:
            state: before the last block, with ``count`` tokens in front.
            count: P > 0.
        """
        return self.run_block(self.depth - 1, state).tokens[:, count:]

    def block(self, index: int) -> nn.Module | None:
        """The module whose parameters nothing before block ``index`` reads (0 < index < depth); None if not known.

        A method that trains only such modules leaves the blocks before them frozen, so their states may be cached.
        """
        return None

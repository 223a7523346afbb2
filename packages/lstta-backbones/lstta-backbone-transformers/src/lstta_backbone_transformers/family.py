"""What a family of architectures declares: where its parts are, and what its blocks need besides tokens.

A family never copies a model. It points to the library's own modules by path and says how to call them.

    model     the library's module that holds embedding, blocks and norm of one modality
    features  what the model's embedding reads: pixels, a log-mel or a waveform, text ids, and masks
    extras    what later blocks need besides tokens; travels in the encoder's state
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from lstta_core.interfaces import Modality

if TYPE_CHECKING:
    from lstta_backbone_transformers.fronts import Front

Features = Mapping[str, Tensor]
Extras = Mapping[str, Tensor]
Mechanism = Literal["plain", "rotary", "carried bias", "hierarchical", "causal", "masked convolution"]


@dataclass(frozen=True, kw_only=True)
class Need:
    """One thing that blocks need besides their tokens.

    Attributes:
        prepare: (model, features, tokens (R, M, D)) → tensors for the state, before block 0.
        arguments: (model, index of the block, extras) → keyword arguments of the block's forward.
        carries: names of extras that a block returns, and their place in the tuple that it returns.
        more: (extras, count) → those of the extras that are others where each row has so many tokens more in front,
            which all its tokens may read; None where blocks fix the number of tokens.
    """

    prepare: Callable[[Any, Features, Tensor], dict[str, Tensor]]
    arguments: Callable[[Any, int, Extras], dict[str, Any]]
    carries: Mapping[str, int] = field(default_factory=dict)
    more: Callable[[Extras, int], Extras] | None = None


def _no_prefix(config: Any) -> int:
    return 0


def _hidden_size(config: Any) -> int:
    return config.hidden_size


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family of architectures.

    Attributes:
        model_type: as the library's configuration names it.
        mechanism: the most that its blocks need.
        blocks: path of the list of blocks; ``a.*.b`` for lists of lists, whose outer modules end in ``downsample``.
        embed: (model, features) → tokens (R, M, D) before block 0.
        needs: what blocks need besides tokens.
        amend: (model, index, tokens before, tokens after, extras) → tokens, for what stands between blocks.
        final_norm: path of the norm after the last block, or paths of it and what follows, None where there is none;
            may depend on the model.
        poolers: modules that only pool, which nothing here runs: they count in the digest of the weights, and where a
            checkpoint lacks theirs they are taken out.
        unused: parameters that inference never reads. Where a checkpoint lacks them they are zero.
        width: config → width of the tokens before block 0.
        grid: (config, size or None) → (H, W) of the tokens before block 0, of hierarchical families.
        standalone: whether the library loads it by itself, and not only as a part of a bimodal checkpoint.
    """

    model_type: str
    mechanism: Mechanism
    blocks: str
    embed: Callable[[Any, Features], Tensor]
    needs: tuple[Need, ...] = ()
    amend: Callable[[Any, int, Tensor, Tensor, Extras], Tensor] | None = None
    final_norm: Callable[[Any], str | None] | str | tuple[str, ...] | None = None
    poolers: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    width: Callable[[Any], int] = _hidden_size
    grid: Callable[[Any, tuple[int, int] | None], tuple[int, int]] | None = None
    standalone: bool = True


def _image_size(config: Any) -> tuple[int, int]:
    size = config.image_size
    return (size, size) if isinstance(size, int) else (size[0], size[1])


@dataclass(frozen=True, kw_only=True)
class VisualFamily(Family):
    """A visual family.

    Attributes:
        mean: of the three colours in [0, 1], where the checkpoint does not say.
        deviation: likewise.
        prefix: config → number of class and register tokens in front.
        native_size: config → (height, width) that it was built for.
        resizable: whether other sizes than the native one are accepted.
        window: config → (frames of a row, frames of a tubelet) of families that read video; None for pictures.
        whole: whether all frames of a clip are one row, behind class tokens, and each frame is one token (PE-AV).
    """

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)
    prefix: Callable[[Any], int] = _no_prefix
    native_size: Callable[[Any], tuple[int, int]] = _image_size
    resizable: bool = True
    window: Callable[[Any], tuple[int, int]] | None = None
    whole: bool = False

    modality = Modality.VISUAL


@dataclass(frozen=True, kw_only=True)
class AudioFamily(Family):
    """An audio family.

    Attributes:
        front: (config, settings of the checkpoint's processor, seconds or None) → what turns sound into features.
    """

    front: Callable[[Any, Mapping[str, Any], float | None], Front]

    modality = Modality.AUDIO


@dataclass(frozen=True, kw_only=True)
class LanguageFamily(Family):
    """A language family.

    Attributes:
        limit: config → the most ids that it accepts, None where the architecture sets no limit.
        fixed: whether texts are always padded to the limit and padding is attended to, as the library's users do.
    """

    limit: Callable[[Any], int | None]
    fixed: bool = False

    modality = Modality.LANGUAGE

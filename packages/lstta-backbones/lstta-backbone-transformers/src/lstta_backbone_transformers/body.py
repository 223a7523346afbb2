"""Runs a family's blocks: one call a block, and what comes after the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import transformers
from torch import Tensor, nn

from lstta_backbone_transformers.family import Extras, Family, Features


@dataclass(frozen=True)
class Step:
    """One block, and in hierarchical families where it works.

    Attributes:
        block: the library's module.
        grid: (H, W) of its tokens, None in families without one.
        merge: the downsampling that follows it, if one does; it halves H and W, rounding up.
    """

    block: nn.Module
    grid: tuple[int, int] | None = None
    merge: nn.Module | None = None


class Body:
    """The way of tokens through a model, as its family declares it.

    Args:
        model: the library's module of one modality.
        family: its declaration.
        size: (height, width) of a picture, of hierarchical visual families.

    Raises:
        ValueError: a declared path does not exist in the model.
    """

    def __init__(self, *, model: nn.Module, family: Family, size: tuple[int, int] | None = None) -> None:
        self.model = model
        self.family = family
        norm = family.final_norm
        given = norm(model) if callable(norm) else norm
        paths = (given,) if isinstance(given, str) else given or ()
        self.after = [find(model, path, family) for path in paths]
        self.steps = _steps(model, family, size)

    def start(self, features: Features) -> tuple[Tensor, dict[str, Tensor]]:
        """The tokens before block 0, and the extras."""
        tokens = self.family.embed(self.model, features)
        extras: dict[str, Tensor] = {}
        for need in self.family.needs:
            extras.update(need.prepare(self.model, features, tokens))
        return tokens, extras

    def run(self, index: int, tokens: Tensor, extras: Extras, **more: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """The tokens after block ``index``, merged where a downsampling follows, and the extras.

        The block is called with ``more`` too.
        """
        step = self.steps[index]
        arguments: dict[str, Any] = {} if step.grid is None else {"input_dimensions": step.grid}
        for need in self.family.needs:
            arguments.update(need.arguments(self.model, index, extras))
        output = step.block(tokens, **arguments, **more)
        after = output[0] if isinstance(output, tuple) else output
        carried = {name: output[place] for need in self.family.needs for name, place in need.carries.items()}
        if self.family.amend is not None:
            after = self.family.amend(self.model, index, tokens, after, extras)
        if step.merge is not None:
            after = step.merge(after, step.grid)
        return after, {**extras, **carried}

    def more_tokens(self, extras: Extras, count: int) -> Extras | None:
        """The extras with so many tokens more in front of each row; None where the blocks fix their number."""
        grown = dict(extras)
        for need in self.family.needs:
            if need.more is None:
                return None
            grown.update(need.more(extras, count))
        return None if self.family.grid is not None or self.family.amend is not None else grown

    def finish(self, tokens: Tensor) -> Tensor:
        """The tokens after what follows the last block: a norm, where the family has one."""
        for module in self.after:
            tokens = module(tokens)
        return tokens

    def widths(self, first: int) -> tuple[int, ...]:
        """The width after each block, given the width before block 0: each merging doubles it."""
        widths = []
        for step in self.steps:
            first = first if step.merge is None else 2 * first
            widths.append(first)
        return tuple(widths)


def find(model: nn.Module, path: str, family: Family) -> nn.Module:
    """The module at a declared path.

    Raises:
        ValueError: it is not there; block paths are private to the library and move between its versions.
    """
    try:
        return model.get_submodule(path)
    except AttributeError as error:
        raise ValueError(
            f"{family.model_type}: {type(model).__name__} of transformers {transformers.__version__} has no module "
            f"{path!r}; correct the family's declaration for this version"
        ) from error


def _steps(model: nn.Module, family: Family, size: tuple[int, int] | None) -> list[Step]:
    if family.grid is None:
        return [Step(block) for block in _listed(find(model, family.blocks, family))]
    outer, inner = family.blocks.split(".*.")
    grid = family.grid(model.config, size)
    steps: list[Step] = []
    for stage in _listed(find(model, outer, family)):
        *first, last = _listed(find(stage, inner, family))
        merge = dict(stage.named_children()).get("downsample")
        steps += [*(Step(block, grid) for block in first), Step(last, grid, merge)]
        if merge is not None:
            grid = ((grid[0] + 1) // 2, (grid[1] + 1) // 2)
    return steps


def _listed(blocks: nn.Module) -> list[nn.Module]:
    return [block for _, block in blocks.named_children()]

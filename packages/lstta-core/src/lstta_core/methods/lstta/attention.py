"""The attention of both modules: heads over keys that are there, in few and large operations."""

from __future__ import annotations

from torch import Tensor, nn

from lstta_core.attention import attend


class Attention(nn.Module):
    """Queries over keys, with a constant for each key that says whether it is there and how loud it is.

    Args:
        width: r, of queries, keys and output.
        heads: h; each has d = ⌈r / h⌉ features, so any number goes with any width.
    """

    def __init__(self, *, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.features = -(-width // heads)
        inner = heads * self.features
        self.query = nn.Linear(width, inner)
        # A bias of keys would cancel in the softmax, and one of values is that of the output.
        self.key_value = nn.Linear(width, 2 * inner, bias=False)
        self.out = nn.Linear(inner, width)

    def forward(self, queries: Tensor, key_values: Tensor, bias: Tensor) -> Tensor:
        """Attend.

        Args:
            queries: (R, Q, r).
            key_values: (R, K, 2 h d), from :attr:`key_value`.
            bias: (R, 1, 1, K), added to the scores; −∞ for keys that are not there, but 0 for all where none is.

        Returns:
            (R, Q, r); of no meaning where no key is there.
        """
        keys, values = key_values.chunk(2, -1)
        attended = attend(self._split(self.query(queries)), self._split(keys), self._split(values), bias)
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out

    def weights(self, queries: Tensor, key_values: Tensor, bias: Tensor) -> Tensor:
        """(R, Q, K), of :meth:`forward`'s attention, in the mean of its heads."""
        keys, _ = key_values.chunk(2, -1)
        scores = self._split(self.query(queries)) @ self._split(keys).transpose(2, 3)
        return (scores * self.features**-0.5 + bias).softmax(-1).mean(1)

    def _split(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (self.heads, self.features)).transpose(1, 2)

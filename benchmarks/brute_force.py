"""The formula over every sticker that matches, in NumPy: what a page must be.

Beside a built collection stands what its points were made from: postings of the counted words and of the picks, as the
catalog has them, and each point's utility and vector in the space of style. Which stickers come, and in what order, is
found without the index.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.index.schema import sticker_id_of
from persrv.online.parsed_query import ParsedQuery
from persrv.online.request import Taste
from persrv.ranking.affinity import agreement, picked_vector, with_affinity
from persrv.ranking.formula import order, style_factor, style_similarity, utility_factor
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector, terms_vector, token_id
from persrv.workspace import Workspace

_BATCH = 500
_CLOSE = 1e-4
"""Share of the last place's score by which a sticker may miss the page and is still ordered exactly with it."""

Floats = NDArray[np.float64]


class Postings:
    """Which rows have which dimension of a sparse vector, and how much of it.

    Args:
        dimensions: Ascending and distinct, shape (t,).
        starts: Where each one's rows begin, shape (t + 1,).
        rows: Shape (p,).
        values: Shape (p,).
    """

    def __init__(
        self,
        dimensions: NDArray[np.uint32],
        starts: NDArray[np.int64],
        rows: NDArray[np.uint32],
        values: NDArray[np.float32],
    ) -> None:
        self.dimensions, self.starts, self.rows, self.values = dimensions, starts, rows, values

    def add(self, scores: Floats, dimension: int, weight: float) -> None:
        """Add ``weight`` times the dimension's values to the rows' scores."""
        place = int(np.searchsorted(self.dimensions, dimension))
        if place < len(self.dimensions) and self.dimensions[place] == dimension:
            part = slice(int(self.starts[place]), int(self.starts[place + 1]))
            scores[self.rows[part]] += weight * self.values[part]

    def save(self, folder: Path) -> None:
        """Write them into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("dimensions", "starts", "rows", "values"):
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what :meth:`save` wrote."""
        names = ("dimensions", "starts", "rows", "values")
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))


class _Collected:
    """Sparse vectors, sticker by sticker, on the way to postings."""

    def __init__(self) -> None:
        self._dimensions, self._rows, self._values = array("I"), array("I"), array("f")

    def add(self, row: int, vector: SparseVector) -> None:
        self._dimensions.extend(vector.indices)
        self._rows.extend([row] * len(vector.indices))
        self._values.extend(vector.values)

    def postings(self) -> Postings:
        held = np.frombuffer(self._dimensions, np.uint32) if self._dimensions else np.zeros(0, np.uint32)
        by_dimension = np.argsort(held, kind="stable")
        dimensions, starts = np.unique(held[by_dimension], return_index=True)
        rows, values = np.array(self._rows, np.uint32), np.array(self._values, np.float32)
        ends = np.append(starts, len(held))
        return Postings(dimensions, ends, rows[by_dimension], values[by_dimension])


class BruteForce:
    """Scores every sticker.

    Args:
        folder: From :meth:`write`.
        ranking: The recipe's weights.
    """

    def __init__(self, folder: Path, ranking: Ranking) -> None:
        self.ids = [bytes(each).decode() for each in np.load(folder / "ids.npy")]
        self.utility: Floats = np.load(folder / "utility.npy")
        self.tastes: NDArray[np.float32] = np.load(folder / "tastes.npy", mmap_mode="r")
        self.text, self.words, self.queries = (Postings.load(folder / name) for name in ("text", "words", "queries"))
        self._ranking = ranking

    def page(self, parsed: ParsedQuery, taste: Taste, size: int) -> list[tuple[str, float]]:
        """Return the best stickers of all, best first, equal scores in the order of their ids.

        Args:
            parsed: What was typed.
            taste: The user's styles.
            size: Most stickers.
        """
        rows, scores = self.scores(parsed, taste)
        if len(rows) > size:
            last = np.partition(scores, -size)[-size]
            kept = scores >= last * (1.0 - _CLOSE)
            rows, scores = rows[kept], scores[kept]
        ids = [self.ids[row] for row in rows.tolist()]
        return [(ids[i], float(scores[i])) for i in order(scores, ids)[:size]]

    def scores(self, parsed: ParsedQuery, taste: Taste) -> tuple[NDArray[np.int64], Floats]:
        """Return the rows of all stickers that match and their final scores."""
        weights = self._ranking
        text, words, exact = (np.zeros(len(self.ids)) for _ in range(3))
        self._sum(self.text, text, parsed.token_weights)
        self._sum(self.words, words, parsed.picked_words)
        if parsed.picked_query is not None:
            self.queries.add(exact, parsed.picked_query, 1.0)
        rows = np.flatnonzero(text + words)
        near, agreed = np.zeros(len(rows)), np.ones(len(rows))
        if len(taste):
            near, _ = style_similarity(self.tastes[rows].astype(np.float64), taste.centroids, taste.weights)
            agreed = agreement(near)
        recall = with_affinity(text[rows], exact[rows], words[rows], weights.omega, weights.delta, agreed)
        return rows, recall * utility_factor(self.utility[rows], weights.beta) * style_factor(near, weights.gamma)

    @staticmethod
    def _sum(postings: Postings, scores: Floats, tokens: Mapping[str, float]) -> None:
        for token, share in tokens.items():
            postings.add(scores, token_id(token), share)

    @staticmethod
    def write(folder: Path, workspace: Workspace, catalog: Catalog) -> None:
        """Collect what a built collection's points were made from."""
        with workspace.store() as store, store.open(workspace.recipe.name) as stickers:
            build, using = stickers.manifest.vocabulary, stickers.manifest.taste_vector
            lengths, count = stickers.manifest.avg_length, stickers.count()
            text, words, queries = _Collected(), _Collected(), _Collected()
            ids: list[str] = []
            utility = np.zeros(count)
            tastes = np.zeros((count, stickers.manifest.taste_dimension), np.float32)
            for batch in chunks(stickers.scroll(with_vectors=(using,)), _BATCH):
                named = {sticker_id_of(record.id): record for record in batch}
                indexed, picked_for = catalog.indexed(build, named), catalog.picked_for(named)
                for sticker_id, record in named.items():
                    row = len(ids)
                    ids.append(sticker_id)
                    text.add(row, terms_vector(indexed[sticker_id].terms, workspace.recipe.text, lengths))
                    if picked := picked_for.get(sticker_id):
                        words.add(row, picked_vector({}, picked.words, 1.0))
                        queries.add(row, picked_vector(picked.queries, {}, 1.0))
                    utility[row] = float(record.payload.get("utility", 0.0))
                    if (vector := record.dense(using)) is not None:
                        tastes[row] = np.array(vector, np.float32)
        part = folder.with_suffix(".part")
        for name, collected in (("text", text), ("words", words), ("queries", queries)):
            collected.postings().save(part / name)
        np.save(part / "ids.npy", np.array(ids, dtype="S32"))
        np.save(part / "utility.npy", utility)
        np.save(part / "tastes.npy", tastes)
        part.rename(folder)

"""What one would use in place of persrv for a large collection: tantivy, bm25s, and the design that was published.

tantivy is used where it is installed.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import bm25s
import numpy as np
from numpy.typing import NDArray

from benchmarks.brute_force import BruteForce
from benchmarks.rivals import HAS_NUMBA
from persrv.online.request import Taste
from persrv.ranking.formula import final_scores, order
from persrv.recipe import Ranking

HAS_TANTIVY = importlib.util.find_spec("tantivy") is not None
if HAS_TANTIVY:
    import tantivy

Scored = list[tuple[str, float]]
_HEAP = 128 << 20


class TextEngine(Protocol):
    """Recalls by words."""

    def best(self, dimensions: Sequence[int], most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return rows and BM25 scores of the best stickers, best first."""
        ...


class WordsInMemory:
    """bm25s over the collection's tokens, and NumPy for what is personal.

    Args:
        held: The collection, sticker by sticker.
        ranking: Weights of utility and style.
    """

    def __init__(self, held: BruteForce, ranking: Ranking) -> None:
        self._held, self._ranking = held, ranking
        postings = held.text
        self._places = {int(dimension): place for place, dimension in enumerate(postings.dimensions)}
        counts = np.diff(postings.starts)
        tokens = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[np.argsort(postings.rows, kind="stable")]
        starts = np.searchsorted(np.sort(postings.rows), np.arange(len(held.ids) + 1))
        documents = [tokens[start:end] for start, end in pairwise(starts)]
        self._bm25 = bm25s.BM25(method="lucene", backend="numba" if HAS_NUMBA else "numpy")
        words = {str(place): place for place in range(len(counts))}
        self._bm25.index((documents, words), show_progress=False)

    def best(self, dimensions: Sequence[int], most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return rows and BM25 scores of the best stickers, best first."""
        query = [str(self._places[dimension]) for dimension in dimensions if dimension in self._places]
        rows, scores = self._bm25.retrieve(
            [query], k=min(most, len(self._held.ids)), show_progress=False, return_as="tuple"
        )
        found = int((scores[0] > 0).sum())
        return rows[0][:found].astype(np.int64), scores[0][:found].astype(np.float64)

    def personal(self, dimensions: Sequence[int], taste: Taste, pool: int, limit: int) -> Scored:
        """Return the best of a pool for somebody, by the same formula."""
        rows, text = self.best(dimensions, pool)
        weights, held = self._ranking, self._held
        images = held.tastes[rows].astype(np.float64)
        scores = final_scores(
            text, held.utility[rows], images, taste.centroids, taste.weights, weights.beta, weights.gamma
        )
        ids = [held.ids[row] for row in rows.tolist()]
        return [(ids[i], float(scores[i])) for i in order(scores, ids)[:limit]]


class Tantivy:
    """Tantivy, a text engine in Rust, over the same tokens; its index lies in a folder.

    Args:
        folder: Made where it is missing.
        held: The collection.
    """

    def __init__(self, folder: Path, held: BruteForce) -> None:
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("words", stored=False, tokenizer_name="whitespace", index_option="freq")
        schema.add_integer_field("row", stored=True, fast=True)
        if not (folder / "whole").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self._write(tantivy.Index(schema.build(), str(folder)), held)
            (folder / "whole").touch()
        self._index = tantivy.Index.open(str(folder))
        self._searcher = self._index.searcher()

    def best(self, dimensions: Sequence[int], most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return rows and BM25 scores of the best stickers, best first."""
        schema = self._index.schema
        terms = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "words", f"{dimension:x}"))
            for dimension in dimensions
        ]
        hits = self._searcher.search(tantivy.Query.boolean_query(terms), most, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        return np.array(rows, np.int64), np.array([score for score, _ in hits], np.float64)

    @staticmethod
    def _write(index: Any, held: BruteForce) -> None:
        postings = held.text
        by_row = np.argsort(postings.rows, kind="stable")
        dimensions = np.repeat(postings.dimensions, np.diff(postings.starts))[by_row]
        starts = np.searchsorted(postings.rows[by_row], np.arange(len(held.ids) + 1))
        writer = index.writer(_HEAP, 1)
        for row, (start, end) in enumerate(pairwise(starts)):
            words = " ".join(f"{dimension:x}" for dimension in dimensions[start:end].tolist())
            writer.add_document(tantivy.Document(words=[words], row=row))
        writer.commit()
        writer.wait_merging_threads()


class PublishedDesign:
    """The published design: a text engine recalls, then Python goes through the stickers and each one's styles.

    Args:
        engine: The text engine.
        held: The collection.
        ranking: Weights of utility and style.
    """

    def __init__(self, engine: TextEngine, held: BruteForce, ranking: Ranking) -> None:
        self._engine, self._held, self._ranking = engine, held, ranking

    def personal(self, dimensions: Sequence[int], taste: Taste, pool: int, limit: int) -> Scored:
        """Return the best of a pool for somebody."""
        held, weights = self._held, self._ranking
        scored = []
        for row, text in zip(*(found.tolist() for found in self._engine.best(dimensions, pool)), strict=True):
            image = held.tastes[row]
            length = float(np.linalg.norm(image)) or 1.0
            near = max(
                float(weight) * float(np.dot(image, centroid)) / (length * float(np.linalg.norm(centroid)))
                for centroid, weight in zip(taste.centroids, taste.weights, strict=True)
            )
            score = text * (1.0 + weights.beta * float(held.utility[row])) * (1.0 + weights.gamma * near)
            scored.append((held.ids[row], score))
        scored.sort(key=lambda pair: (-pair[1], pair[0]))
        return scored[:limit]

"""The ranking alone, by columns, up to millions of stickers: how its time and memory grow.

Texts, packs, styles and queries are those of the made-up corpus of ``at_size``; points go into columns without a
catalog and an engine, so that two million take minutes to make and not hours. Utility follows a power law; nobody
picked anything. People have one to five styles, each the mean of a pack. A page of 20 is ranked by the code that a
search runs; its rival is the same formula over every sticker that matches, in NumPy, which also says how many places
are right. ``--size`` is the number of stickers, ``--cache`` keeps what was made.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Floats, Row, compare, latencies, percentile_rows, take_turns, together
from benchmarks.options import Options
from benchmarks.sticker_corpus import PIECE, StickerCorpus
from persrv.index.columns.columns import Columns
from persrv.index.columns.filling import Filling
from persrv.index.columns.segment import Segment
from persrv.index.language import Point
from persrv.index.schema import IMAGE, STYLE_CLUSTER, TEXT, TRENDING, point_id
from persrv.online.candidate_source import text_source
from persrv.online.column_ranker import ColumnRanker
from persrv.online.page import Page
from persrv.online.recall import Recall
from persrv.online.request import NO_TASTE, Taste, Weights
from persrv.ranking.formula import order, style_factor, style_similarity
from persrv.ranking.stored import stored_text, trace_factors, trending
from persrv.ranking.style_clusters import fit_clusters
from persrv.recipe import Ranking, Text
from persrv.text import CorpusStatistics, SparseVector, document_vector, idf, query_tokens, token_id

SIZE, TURNS, SEARCHES, PAGE = 10_000, 3, 200, 20
RIVAL = "the formula over all that match, in NumPy"
_RANKING, _TEXT = Ranking(), Text()
_SAMPLE = 10_000


class RankedCorpus:
    """The columns of a made-up corpus.

    Args:
        folder: Where they are kept.
        size: Stickers.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._corpus = StickerCorpus(size)
        self._folder = folder / f"columns-{size}"
        self.clusters = fit_clusters(_styles(self._corpus.vectors(0))[:_SAMPLE], 0)

    def columns(self) -> Columns:
        """Return them, made where they are not there yet."""
        if not (self._folder / "1").is_dir():
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._make()
        return Columns([Segment.load(self._folder / "1")])

    def searches(self, columns: Columns, count: int) -> list[tuple[SparseVector, Taste]]:
        """Return queries that find something, by people with one to five styles in turn."""
        found: list[tuple[SparseVector, Taste]] = []
        rng = np.random.default_rng(0)
        for typed in self._corpus.queries(2 * count):
            weights: dict[int, float] = {}
            for token, weight in query_tokens(typed).items():
                frequency = sum(len(rows) for rows, _ in columns.postings(TEXT, token_id(token)))
                if frequency:
                    weights[token_id(token)] = weight * idf(columns.count, frequency)
            if weights and len(found) < count:
                dimensions = sorted(weights)
                words = SparseVector(dimensions, [weights[each] for each in dimensions])
                found.append((words, self._taste(columns, rng, 1 + len(found) % 5)))
        return found

    def _taste(self, columns: Columns, rng: np.random.Generator, styles: int) -> Taste:
        packs = self._corpus.packs
        means = []
        for row in rng.integers(0, len(packs), styles).tolist():
            members = np.flatnonzero(packs == packs[row])[:PAGE].astype(np.uint32)
            means.append(columns.column("styles", members).mean(axis=0))
        centroids = np.array(means, np.float64)
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        return Taste(centroids, np.linspace(1.0, 0.6, styles))

    def _make(self) -> None:
        corpus = self._corpus
        statistics = CorpusStatistics(_TEXT)
        for sticker in corpus.piece(0):
            statistics.add(dict(sticker.semantics.items()))
        lengths = statistics.average_lengths
        filling = Filling(self._folder, IMAGE, self.clusters.shape[1])
        rng = np.random.default_rng(1)
        for first in range(0, corpus.size, PIECE):
            styles = _styles(corpus.vectors(first))
            regions = (styles @ self.clusters.T).argmax(axis=1).tolist()
            utilities = np.minimum(rng.pareto(1.5, len(styles)) / 20.0, 1.0).tolist()
            filling.add(
                [
                    Point(
                        point_id(sticker.id),
                        {
                            TEXT: stored_text(
                                document_vector(dict(sticker.semantics.items()), _TEXT, lengths),
                                utility,
                                _RANKING.beta,
                                sticker.id,
                            ),
                            IMAGE: style,
                        },
                        {"utility": utility, TRENDING: trending(utility, sticker.id), STYLE_CLUSTER: region},
                    )
                    for sticker, style, region, utility in zip(
                        corpus.piece(first), styles, regions, utilities, strict=True
                    )
                ]
            )
        filling.finish()


def run(options: Options) -> list[Row]:
    """Measure one size."""
    size, turns = options.size or SIZE, options.repetitions or TURNS
    with TemporaryDirectory() as made:
        corpus = RankedCorpus(options.cache or Path(made), size)
        columns = corpus.columns()
        searches = corpus.searches(columns, SEARCHES)
        weights = Weights(_RANKING.beta, _RANKING.gamma, _RANKING.beta, IMAGE)
        # Meaning is off, so that there is nothing to ask an engine.
        ranker = ColumnRanker(corpus.clusters, weights, lambda requests: [])
        ours = partial(_page, ranker, columns)
        theirs = partial(_brute_force, columns)
        personal, rival, anybody, rival_anybody = latencies(
            turns,
            searches,
            lambda one: ours(*one),
            lambda one: theirs(*one),
            lambda one: ours(one[0], NO_TASTE),
            lambda one: theirs(one[0], NO_TASTE),
        )

        def personal_page(one: tuple[SparseVector, Taste]) -> list[str]:
            return ours(*one)

        one_caller, two_callers = take_turns(
            turns, partial(together, searches, personal_page, 1), partial(together, searches, personal_page, 2)
        )
        places = [_same(ours(*one), theirs(*one)) for one in searches]
        pages = [_same(ours(words, NO_TASTE), theirs(words, NO_TASTE)) for words, _ in searches]
        return [
            *percentile_rows("a personal page, ranked", personal, RIVAL, rival, _note(columns), percents=(50, 99)),
            *percentile_rows("a page for anybody, ranked", anybody, RIVAL, rival_anybody, percents=(50, 99)),
            compare("a personal page of two callers", two_callers, "one caller's", one_caller, "ms"),
            compare("places for people that are the same", [float(np.mean(places))], RIVAL, [1.0], "share"),
            compare("places for anybody that are the same", [float(np.mean(pages))], RIVAL, [1.0], "share"),
            compare("opening", [_opening(corpus)], "a page", [1e3 * float(np.median(personal))], "ms"),
        ]


def _page(ranker: ColumnRanker, columns: Columns, words: SparseVector, taste: Taste) -> list[str]:
    recall = Recall((text_source(words),))
    return ranker.rank(columns, recall, taste, Page(0, PAGE)).ids[:PAGE]


def _brute_force(columns: Columns, words: SparseVector, taste: Taste) -> list[str]:
    """Return the ids of the best stickers, of all that match."""
    scores = np.zeros(columns.rows)
    for dimension, weight in zip(words.indices, words.values, strict=True):
        for rows, values in columns.postings(TEXT, dimension):
            scores[rows] += weight * values
    found = np.flatnonzero(scores).astype(np.uint32)
    final = scores[found]
    if len(taste):
        near, _ = style_similarity(columns.column("styles", found).astype(np.float64), taste.centroids, taste.weights)
        final = final * style_factor(near, _RANKING.gamma)
    if len(found) > PAGE:
        kept = final >= np.partition(final, -PAGE)[-PAGE] * (1.0 - 1e-4)
        found, final = found[kept], final[kept]
    ids = columns.ids(found)
    return [ids[i] for i in order(final / trace_factors(ids), ids)[:PAGE]]


def _same(mine: Sequence[str], others: Sequence[str]) -> float:
    return sum(one == other for one, other in zip(mine, others, strict=False)) / max(len(others), 1)


def _opening(corpus: RankedCorpus) -> float:
    started = time.perf_counter()
    corpus.columns()
    return (time.perf_counter() - started) * 1e3


def _note(columns: Columns) -> str:
    segment = columns.segments[0]
    size = sum(array.nbytes for array in segment.arrays.values())
    lists = segment.tables[TEXT]
    return f"{size / columns.count:.0f} bytes a sticker, {len(lists.rows) / columns.count:.1f} words a sticker"


def _styles(vectors: Floats | NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors with length 1."""
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit

"""Pages by words, picks and meaning from columns are the formula's; the engine is asked for cosines alone."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engines import quick_folder
from index_samples import manifest
from persrv.index.columns.store import ColumnCollection, ColumnStore
from persrv.index.embedded import EmbeddedStore
from persrv.index.language import Filter, HasId, Matches, Nearest, Point, Request, ScoredPoint
from persrv.index.schema import IMAGE, MEANING, PICKED, STYLE_CLUSTER, TEXT, point_id, sticker_id_of, sticker_schema
from persrv.online import column_likeness, column_scoring
from persrv.online.candidate_source import NEAREST, meaning_source, picked_sources, text_source
from persrv.online.column_ranker import can_rank
from persrv.online.page import Page, Ranked
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall, picture_recall
from persrv.online.request import NO_TASTE, Taste
from persrv.ranking.affinity import agreement, with_affinity
from persrv.ranking.formula import order, style_factor, style_similarity, utility_factor
from persrv.ranking.profile import unit
from persrv.ranking.stored import stored_text
from persrv.ranking.style_clusters import cluster_of, fit_clusters
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector
from persrv.text.meaning.fusion import Blend, meaning_score
from persrv.text.meaning.rows import cosines, unit_rows

COUNT, LOOK, SENSE, BETA, GAMMA, OMEGA, DELTA = 900, 8, 12, 0.5, 0.8, 0.4, 0.6
WEIGHTS = {1: 0.7, 2: 0.9, 3: 1.5, 4: 2.0}
UNWANTED, PICKED_WORD, EXACT = 9, 101, 1 << 31
_RNG = np.random.default_rng(17)
IDS = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(COUNT)]
ROWS = [unit_rows(_RNG.normal(size=(number % 5, SENSE)) + 0.2).astype(np.float32) for number in range(COUNT)]
UTILITY = _RNG.choice([0.0, 0.2, 0.9], COUNT)
STYLES = unit(_RNG.normal(size=(COUNT, LOOK)))
TEXTS = [
    {int(word): float(_RNG.uniform(0.2, 0.9)) for word in (*WEIGHTS, UNWANTED) if _RNG.random() < 0.25}
    for _ in range(COUNT)
]
PICKS = [
    {word: float(_RNG.integers(1, 4)) for word in (PICKED_WORD, EXACT) if _RNG.random() < 0.1} for _ in range(COUNT)
]
CLUSTERS = fit_clusters(STYLES, seed=0, count=6)
CATS = Filter(must=(Matches("pack", ("cats",)),))


def _sparse(weights: dict[int, float]) -> SparseVector:
    return SparseVector(sorted(weights), [weights[word] for word in sorted(weights)])


def _point(number: int) -> Point:
    vectors: dict[str, Any] = {IMAGE: STYLES[number].tolist()}
    if TEXTS[number]:
        vectors[TEXT] = stored_text(_sparse(TEXTS[number]), float(UTILITY[number]), BETA, IDS[number])
    if PICKS[number]:
        by_words = {PICKED_WORD: PICKS[number].get(PICKED_WORD, 0.0)}
        with_utility = stored_text(_sparse(by_words), float(UTILITY[number]), BETA, IDS[number])
        exact = {EXACT: PICKS[number].get(EXACT, 0.0)}
        vectors[PICKED] = _sparse(dict(zip(*with_utility, strict=True)) | exact)
    if len(ROWS[number]):
        vectors[MEANING] = ROWS[number].tolist()
    payload = {
        "utility": float(UTILITY[number]),
        "pack": "cats" if number % 3 else "dogs",
        STYLE_CLUSTER: cluster_of(STYLES[number], CLUSTERS),
    }
    return Point(point_id(IDS[number]), vectors, payload)


@pytest.fixture(scope="module")
def collection() -> Iterator[ColumnCollection]:
    """In two segments."""
    with ExitStack() as stack:
        folder = stack.enter_context(quick_folder())
        store = stack.enter_context(ColumnStore(EmbeddedStore(folder), folder, least=1))
        described = manifest(COUNT, dimension=LOOK, beta=BETA, regions=CLUSTERS.tolist())
        build = store.create("stickers", sticker_schema(LOOK, meaning=SENSE), described)
        build.upsert([_point(number) for number in range(COUNT)])
        opened = store.publish("stickers", build)
        assert isinstance(opened, ColumnCollection)
        opened.upsert([_point(number) for number in range(100)])
        yield opened


@dataclass(frozen=True)
class Search:
    """One search, drawn."""

    words: tuple[int, ...]
    unwanted: bool
    picks: bool
    query: NDArray[np.float64]
    blend: Blend
    where: Filter | None
    taste: Taste
    beta: float
    exact: bool = False

    @property
    def recall(self) -> Recall:
        words = {word: WEIGHTS[word] for word in self.words} | ({UNWANTED: -1000.0} if self.unwanted else {})
        picks = picked_sources(EXACT, SparseVector([PICKED_WORD], [1.1]), OMEGA, DELTA) if self.picks else ()
        text = (text_source(_sparse(words)),) if words else ()
        return Recall((*text, *picks, meaning_source(self.query, self.blend, exact=self.exact)), self.where)

    def cosines(self) -> NDArray[np.float64]:
        return cosines(self.query[None, :], ROWS)[0]

    def kept(self) -> list[int]:
        return [number for number in range(COUNT) if self.where is None or _passes(number, self.where)]

    def nearest(self) -> list[int]:
        """The stickers that meaning lets in."""
        cosine = self.cosines()
        near = sorted(self.kept(), key=cosine.__getitem__, reverse=True)[:NEAREST]
        return [number for number in near if cosine[number] >= self.blend.entry]

    def expected(self, let_in: Sequence[int]) -> tuple[list[str], list[float]]:
        """Score by the formulas what matches, and what is let in."""
        weights = {word: WEIGHTS[word] for word in self.words}
        found = [
            number
            for number in self.kept()
            if (weights.keys() & TEXTS[number].keys() or (self.picks and PICKS[number]) or number in let_in)
            and not (self.unwanted and UNWANTED in TEXTS[number])
        ]
        text = np.array([sum(weights.get(word, 0.0) * value for word, value in TEXTS[n].items()) for n in found])
        picked = np.array([1.1 * PICKS[n].get(PICKED_WORD, 0.0) for n in found])
        exact = np.array([PICKS[n].get(EXACT, 0.0) for n in found])
        similarity, _ = style_similarity(STYLES[found], self.taste.centroids, self.taste.weights)
        agreed = agreement(similarity) if len(self.taste) else np.ones(len(found))
        omega, delta = (OMEGA, DELTA) if self.picks else (0.0, 0.0)
        text = text + meaning_score(self.cosines()[found], self.blend)
        scores = with_affinity(text, exact, picked, omega, delta, agreed)
        scores = scores * utility_factor(UTILITY[found], self.beta) * style_factor(similarity, GAMMA)
        ids = [IDS[n] for n in found]
        positions = order(scores, ids)
        return [ids[at] for at in positions], scores[positions].tolist()


def _passes(number: int, where: Filter) -> bool:
    def meets(condition: HasId | Matches) -> bool:
        if isinstance(condition, HasId):
            return point_id(IDS[number]) in condition.ids
        return ("cats" if number % 3 else "dogs") in condition.values

    return all(map(meets, where.must)) and not any(map(meets, where.must_not))


FILTERS = [
    None,
    CATS,
    Filter(must_not=CATS.must),
    Filter(must=(HasId(tuple(map(point_id, IDS[::9]))),)),
    Filter(must_not=(HasId(tuple(map(point_id, IDS[::2]))),)),
]


def _searches(seed: int, count: int) -> Iterator[Search]:
    chance, rng = random.Random(seed), np.random.default_rng(seed)
    for number in range(count):
        words = tuple(sorted(chance.sample([*WEIGHTS], chance.randrange(4))))
        blend = Blend(chance.uniform(0.2, 4), chance.uniform(0, 0.3), chance.uniform(0.3, 0.7))
        styles = chance.randrange(4)
        near = STYLES[chance.sample(range(COUNT), styles)] + rng.normal(size=(styles, LOOK)) * 0.1
        taste = Taste(unit(near), np.array([1.0, 0.7, 0.4][:styles])) if styles else NO_TASTE
        query = unit(rng.normal(size=(1, SENSE)) + 0.2)[0]
        where, beta = FILTERS[number % len(FILTERS)], chance.choice([BETA, BETA, 0.2])
        yield Search(words, chance.random() < 0.3, chance.random() < 0.5, query, blend, where, taste, beta)


def _ranker(collection: Any, search: Search) -> Ranker:
    return Ranker(collection, Ranking(beta=search.beta, gamma=GAMMA, pool=1000))


def _same(found: Ranked, ids: Sequence[str], scores: Sequence[float], page: Page) -> None:
    part = slice(page.offset, page.end)
    assert found.ids[part] == ids[part]
    # Words have a trace of the id in their weight.
    assert found.scores[part] == pytest.approx(scores[part], rel=2e-5)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("meant", "most"), [(400, 600), (5, 600), (5, 0), (5_000, 600)])
def test_pages_are_those_of_the_formula(
    collection: ColumnCollection, meant: int, most: int, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked for at first, and whenever the list of the nearest is trusted."""
    monkeypatch.setattr(column_scoring, "MEANT", meant)
    monkeypatch.setattr(column_scoring, "ASKED", max(meant // 2, 3))
    monkeypatch.setattr(column_likeness, "MOST_ASKED", most)
    for search in _searches(1, 40):
        search = replace(search, exact=exact)
        assert can_rank(search.recall)
        ids, scores = search.expected(search.nearest())
        for page in (Page(0, 20), Page(15, 5), Page(100, 20)):
            found = _ranker(collection, search).rank(search.recall, search.taste, page)
            _same(found, ids, scores, page)
            assert found.total >= min(page.end, len(ids))


def test_the_engine_gives_the_same_pages(collection: ColumnCollection) -> None:
    for search in _searches(7, 60):
        page = Page(0, 20)
        by_columns = _ranker(collection, search).rank(search.recall, search.taste, page)
        by_engine = _ranker(collection.points, search).rank(search.recall, search.taste, page)
        _same(by_columns, by_engine.ids, by_engine.scores.tolist(), page)


def test_own_stickers_need_not_be_among_the_nearest_of_all(collection: ColumnCollection) -> None:
    further = 0
    own = [*range(0, COUNT, 7)]
    for search in _searches(8, 40):
        search = replace(search, blend=replace(search.blend, floor=0.0, entry=0.1))
        let_in, cosine = search.nearest(), search.cosines()
        others, apart = _ranker(collection, search).rank_apart(
            search.recall, search.taste, Page(0, 20), [*(IDS[number] for number in own), "e" * 32]
        )
        ids, scores = search.expected(let_in)
        positions = [at for at, sticker_id in enumerate(ids) if sticker_id not in {IDS[number] for number in own}]
        _same(others, [ids[at] for at in positions], [scores[at] for at in positions], Page(0, 20))
        near = [number for number in own if cosine[number] >= search.blend.entry]
        further += len({*near} - {*let_in})
        mine = [*zip(*search.expected([*let_in, *near]), strict=True)]
        mine = [(sticker_id, score) for sticker_id, score in mine if sticker_id in {IDS[number] for number in own}]
        assert apart.ids == [sticker_id for sticker_id, _ in mine]
        assert apart.scores == pytest.approx([score for _, score in mine], rel=2e-5)
    assert further


class Listening:
    """Gives what the engine answers, the list of the nearest with holes; knows what was asked."""

    def __init__(self, collection: ColumnCollection, holes: int) -> None:
        self.asked: list[Request] = []
        self.listed: set[str] = set()
        self._real = collection.points.query_many
        self._holes = holes

    def query_many(self, requests: Sequence[Request]) -> list[list[ScoredPoint]]:
        self.asked += requests
        answers = self._real(requests)
        first = [point for at, point in enumerate(answers[0]) if not self._holes or at % self._holes]
        if len(self.asked) == len(requests):
            self.listed = {sticker_id_of(point.id) for point in first}
            answers[0] = first
        return answers


def test_the_engine_is_asked_for_cosines_alone(collection: ColumnCollection, monkeypatch: pytest.MonkeyPatch) -> None:
    for search in _searches(9, 20):
        engine = Listening(collection, 0)
        monkeypatch.setattr(collection.points, "query_many", engine.query_many)
        _ranker(collection, search).rank(search.recall, search.taste, Page(0, 20))
        monkeypatch.undo()
        queries = [request.query for request in engine.asked]
        assert all(isinstance(query, Nearest) and query.using == MEANING for query in queries)
        known = [each for request in engine.asked[1:] for each in request.filter.must[0].ids]  # type: ignore[union-attr]
        assert len(known) == len({*known})


def test_what_matches_and_is_missing_among_the_nearest_is_asked_for(
    collection: ColumnCollection, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed = 0
    for search in _searches(10, 60):
        engine = Listening(collection, 5)
        monkeypatch.setattr(column_scoring, "SLACK", 1)
        monkeypatch.setattr(collection.points, "query_many", engine.query_many)
        found = _ranker(collection, search).rank(search.recall, search.taste, Page(0, 10))
        monkeypatch.undo()
        let_in = [number for number in search.nearest() if IDS[number] in engine.listed]
        _same(found, *search.expected(let_in), Page(0, 10))
        missed += len({*found.ids[:10]} & {IDS[number] for number in search.nearest()} - engine.listed)
    assert missed > 20


def test_less_is_asked_for_where_no_near_one_is_missed(
    collection: ColumnCollection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}
    for exact in (True, False):
        engine = Listening(collection, 0)
        monkeypatch.setattr(collection.points, "query_many", engine.query_many)
        for search in _searches(12, 20):
            search = replace(search, exact=exact, where=None)
            _ranker(collection, search).rank(search.recall, search.taste, Page(0, 20))
        monkeypatch.undo()
        asked[exact] = sum(request.limit for request in engine.asked)
    assert asked[True] < 0.9 * asked[False]


def test_a_picture_is_left_to_the_engine(collection: ColumnCollection) -> None:
    recall = picture_recall(STYLES[3].tolist(), None)
    assert not can_rank(recall)
    ranker = Ranker(collection, Ranking(beta=0.0, gamma=GAMMA))
    assert ranker.rank(recall, NO_TASTE, Page(0, 1)).ids[0] == IDS[3]


def test_zeros_are_left_behind(collection: ColumnCollection) -> None:
    for search in _searches(11, 10):
        _ranker(collection, search).rank_apart(search.recall, search.taste, Page(0, 20), IDS[:30])
    columns = collection.columns
    assert columns is not None
    with columns.scratch.lend(columns.rows) as scratch:
        for array in (scratch.seen, scratch.flags, scratch.picked, scratch.places, *map(scratch.sums, range(4))):
            assert not array.any()

"""Pages that columns give are the formula's over all stickers, and those that the engine gives."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engines import quick_folder
from index_samples import manifest
from persrv.index.columns import live
from persrv.index.columns.store import ColumnCollection, ColumnStore, columns_of
from persrv.index.embedded import EmbeddedStore
from persrv.index.language import Filter, HasId, Matches, Point
from persrv.index.schema import GROUP, IMAGE, PICKED, STYLE_CLUSTER, TEXT, TRENDING, point_id, sticker_schema
from persrv.online import column_ranker, column_scoring
from persrv.online.candidate_source import picked_sources, text_source
from persrv.online.column_ranker import can_rank
from persrv.online.page import Page, Ranked, once_each
from persrv.online.ranker import Ranker
from persrv.online.recall import Recall
from persrv.online.request import NO_TASTE, Taste, parse_filters
from persrv.ranking.affinity import agreement, with_affinity
from persrv.ranking.formula import final_scores, order, style_factor, style_similarity, utility_factor
from persrv.ranking.profile import unit
from persrv.ranking.stored import stored_factor, trending
from persrv.ranking.style_clusters import cluster_of, fit_clusters
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")

COUNT, LOOK, BETA, GAMMA, OMEGA, DELTA = 700, 8, 0.5, 0.8, 0.4, 0.6
FREQUENT, EQUAL, UNWANTED = 1, 2, 3
WEIGHTS = {FREQUENT: 0.7, EQUAL: 0.9, UNWANTED: 1.5, 4: 2.0, 5: 2.5, 6: 3.0}
EXACT, PICKED_WORDS = 1 << 31, {101: 1.1, 102: 0.3}
_RNG = np.random.default_rng(11)


@dataclass(frozen=True)
class Known:
    """What the tests know of a sticker; nothing here is stored as columns store it."""

    id: str
    texts: dict[int, float]
    picks: dict[int, float]
    utility: float
    style: NDArray[np.float64]
    group: str
    payload: dict[str, Any]


def _drawn(number: int, chance: random.Random) -> Known:
    texts = {FREQUENT: round(chance.uniform(0.2, 0.9), 2)} | {
        word: round(chance.uniform(0.2, 0.9), 2) for word in (UNWANTED, 4, 5, 6) if chance.random() < 0.15
    }
    if number % 2:
        texts[EQUAL] = 0.5
    if number % 13 == 5:
        texts = {}
    picks = {word: float(chance.randrange(1, 4)) for word in (EXACT, *PICKED_WORDS) if chance.random() < 0.2}
    style = np.zeros(LOOK) if number % 10 == 4 else unit(_RNG.normal(size=(1, LOOK)))[0]
    payload = {
        "pack": chance.choice(["cats", "dogs", "猫"]),
        "tags": chance.sample(["a", "b", "c", "unsafe"], chance.randrange(4)),
        "language": chance.choice(["en", "zh"]),
        "animated": chance.random() < 0.5,
        "style": chance.choice(["flat", "line"]),
    }
    if chance.random() < 0.6:
        payload["rating"] = chance.choice(["safe", "unsafe", "suggestive"])
    return Known(_id(number), texts, picks, chance.choice([0.0, 0.2, 0.9]), style, "", payload)


def _id(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def _all() -> list[Known]:
    chance = random.Random(3)
    found = [_drawn(number, chance) for number in range(COUNT)]
    # Near-duplicates: every seventh is one of the sticker before it.
    return [
        replace(each, group=found[number - number % 7].id) if number % 7 < 2 and number % 3 else each
        for number, each in enumerate(found)
    ]


STICKERS = _all()
CLUSTERS = fit_clusters(np.array([each.style for each in STICKERS]), seed=0, count=6)


def _point(sticker: Known) -> Point:
    factor = stored_factor(sticker.utility, BETA, sticker.id)
    picks = {word: value * (1.0 if word == EXACT else factor) for word, value in sticker.picks.items()}
    vectors: dict[str, Any] = {}
    if sticker.texts:
        words = sorted(sticker.texts)
        vectors[TEXT] = SparseVector(words, [sticker.texts[word] * factor for word in words])
    if picks:
        vectors[PICKED] = SparseVector(sorted(picks), [picks[word] for word in sorted(picks)])
    payload = sticker.payload | {"utility": sticker.utility, TRENDING: trending(sticker.utility, sticker.id)}
    if sticker.style.any():
        vectors[IMAGE] = sticker.style.tolist()
        payload[STYLE_CLUSTER] = cluster_of(sticker.style, CLUSTERS)
    if sticker.group:
        payload[GROUP] = sticker.group
    return Point(point_id(sticker.id), vectors, payload)


def _built(stack: ExitStack, stickers: Sequence[Known]) -> ColumnCollection:
    folder = stack.enter_context(quick_folder())
    store = stack.enter_context(ColumnStore(EmbeddedStore(folder), folder, least=1))
    described = manifest(len(stickers), dimension=LOOK, beta=BETA, regions=CLUSTERS.tolist())
    build = store.create("stickers", sticker_schema(LOOK), described)
    build.upsert([_point(each) for each in stickers])
    opened = store.publish("stickers", build)
    assert isinstance(opened, ColumnCollection)
    return opened


@pytest.fixture(scope="module")
def collection() -> Iterator[ColumnCollection]:
    """In three segments with dead rows between: some were written again, some were removed and written again."""
    with ExitStack() as stack:
        opened = _built(stack, [replace(each, utility=0.5, picks={}) for each in STICKERS[:600]])
        opened.upsert([_point(each) for each in STICKERS[200:]])
        opened.delete([point_id(each.id) for each in STICKERS[:250]])
        opened.upsert([_point(each) for each in STICKERS[:200]])
        opened.upsert([_point(each) for each in STICKERS[200:250]])
        columns = opened.columns
        assert columns is not None
        assert len(columns.segments) == 4
        assert columns.count == COUNT < columns.rows
        yield opened


@dataclass(frozen=True)
class Search:
    """One search, drawn."""

    words: tuple[int, ...]
    unwanted: bool
    picks: int
    where: Filter | None
    taste: Taste
    beta: float

    @property
    def recall(self) -> Recall:
        words = {word: WEIGHTS[word] for word in self.words} | ({UNWANTED: -1000.0} if self.unwanted else {})
        query = SparseVector(sorted(words), [words[word] for word in sorted(words)])
        dimensions = SparseVector([*PICKED_WORDS], [*PICKED_WORDS.values()])
        picks = picked_sources(EXACT if self.picks == 2 else None, dimensions if self.picks else None, OMEGA, DELTA)
        return Recall((text_source(query), *picks), self.where)

    def expected(self, stickers: Sequence[Known], without: Sequence[str] = ()) -> tuple[list[str], list[float]]:
        """Score all stickers by the formulas, in Python's numbers."""
        weights = {word: WEIGHTS[word] for word in self.words}
        shown = [
            each
            for each in stickers
            if each.id not in without
            and _passes(each, self.where)
            and (
                weights.keys() & each.texts.keys()
                or (self.picks and (PICKED_WORDS.keys() & each.picks.keys()))
                or (self.picks == 2 and EXACT in each.picks)
            )
            and not (self.unwanted and UNWANTED in each.texts)
        ]
        text = np.array([sum(weights.get(word, 0.0) * value for word, value in each.texts.items()) for each in shown])
        by_words = np.array(
            [sum(PICKED_WORDS.get(word, 0.0) * value for word, value in each.picks.items()) for each in shown]
        )
        exact = np.array([each.picks.get(EXACT, 0.0) for each in shown])
        utility = np.array([each.utility for each in shown])
        similarity, agreed = np.zeros(len(shown)), np.ones(len(shown))
        if len(self.taste):
            styles = np.array([each.style for each in shown]).reshape(-1, LOOK)
            similarity, _ = style_similarity(styles, self.taste.centroids, self.taste.weights)
            agreed = agreement(similarity)
        omega, delta = (OMEGA if self.picks else 0.0), (DELTA if self.picks == 2 else 0.0)
        scores = with_affinity(text, exact, by_words, omega, delta, agreed)
        scores = scores * utility_factor(utility, self.beta) * style_factor(similarity, GAMMA)
        ids = [each.id for each in shown]
        positions = once_each(order(scores, ids), [each.group for each in shown])
        return [ids[at] for at in positions], scores[positions].tolist()


def _passes(sticker: Known, where: Filter | None) -> bool:
    def meets(condition: HasId | Matches) -> bool:
        if isinstance(condition, HasId):
            return point_id(sticker.id) in condition.ids
        value = sticker.payload.get(condition.key)
        return not {*condition.values}.isdisjoint(value if isinstance(value, list) else [value])

    conditions = where or Filter()
    return all(map(meets, conditions.must)) and not any(map(meets, conditions.must_not))


FILTERS: list[Filter | None] = [
    None,
    *(
        parse_filters(each, unsafe=False)
        for each in (
            {},
            {"pack": "cats"},
            {"pack": ["dogs", "猫"]},
            {"pack": "!cats"},
            {"pack": "nowhere"},
            {"tags": ["a", "!b"]},
            {"language": "zh", "animated": True},
            {"animated": False},
            {"rating": "safe"},
            {"rating": ["unsafe", "safe"]},
            {"rating": "!safe"},
            {"rating": "any", "style": "flat"},
            {"style": ["!flat"], "tags": "c"},
        )
    ),
    Filter(must=(HasId(tuple(point_id(each.id) for each in STICKERS[::9])),)),
    Filter(must_not=(HasId(tuple(point_id(each.id) for each in STICKERS[::2])),)),
    Filter(must=(HasId((point_id("f" * 32),)),)),
]


def _taste(styles: int, chance: random.Random) -> Taste:
    if not styles:
        return NO_TASTE
    rows = [STICKERS[number].style for number in range(COUNT) if STICKERS[number].style.any()]
    near = np.array(chance.sample(rows, styles)) + np.random.default_rng(styles).normal(size=(styles, LOOK)) * 0.1
    return Taste(unit(near), np.array([1.0, 0.9, 0.7, 0.5, 0.3][:styles]))


def _searches(seed: int, count: int) -> Iterator[Search]:
    chance = random.Random(seed)
    for number in range(count):
        words = tuple(sorted(chance.sample([FREQUENT, EQUAL, 4, 5, 6], chance.randrange(1, 4))))
        where = FILTERS[number % len(FILTERS)]
        taste = _taste(chance.randrange(6), chance)
        yield Search(words, chance.random() < 0.3, chance.randrange(3), where, taste, chance.choice([BETA, BETA, 0.0]))


def _ranker(collection: Any, search: Search) -> Ranker:
    return Ranker(collection, Ranking(beta=search.beta, gamma=GAMMA, pool=1000))


def _same(found: Ranked, ids: Sequence[str], scores: Sequence[float], page: Page) -> None:
    part = slice(page.offset, page.end)
    assert found.ids[part] == ids[part]
    assert found.scores[part] == pytest.approx(scores[part], rel=1e-5)


@pytest.mark.parametrize("first", [3, 50, 100_000])
@pytest.mark.parametrize("seed", range(3))
def test_pages_are_those_of_the_formula(
    collection: ColumnCollection, seed: int, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is scored at first: a page that is not proven by it takes more."""
    monkeypatch.setattr(column_scoring, "FIRST", first)
    for search in _searches(seed, 40):
        assert can_rank(search.recall)
        ids, scores = search.expected(STICKERS)
        for page in (Page(0, 20), Page(17, 3), Page(300, 20)):
            found = _ranker(collection, search).rank(search.recall, search.taste, page)
            _same(found, ids, scores, page)
            assert found.total >= min(page.end, len(ids))


def test_the_engine_gives_the_same_pages(collection: ColumnCollection) -> None:
    assert columns_of(collection.points) is None
    for search in _searches(7, 60):
        for page in (Page(0, 20), Page(40, 10)):
            by_columns = _ranker(collection, search).rank(search.recall, search.taste, page)
            by_engine = _ranker(collection.points, search).rank(search.recall, search.taste, page)
            _same(by_columns, by_engine.ids, by_engine.scores.tolist(), page)


def test_own_stickers_are_ranked_apart(collection: ColumnCollection) -> None:
    own = [each.id for each in STICKERS[::5]] + ["e" * 32]
    for search in _searches(8, 40):
        page = Page(0, 20)
        others, apart = _ranker(collection, search).rank_apart(search.recall, search.taste, page, own)
        _same(others, *search.expected(STICKERS, without=own), page)
        mine = search.expected([each for each in STICKERS if each.id in own])
        _same(apart, *mine, Page(0, len(own)))
        assert apart.total == len(mine[0])


@pytest.mark.parametrize("styles", [0, 1, 5])
def test_nothing_typed_gives_the_useful_and_what_is_near(
    collection: ColumnCollection, styles: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all regions near, every place; the nearest ones hold nearly all of them in a large collection."""
    monkeypatch.setattr(column_ranker, "NEAREST", -1.0)
    taste = _taste(styles, random.Random(styles))
    for where in FILTERS:
        shown = [each for each in STICKERS if _passes(each, where)]
        looks = np.array([each.style for each in shown]).reshape(-1, LOOK)
        utility = np.array([each.utility for each in shown])
        scores = final_scores(np.ones(len(shown)), utility, looks, taste.centroids, taste.weights, BETA, GAMMA)
        ids = [each.id for each in shown]
        positions = once_each(order(scores, ids), [each.group for each in shown])
        ranker = Ranker(collection, Ranking(beta=BETA, gamma=GAMMA, pool=1000))
        for page in (Page(0, 20), Page(25, 10)):
            found = ranker.trending((), taste, page, where)
            _same(found, [ids[at] for at in positions], scores[positions].tolist(), page)


def test_own_latest_stickers_stand_before_the_useful(collection: ColumnCollection) -> None:
    own = [STICKERS[number].id for number in (9, 30, 3)]
    found = Ranker(collection, Ranking(beta=BETA, gamma=GAMMA)).trending(own, NO_TASTE, Page(0, 20), None)
    assert found.ids[:3] == own
    assert len({*found.ids}) == len(found.ids)


def test_of_many_equal_texts_the_useful_and_then_the_smallest_ids() -> None:
    stickers = [
        Known(_id(number), {EQUAL: 0.5}, {}, 0.9 if number % 500 == 7 else 0.1, np.zeros(LOOK), "", {})
        for number in range(1_500)
    ]
    search = Search((EQUAL,), False, 0, None, NO_TASTE, BETA)
    with ExitStack() as stack:
        collection = _built(stack, stickers)
        ids, scores = search.expected(stickers)
        for page in (Page(0, 20), Page(1_000, 20), Page(1_490, 20)):
            _same(_ranker(collection, search).rank(search.recall, NO_TASTE, page), ids, scores, page)


def test_zeros_are_left_behind(collection: ColumnCollection) -> None:
    columns = collection.columns
    assert columns is not None
    for search in _searches(9, 20):
        _ranker(collection, search).rank_apart(search.recall, search.taste, Page(0, 20), [STICKERS[0].id])
        _ranker(collection, search).trending((), search.taste, Page(0, 20), search.where)
    with columns.scratch.lend(columns.rows) as scratch:
        for array in (scratch.seen, scratch.flags, scratch.picked, *map(scratch.sums, range(3))):
            assert not array.any()


def test_whoever_searches_meanwhile_sees_stickers_before_or_after_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_CHANGED", 100)
    monkeypatch.setattr(live, "MOST_SEGMENTS", 3)
    before = STICKERS[:300]
    after = [
        replace(each, utility=0.9 - each.utility) if number % 6 == 0 else each for number, each in enumerate(before)
    ]
    changes = [[each for number, each in enumerate(state) if number % 6 == 0] for state in (after, before)]
    searches = [*_searches(10, 8)]
    page = Page(0, 30)
    with ExitStack() as stack:
        collection = _built(stack, before)
        states = [[search.expected(state)[0][: page.end] for state in (before, after)] for search in searches]
        assert sum(one != other for one, other in states) > 3
        going = True

        def search_on(number: int) -> int:
            search, answers = searches[number], 0
            while going or not answers:
                found = _ranker(collection, search).rank(search.recall, search.taste, page)
                assert found.ids[: page.end] in states[number]
                answers += 1
            return answers

        with ThreadPoolExecutor(8) as threads:
            running = [threads.submit(search_on, number) for number in range(len(searches))]
            try:
                for turn, change in zip(range(24), cycle(changes), strict=False):
                    collection.upsert([_point(each) for each in change])
                    if turn % 6 == 5:
                        collection.flush()
                collection.purge()
            finally:
                going = False
            assert all(each.result() > 1 for each in running)
        assert collection.columns is not None
        assert len(collection.columns.segments) == 1

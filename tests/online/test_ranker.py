"""What the ranker asks of a collection, and when it has proven a page: bounds by hand, and answers that are given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from index_samples import manifest
from persrv.index.engine import Collection
from persrv.index.language import Filter, Formula, HasId, Matches, Nearest, Prefetch, Request, ScoredPoint
from persrv.index.schema import GROUP, IMAGE, MEANING, REGIONAL, STYLE_CLUSTER, TEXT, point_id
from persrv.online.candidate_source import CandidateSource, picked_sources, text_source
from persrv.online.page import NOISE, SLACK, Page
from persrv.online.ranker import CLUSTERED, DEEPEST, FALLEN, Ranker
from persrv.online.recall import FAR_DEPTH, PICKED_DEPTH, RARE_DEPTH, Recall, picture_recall, popular_recall
from persrv.online.request import NO_TASTE, Taste
from persrv.ranking.regional import regional_query
from persrv.ranking.stored import trace_factors
from persrv.ranking.style_clusters import MOST_NEAR
from persrv.recipe import Ranking
from persrv.text.bm25f import SparseVector

DIMENSION = 64
IDS = [f"{number * 2_147_483:08x}{number:024x}" for number in range(420)]
OFTEN, RARE = 3, 9
WORDS = SparseVector([OFTEN], [1.0])
KEPT = Filter((Matches("pack", ("noto",)),))
MEANT = CandidateSource(Nearest([[1.0]], MEANING), entry=0.4)
BY_WORDS = Recall((text_source(WORDS),), KEPT)
BY_BOTH = Recall((text_source(WORDS), MEANT), KEPT)
STYLE = np.eye(DIMENSION)[0]
TASTE = Taste(STYLE[None, :], np.ones(1))
HIGH = 1e9


class Scripted:
    """A collection of a few scored points, which keeps what it was asked.

    Args:
        scores: Of the stickers of :data:`IDS`, falling; a filter by ids is obeyed.
        lasts: Scores of the last sticker that each source lets in, ``None`` for none.
        clusters: Regions of the space of style; the word of :data:`WORDS` is frequent in them.
    """

    def __init__(
        self,
        scores: Sequence[float] = (),
        lasts: Sequence[float | None] = (),
        clusters: Sequence[Sequence[float]] = (),
    ) -> None:
        self.manifest = manifest(
            1000,
            dimension=DIMENSION,
            beta=0.5,
            regions=[*map(list, clusters)],
            regional_words=[OFTEN] if len(clusters) else [],
        )
        self.points = [ScoredPoint(point_id(IDS[n]), {}, {}, score) for n, score in enumerate(scores)]
        self.lasts = lasts
        self.calls: list[list[Request]] = []

    @property
    def asked(self) -> list[Request]:
        """What every call asked first."""
        return [call[0] for call in self.calls]

    def query_many(self, requests: Sequence[Request]) -> list[list[ScoredPoint]]:
        self.calls.append([*requests])
        lasts = iter(self.lasts)
        return [self._last(next(lasts)) if request.limit == 1 else self._found(request) for request in requests]

    def query(self, request: Request) -> list[ScoredPoint]:
        return self.query_many([request])[0]

    def _last(self, score: float | None) -> list[ScoredPoint]:
        return [] if score is None else [ScoredPoint(point_id(IDS[-1]), {}, {}, score)]

    def _found(self, request: Request) -> list[ScoredPoint]:
        found = self.points
        for prefetch in inside(request):
            for condition in prefetch.filter.must if prefetch.filter else ():
                found = [p for p in found if not isinstance(condition, HasId) or p.id in condition.ids]
            for condition in prefetch.filter.must_not if prefetch.filter else ():
                found = [p for p in found if not isinstance(condition, HasId) or p.id not in condition.ids]
        return found[: request.limit]


def inside(request: Request) -> list[Prefetch]:
    """Return every prefetch in a request that takes stickers from the collection itself."""
    waiting, found = [*request.prefetch], []
    while waiting:
        prefetch = waiting.pop(0)
        waiting += prefetch.inner
        found += [] if prefetch.inner else [prefetch]
    return found


def pool(request: Request) -> int:
    """Return how many candidates the first source lets in."""
    return inside(request)[0].limit


def regions(request: Request) -> set[tuple[int, int]]:
    """Return the limit and the number of regions of each recall in a request that is kept to some."""
    return {
        (prefetch.limit, len(condition.values))
        for prefetch in inside(request)
        for condition in (prefetch.filter.must if prefetch.filter else ())
        if isinstance(condition, Matches) and condition.key == STYLE_CLUSTER
    }


def regional(request: Request) -> set[tuple[int, tuple[int, ...], tuple[float, ...]]]:
    """Return the limit and the query of each recall by words in regions."""
    return {
        (prefetch.limit, tuple(prefetch.query.vector.indices), tuple(round(x, 9) for x in prefetch.query.vector.values))
        for prefetch in inside(request)
        if isinstance(prefetch.query, Nearest)
        and prefetch.query.using == REGIONAL
        and isinstance(prefetch.query.vector, SparseVector)
    }


def ranker(collection: Scripted, **changes: Any) -> Ranker:
    return Ranker(cast(Collection, collection), Ranking(**{"beta": 0.5, "gamma": 1.0, "pool": 100} | changes))


def test_where_the_engines_score_is_the_final_one_it_is_asked_once_and_nothing_is_proven() -> None:
    factors = trace_factors(IDS[:5]).tolist()
    for whole in (False, True):
        collection = Scripted([3.0 * factor for factor in factors])
        ranked = ranker(collection).rank(BY_WORDS, NO_TASTE, Page(0, 20), whole=whole)
        first = Request(Nearest(WORDS, TEXT), limit=20 + SLACK, filter=KEPT, with_payload=(GROUP,))
        assert collection.calls == [[first]]
        # The trace of the ids is no part of the score.
        np.testing.assert_allclose(ranked.scores, 3.0, rtol=1e-12)
        assert (ranked.ids, ranked.cut) == (IDS[:5], False)


def test_every_equal_sticker_may_be_looked_at_where_the_engines_score_is_the_final_one() -> None:
    collection = Scripted([1.0] * 60)
    ranker(collection).rank(BY_WORDS, NO_TASTE, Page(0, 1))
    assert [request.limit for request in collection.asked] == [41, 82]


@pytest.mark.parametrize(
    "recall",
    [
        BY_BOTH,
        Recall((text_source(SparseVector([1, 2], [1.0, -5.0])),)),
        popular_recall(None),
        picture_recall([1.0], None),
    ],
    ids=["two sources", "unwanted words", "popular", "pictures"],
)
def test_other_scores_need_a_formula_and_a_proof(recall: Recall) -> None:
    collection = Scripted([3.0], [0.1, 0.1])
    ranker(collection).rank(recall, NO_TASTE, Page(0, 1))
    (call,) = collection.calls
    assert isinstance(call[0].query, Formula)
    assert len(call) == 1 + len(recall.sources)
    assert (call[1].limit, call[1].offset) == (1, CLUSTERED - 1)


def test_another_weight_of_utility_than_that_of_the_build_needs_a_formula() -> None:
    collection = Scripted([3.0], [0.1])
    ranker(collection, beta=0.4).rank(BY_WORDS, NO_TASTE, Page(0, 1))
    assert isinstance(collection.asked[0].query, Formula)


@pytest.mark.parametrize(
    ("taste", "page", "pools"),
    [
        (NO_TASTE, Page(0, 20), [CLUSTERED, 800, 3200, DEEPEST]),
        (TASTE, Page(0, 20), [100, 400, 1600, DEEPEST]),
        (TASTE, Page(30, 370), [400 + SLACK, 4 * (400 + SLACK), DEEPEST]),
        (NO_TASTE, Page(5000, 1000), [6000 + SLACK]),
    ],
    ids=["anybody", "styles", "a later page", "a page beyond all pools"],
)
def test_the_pool_grows_while_the_page_is_not_proven(taste: Taste, page: Page, pools: list[int]) -> None:
    collection = Scripted([3.0] * 40, [HIGH, HIGH])
    ranked = ranker(collection).rank(BY_BOTH, taste, page)
    assert [pool(request) for request in collection.asked] == pools
    assert [len(call) for call in collection.calls] == [3] * (len(pools) - 1) + [1], "the deepest is not proven"
    assert ranked.cut


def test_a_filter_that_lets_no_more_in_than_a_page_needs_no_proof() -> None:
    for taste, page, wanted in ((TASTE, Page(0, 20), 100), (NO_TASTE, Page(0, 20), 200), (TASTE, Page(0, 99), 139)):
        collection = Scripted([3.0] * 5, [HIGH, HIGH])
        ranked = ranker(collection).rank(BY_BOTH, taste, page, whole=True)
        assert [len(call) for call in collection.calls] == [1]
        assert (pool(collection.asked[0]), ranked.cut, ranked.total) == (wanted, False, 5)


def proven(lasts: Sequence[float | None], scores: Sequence[float], page: Page, recall: Recall = BY_BOTH) -> bool:
    """Return whether a page is proven by the first pool."""
    collection = Scripted(scores, lasts)
    ranked = ranker(collection).rank(recall, NO_TASTE, page)
    assert ranked.cut == (len(collection.calls) > 1)
    return not ranked.cut


def test_a_page_is_proven_where_nothing_outside_can_reach_its_last_sticker() -> None:
    # What is outside has at most 1 by its words, and 1.3 or 1.34 by its meaning, times 1.5 for its utility.
    assert proven([1.0, 1.3], [9.0, 5.0, 3.0], Page(0, 3))
    assert not proven([1.0, 1.34], [9.0, 5.0, 3.0], Page(0, 3))
    assert proven([1.0, 1.34], [9.0, 5.0, 3.0], Page(0, 2))
    # Rounding may make as much of a difference.
    plain = Recall((text_source(WORDS), CandidateSource(Nearest([[1.0]], MEANING))))
    assert not proven([3.0 * (1.0 - NOISE), None], [9.0, 5.0, 3.0], Page(0, 3), plain)
    assert proven([3.0 * (1.0 - 2 * NOISE), None], [9.0, 5.0, 3.0], Page(0, 3), plain)
    # There may be more, so that a page that is not full proves nothing; one that is full does.
    assert not proven([0.1, None], [9.0, 5.0, 3.0], Page(0, 4))
    # Where no source has any more, there is nothing outside.
    assert proven([None, None], [9.0], Page(0, 4))
    assert not proven([None, HIGH], [9.0], Page(0, 1))


def test_a_source_that_ends_below_its_entry_lets_in_all_that_it_finds() -> None:
    assert proven([None, 0.39], [0.1], Page(0, 1))
    assert proven([None, 0.4], [0.61], Page(0, 1))
    assert not proven([None, 0.4], [0.59], Page(0, 1))


def test_a_source_that_is_whole_in_the_pool_is_not_asked_for_its_last() -> None:
    collection = Scripted([3.0], [HIGH], clusters=np.eye(DIMENSION))
    recall = Recall((text_source(WORDS, finds=CLUSTERED), MEANT))
    ranker(collection).rank(recall, NO_TASTE, Page(0, 20))
    assert [len(call) for call in collection.calls] == [2, 2, 2, 1]
    # Nor are regions of any use where all that have the words are let in.
    collection = Scripted([3.0] * 60, clusters=np.eye(DIMENSION))
    ranker(collection, pool=200).rank(Recall((text_source(WORDS, finds=CLUSTERED),)), TASTE, Page(0, 20))
    assert regional(collection.asked[0]) == set()


NEAR = Recall((text_source(WORDS), *picked_sources(7, WORDS, omega=2.0, delta=4.0)))


@pytest.mark.parametrize(
    ("lasts", "bound"),
    [
        # Within the region: (0.1 + 2 * 0.5) * (1 + 4 * 0.25), and twice as much for the style, which 0.2 has already.
        ([1.0, 0.9, 0.9, 0.2, 0.5, 0.25], 4.4),
        # Outside of it a style is hardly ever nearer than 2 / sqrt(64).
        ([1.0, None, None, 0.2, None, None], 1.25),
        ([1.0, 0.05, 0.05, 0.0, 0.0, 0.0], (1 + 0.1 * 0.8**20) * (1 + 0.2 * 0.8**20) * 1.25),
        ([0.0, 0.9, 0.9, None, 0.5, 0.25], 4.0),
    ],
)
def test_within_regions_and_outside_of_them_another_bound_holds(lasts: list[float | None], bound: float) -> None:
    for worst, enough in ((bound * 1.001, True), (bound * 0.999, False)):
        collection = Scripted([9.0, *(worst * 0.9999**n for n in range(59))], lasts, clusters=np.eye(DIMENSION))
        ranked = ranker(collection).rank(NEAR, TASTE, Page(0, 2))
        assert regions(collection.asked[0]) == {(PICKED_DEPTH * CLUSTERED, 1)}
        pools = [CLUSTERED] if enough else [CLUSTERED, 2 * CLUSTERED]
        asked = [request for request in collection.asked if request.limit > 1]
        assert [pool(request) for request in asked] == [FAR_DEPTH * each for each in pools]
        assert [limit for request in asked for limit, *_ in regional(request)] == pools
        assert [len(call) for call in collection.calls] == [1, 6] if enough else [1, 6, 1]
        assert ranked.cut is not enough


@pytest.mark.parametrize("pool", [CLUSTERED, 2 * CLUSTERED])
def test_within_regions_a_page_behind_which_scores_fall_needs_no_proof(pool: int) -> None:
    # They fall by a power of the rank: 0.93 of the page's last score, or more, at the end of the pool.
    page = Page(0, 2) if pool == CLUSTERED else Page(0, pool - SLACK)
    behind = FALLEN ** (math.log((page.end + SLACK) / page.end) / math.log(pool / page.end))
    for last, fallen in ((behind * 0.9999, True), (behind * 1.0001, False)):
        scores = [9.0] * page.end + [9.0 * last] * SLACK + [0.1] * 9
        collection = Scripted(scores, [HIGH] * 6, clusters=np.eye(DIMENSION))
        ranked = ranker(collection).rank(NEAR, TASTE, page)
        assert (ranked.cut is not fallen) if pool > CLUSTERED else ((len(collection.calls) == 1) is fallen)


def test_within_regions_an_answer_that_ends_before_the_pool_needs_no_proof() -> None:
    collection = Scripted([9.0] * (SLACK + 1), [HIGH] * 6, clusters=np.eye(DIMENSION))
    ranked = ranker(collection).rank(NEAR, TASTE, Page(0, 2))
    assert (len(collection.calls), ranked.cut) == (1, False)


def test_near_duplicates_that_leave_a_page_half_full_do_not_pass_for_its_end() -> None:
    collection = Scripted([9.0] * 60, [HIGH] * 6, clusters=np.eye(DIMENSION))
    collection.points = [replace(point, payload={GROUP: "same"}) for point in collection.points]
    assert ranker(collection).rank(NEAR, TASTE, Page(0, 2)).cut


def test_regions_hold_a_long_page() -> None:
    collection = Scripted([9.0] * 60, [HIGH] * 6, clusters=np.eye(DIMENSION))
    ranker(collection).rank(NEAR, TASTE, Page(0, 400))
    assert [pool(request) for request in collection.asked] == [FAR_DEPTH * (400 + SLACK)]


def test_outside_of_regions_the_largest_style_factor_counts() -> None:
    half = Taste(STYLE[None, :], np.array([0.5]))
    for worst, enough in ((1.51, True), (1.49, False)):
        collection = Scripted([9.0, worst], [1.0])
        assert ranker(collection).rank(BY_WORDS, half, Page(0, 2)).cut is not enough


def test_regions_let_in_by_words_that_all_of_them_may_have() -> None:
    for recall in (picture_recall([1.0], None), Recall((text_source(SparseVector([1, 2], [1.0, -5.0])),))):
        collection = Scripted([9.0], [0.1], clusters=np.eye(DIMENSION))
        ranker(collection).rank(recall, TASTE, Page(0, 1))
        assert regional(collection.asked[0]) == set()


def asked_for(words: SparseVector, taste: Taste, rare: int = 0) -> Request:
    collection = Scripted([], [None] * 2, clusters=np.eye(DIMENSION))
    ranker(collection, gamma=0.5).rank(Recall((text_source(words, rare=rare),)), taste, Page(0, 20))
    return collection.asked[0]


def in_regions(words: SparseVector, taste: Taste) -> set[tuple[int, tuple[int, ...], tuple[float, ...]]]:
    return regional(asked_for(words, taste))


def test_frequent_words_are_looked_for_in_near_regions_by_their_largest_style_factor() -> None:
    style = np.zeros(DIMENSION)
    style[[0, 4, 7, 9]] = [0.8, 0.59, 0.11, 0.02]
    taste = Taste(style[None, :] / np.linalg.norm(style), np.array([0.9]))
    similarity = 0.9 * taste.centroids[0]
    # 0.11 is less than 0.15 of the largest; two standard deviations are 0.25, and no factor is above the largest one.
    factors = {0: 1 + 0.5 * 0.9, 4: 1 + 0.5 * min(0.9, similarity[4] + 0.25)}
    query = regional_query(SparseVector([OFTEN, RARE], [2.0, 5.0]), factors, {OFTEN})
    expected = (CLUSTERED, tuple(query.indices), tuple(round(value, 9) for value in query.values))
    assert in_regions(SparseVector([OFTEN, RARE], [2.0, 5.0]), taste) == {expected}
    # What has a rare word is let in by words alone, and all of it where that is not too much.
    for rare, depth in ((0, FAR_DEPTH), (2 * CLUSTERED, 2), (4 * CLUSTERED + 1, 5), (HIGH, RARE_DEPTH)):
        assert pool(asked_for(WORDS, taste, int(rare))) == depth * CLUSTERED
    assert in_regions(SparseVector([RARE], [5.0]), taste) == set()
    assert in_regions(WORDS, NO_TASTE) == set()


@pytest.mark.parametrize("gamma", [0.0, 0.5])
def test_there_are_not_too_many_near_regions(gamma: float) -> None:
    collection = Scripted([], [None] * 2, clusters=np.eye(2 * DIMENSION))
    taste = Taste(np.full((1, 2 * DIMENSION), (2 * DIMENSION) ** -0.5), np.ones(1))
    ranker(collection, gamma=gamma).rank(BY_WORDS, taste, Page(0, 20))
    ((_, dimensions, values),) = regional(collection.asked[0])
    assert len(dimensions) == MOST_NEAR
    assert values == pytest.approx([1.0 + gamma * 3.0 * (2 * DIMENSION) ** -0.5] * MOST_NEAR)


@pytest.mark.parametrize("recall", [BY_WORDS, BY_BOTH], ids=["direct", "by a formula"])
def test_some_stickers_are_ranked_apart_along_with_the_first_request(recall: Recall) -> None:
    collection = Scripted([9.0, 8.0, 7.0, 6.0], [HIGH, HIGH])
    others, apart = ranker(collection).rank_apart(recall, NO_TASTE, Page(0, 20), [IDS[2], IDS[0]])
    assert (others.ids, apart.ids) == ([IDS[1], IDS[3]], [IDS[0], IDS[2]] if recall is BY_BOTH else IDS[:4])
    assert collection.calls[0][-1].limit == 2 + SLACK
    assert [len(call) for call in collection.calls] == ([2] if recall is BY_WORDS else [4, 3, 3, 1])


def test_an_empty_query_gives_own_stickers_as_given_and_then_popular_ones() -> None:
    own = [IDS[5], IDS[50], IDS[2]]
    for taste in (NO_TASTE, TASTE):
        collection = Scripted([9.0 - n for n in range(9)], [None], clusters=np.eye(DIMENSION))
        ranked = ranker(collection).trending(own, taste, Page(3, 4), KEPT)
        assert ranked.ids == [IDS[5], IDS[2], IDS[0], IDS[1], IDS[3], IDS[4], *IDS[6:9]]
        mine, rest = collection.asked[0], collection.asked[-1]
        assert (mine.limit, rest.limit) == (3 + SLACK, 5 + SLACK)
        assert pool(rest) == (CLUSTERED if taste is NO_TASTE else 100)
        assert regions(rest) == (set() if taste is NO_TASTE else {(100, 1)})
        ranker(collection).trending(own, taste, Page(1, 4), KEPT)
        assert collection.asked[-1].limit == 4 + SLACK
        ranker(collection).trending((), taste, Page(0, 300), None)
        assert pool(collection.asked[-1]) == 300 + SLACK


def test_where_all_stickers_of_a_region_are_compared_only_the_nearest_count() -> None:
    style = np.zeros(DIMENSION)
    style[[0, 4, 7]] = [0.8, 0.33, 0.31]
    taste = Taste(style[None, :] / np.linalg.norm(style), np.ones(1))
    collection = Scripted([9.0], clusters=np.eye(DIMENSION))
    ranker(collection).trending((), taste, Page(0, 4), None)
    assert regions(collection.asked[-1]) == {(100, 2)}
    ranker(collection).similar(STYLE.tolist(), None, 1.0, Page(0, 20), None, style=taste.centroids[0].tolist())
    assert regions(collection.asked[-1]) == {(CLUSTERED, 2)}


def test_stickers_like_one_are_sought_in_the_regions_of_its_style() -> None:
    collection = Scripted([2.0, 1.0], clusters=np.eye(DIMENSION))
    look = STYLE.tolist()
    found = ranker(collection).similar(look, WORDS, 1.0, Page(0, 20), KEPT)
    assert found is not None and found.ids == IDS[:2]
    (asked,) = collection.asked
    assert (pool(asked), regions(asked)) == (CLUSTERED, set())
    assert {prefetch.query.using for prefetch in asked.prefetch if isinstance(prefetch.query, Nearest)} == {TEXT, IMAGE}
    ranker(collection).similar(look, None, 1.0, Page(0, 300), KEPT, style=look)
    assert (pool(collection.asked[-1]), regions(collection.asked[-1])) == (340, {(340, 1)})
    assert ranker(collection).similar(None, None, 1.0, Page(0, 20), KEPT) is None

"""A page is the same whatever order the engine gives equal scores in, and however few points it is asked for."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.errors import QueryError
from persrv.index.engine import Collection
from persrv.index.language import Request, ScoredPoint
from persrv.index.schema import point_id, sticker_id_of
from persrv.online.page import LARGEST_PAGE, NOISE, SLACK, Page, Ranked, best_first, ordered
from persrv.ranking.stored import trace_factors

IDS = [f"{number * 14_316_557:08x}{number:024x}" for number in range(300)]


def scored(sticker: str, score: float, group: str = "") -> ScoredPoint:
    return ScoredPoint(point_id(sticker), {"group": group} if group else {}, {}, score)


class Engine:
    """Has points in memory, and gives those of equal scores in an order of its own."""

    def __init__(self, points: list[ScoredPoint], seed: int) -> None:
        shuffled = random.Random(seed).sample(points, len(points))
        self.points = sorted(shuffled, key=lambda point: -point.score)
        self.limits: list[int] = []

    def query(self, request: Request) -> list[ScoredPoint]:
        self.limits.append(request.limit)
        return self.points[: request.limit]


def ranked_by(engine: Engine, page: Page, most: int = 1000, **options: Any) -> Ranked:
    return best_first(cast(Collection, engine), Request(None, limit=most), page, **options)


def expected(points: list[ScoredPoint]) -> list[str]:
    """The whole order, by the definition: score, then id, one of each group, nothing below 0."""
    best = sorted(points, key=lambda point: (-point.score, point.id))
    seen: set[str] = set()
    kept = []
    for point in best:
        group = point.payload.get("group")
        if point.score >= 0 and (group is None or group not in seen):
            kept.append(sticker_id_of(point.id))
            seen.add(group or point.id)
    return kept


POINTS = st.lists(
    st.tuples(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, 2.5]), st.sampled_from(["", "", "a", "b", "c"])),
    min_size=1,
    max_size=len(IDS),
)


@given(POINTS, st.integers(0, 120), st.integers(1, 40), st.integers(0, 5))
def test_every_page_is_the_one_of_all_points(made: list[tuple[float, str]], offset: int, limit: int, seed: int) -> None:
    points = [scored(sticker, *each) for sticker, each in zip(IDS, made, strict=False)]
    page = Page(offset, limit)
    ranked = ranked_by(Engine(points, seed), page)
    assert ranked.ids[: page.end] == expected(points)[: page.end]
    assert ranked.part(page).ids == expected(points)[offset : offset + limit]
    assert ranked.total == len(ranked.ids) == len(ranked.scores) == len(ranked.groups)


def test_few_points_are_asked_for_and_more_only_where_equal_scores_cross_the_end() -> None:
    clear = Engine([scored(sticker, 300.0 - n) for n, sticker in enumerate(IDS)], 1)
    ranked_by(clear, Page(0, 10))
    assert clear.limits == [10 + SLACK]
    equal = Engine([scored(sticker, 1.0) for sticker in IDS], 1)
    assert ranked_by(equal, Page(0, 10)).ids[:10] == IDS[:10]
    assert equal.limits == [50, 100, 200, 400]
    bounded = Engine([scored(sticker, 1.0) for sticker in IDS], 1)
    ranked_by(bounded, Page(0, 10), most=120)
    assert bounded.limits == [50, 100, 120]
    short = Engine([scored(sticker, 1.0) for sticker in IDS[:49]], 1)
    ranked_by(short, Page(0, 10))
    assert short.limits == [50]
    exact = Engine([scored(sticker, 1.0) for sticker in IDS[:30]], 1)
    ranked_by(exact, Page(0, 5), most=30)
    assert exact.limits == [30]


def test_more_is_asked_for_where_near_duplicates_leave_the_page_short() -> None:
    copies = [scored(sticker, 9.0 - n / 100, "one picture") for n, sticker in enumerate(IDS[:60])]
    others = [scored(sticker, 1.0 - n / 100) for n, sticker in enumerate(IDS[60:90])]
    engine = Engine([*copies, *others], 1)
    assert ranked_by(engine, Page(0, 10)).ids[:10] == [IDS[0], *IDS[60:69]]
    assert engine.limits == [50, 100]
    # A page that is just full says nothing of the next one: one more is asked for.
    first = [scored(sticker, 9.0) for sticker in IDS[:9]]
    copies = [scored(sticker, 8.0 - n / 100, "one picture") for n, sticker in enumerate(IDS[9:50])]
    engine = Engine([*first, *copies, scored(IDS[50], 1.0)], 1)
    assert ranked_by(engine, Page(0, 10)).ids == [*IDS[:10], IDS[50]]
    assert engine.limits == [50, 100]


def test_differences_of_rounding_are_no_differences() -> None:
    scores = [2.0] * 9 + [1.0] + [1.0 - 1e-7] * 60
    near = Engine([scored(sticker, score) for sticker, score in zip(IDS, scores, strict=False)], 1)
    ranked_by(near, Page(0, 10))
    assert near.limits == [50, 100]
    exact = Engine([scored(s, x if x >= 1 else 1.0 - NOISE) for s, x in zip(IDS, scores, strict=False)], 1)
    ranked_by(exact, Page(0, 10))
    assert exact.limits == [50, 100]
    far = Engine([scored(s, x if x >= 1 else 0.999) for s, x in zip(IDS, scores, strict=False)], 1)
    ranked_by(far, Page(0, 10))
    assert far.limits == [50]


def test_the_trace_of_ids_is_taken_out_of_stored_scores() -> None:
    chosen = IDS[:20]
    factors = trace_factors(chosen)
    points = [scored(sticker, 3.0 * factor) for sticker, factor in zip(chosen, factors.tolist(), strict=True)]
    ranked = ordered(points, stored=True)
    np.testing.assert_allclose(ranked.scores, 3.0, rtol=1e-12)
    assert ranked.ids == chosen
    assert ordered([], stored=True).total == 0


def test_one_ranking_behind_another() -> None:
    one = Ranked(["a", "b", "c"], np.array([3.0, 2.0, 1.0]), ["g", "", ""])
    other = Ranked(["d", "e", "a2"], np.array([9.0, 8.0, 7.0]), ["", "h", "g"])
    joined = one.then(other)
    assert joined.ids == ["a", "b", "c", "d", "e"]
    assert joined.scores.tolist() == [3.0, 2.0, 1.0, 9.0, 8.0]
    assert joined.groups == ["g", "", "", "", "h"]
    assert Ranked.nothing().then(one).ids == one.ids
    assert Ranked.nothing().then(one).scores.tolist() == one.scores.tolist()
    assert one.at([2, 0]).ids == ["c", "a"]
    assert one.part(Page(1, 9)).ids == ["b", "c"]
    assert one.part(Page(7, 2)).ids == []


@pytest.mark.parametrize("cut", [(False, False), (True, False), (False, True), (True, True)])
def test_a_ranking_of_two_is_cut_where_one_of_them_is(cut: tuple[bool, bool]) -> None:
    one, other = (replace(Ranked.nothing(), cut=each) for each in cut)
    assert one.then(other).cut is any(cut)


def test_nothing_is_cut_and_no_trace_is_taken_out_unless_somebody_says_so() -> None:
    points = [scored(sticker, 3.0) for sticker in IDS[:9]]
    ranked = ordered(points)
    assert not ranked.cut
    assert not Ranked.nothing().cut
    assert ranked.scores.tolist() == [3.0] * 9
    assert ranked_by(Engine(points, 1), Page(0, 5)).scores.tolist() == [3.0] * 9


@pytest.mark.parametrize(("offset", "limit"), [(-1, 1), (0, 0), (0, LARGEST_PAGE + 1), (0, "3"), (1.5, 1), (0, True)])
def test_pages_that_cannot_be(offset: object, limit: object) -> None:
    with pytest.raises(QueryError):
        Page.checked(offset, limit)


def test_pages_that_can_be() -> None:
    assert Page.checked(0, 1) == Page(0, 1)
    assert Page.checked(7, LARGEST_PAGE).end == 7 + LARGEST_PAGE
    assert replace(Page(0, 1), offset=4).end == 5

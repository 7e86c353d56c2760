"""What is asked of an engine, worked out with numbers: an evaluator of the request language is the oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.errors import QueryError
from persrv.index.language import (
    AbsoluteValue,
    Division,
    Expression,
    Filter,
    Formula,
    HasId,
    Matches,
    Nearest,
    NearestStyles,
    OrderBy,
    PayloadNumber,
    Power,
    Prefetch,
    PrefetchScore,
    Product,
    Request,
    Sum,
)
from persrv.index.schema import IMAGE, MEANING, PICKED, REGIONAL, STYLE_CLUSTER, TEXT, TRENDING, point_id
from persrv.online.candidate_source import (
    ALONE,
    NEAREST,
    CandidateSource,
    meaning_source,
    picked_sources,
    text_source,
    within,
)
from persrv.online.recall import Recall, picture_recall, popular_recall
from persrv.online.request import (
    NO_TASTE,
    NO_UNSAFE,
    Taste,
    Weights,
    narrowed,
    parse_filters,
    personal_request,
    similar_request,
    trending_request,
)
from persrv.ranking.affinity import agreement
from persrv.text.bm25f import SparseVector
from persrv.text.meaning.fusion import Blend

STYLES = Taste(np.eye(3)[:2], np.array([1.0, 0.5]))
WORDS = SparseVector([1, 5], [0.5, 2.0])
KEPT = Filter((Matches("pack", ("noto",)),))
WEIGHTS = Weights(beta=0.3, gamma=0.6, stored_beta=0.3, using="style")


def value(expression: Expression, scores: Mapping[int, float], utility: float = 0.0) -> float:
    """Work a formula out as an engine does."""
    match expression:
        case PrefetchScore(number, default):
            return scores.get(number, default)
        case PayloadNumber("utility"):
            return utility
        case Sum(parts):
            return sum(value(part, scores, utility) for part in parts)
        case Product(factors):
            return float(np.prod([value(factor, scores, utility) for factor in factors]))
        case Division(left, right, by_zero):
            below = value(right, scores, utility)
            return value(left, scores, utility) / below if below else by_zero
        case AbsoluteValue(part):
            return abs(value(part, scores, utility))
        case Power(base, exponent):
            return float(value(base, scores, utility) ** exponent)
        case _:
            return float(expression)  # type: ignore[arg-type]


def result(request: Request, scores: Mapping[int, float], utility: float = 0.0) -> float:
    assert isinstance(request.query, Formula)
    return value(request.query.expression, scores, utility)


def squashed(similarity: float) -> float:
    """What an engine gives for the nearest of several styles."""
    return (similarity / (1 + abs(similarity)) + 1) / 2


NUMBERS = st.floats(0, 20)
COSINES = st.floats(-1, 1)
SHARES = st.floats(0, 1)


@given(NUMBERS, COSINES, SHARES, SHARES, SHARES)
def test_a_personal_score_is_the_formula(text: float, cosine: float, utility: float, beta: float, gamma: float) -> None:
    recall = Recall((text_source(WORDS),))
    stored = text * (1 + 0.3 * utility)
    weights = Weights(beta, gamma, stored_beta=0.3, using="style")
    request = personal_request(recall, STYLES, weights, 50)
    found = result(request, {0: stored, 1: squashed(cosine)}, utility)
    assert found == pytest.approx(text * (1 + beta * utility) * (1 + gamma * cosine), abs=1e-9)
    # A sticker without a picture is neither raised nor lowered, and nobody without styles has a factor.
    assert result(request, {0: stored}, utility) == pytest.approx(text * (1 + beta * utility), abs=1e-9)
    plain = personal_request(recall, NO_TASTE, weights, 50)
    assert result(plain, {0: stored}, utility) == pytest.approx(text * (1 + beta * utility), abs=1e-9)


def test_how_a_personal_request_is_laid_out() -> None:
    recall = Recall((text_source(WORDS),), KEPT)
    request = personal_request(recall, STYLES, WEIGHTS, 50)
    words, near = request.prefetch
    assert (request.limit, words.limit, near.limit) == (50, 50, 50)
    assert words.query == Nearest(WORDS, TEXT)
    assert words.filter == KEPT
    assert isinstance(near.query, NearestStyles)
    assert near.query.using == "style"
    assert near.query.styles == [[1.0, 0.0, 0.0], [0.0, 0.5, 0.0]]
    assert near.inner == (words,)
    assert personal_request(recall, NO_TASTE, WEIGHTS, 50).prefetch == (words,)


@given(NUMBERS, NUMBERS, NUMBERS, COSINES, SHARES)
def test_picks_of_others_count_the_less_the_less_one_draws_alike(
    text: float, exact: float, words: float, cosine: float, utility: float
) -> None:
    sources = (text_source(WORDS), *picked_sources(7, WORDS, omega=2.0, delta=4.0))
    request = personal_request(Recall(sources), STYLES, WEIGHTS, 50)
    stored = 1 + 0.3 * utility
    found = result(request, {0: text * stored, 1: words * stored, 2: exact, 3: squashed(cosine)}, utility)
    agreed = float(agreement(np.array(cosine)))
    wanted = (text + 2 * agreed * words) * (1 + 4 * agreed * exact) * (1 + 0.3 * utility) * (1 + 0.6 * cosine)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@given(COSINES, COSINES, SHARES)
def test_an_empty_query_starts_with_one(near: float, useful: float, utility: float) -> None:
    request = trending_request(STYLES, WEIGHTS, 30, KEPT, clusters=(2, 4))
    for scores, cosine in (({1: squashed(near)}, near), ({2: squashed(useful)}, useful)):
        # What is not near has no score there: the larger one is its own.
        assert result(request, scores, utility) == pytest.approx((1 + 0.3 * utility) * (1 + 0.6 * cosine), abs=1e-9)
    popular, close, rated = request.prefetch
    assert (popular.query, popular.filter, popular.limit) == (OrderBy(TRENDING), KEPT, 30)
    assert close.filter == Filter((*KEPT.must, Matches(STYLE_CLUSTER, (2, 4))))
    assert (close.limit, rated.limit, request.limit) == (30, 30, 60)
    assert rated.inner == (popular,)


def test_more_like_this_adds_text_and_look() -> None:
    request = similar_request([1.0, 0.0], WORDS, self_score=8.0, stored_beta=0.3, pool=10, where=KEPT)
    assert request is not None
    assert result(request, {0: 4.0 * 1.15, 1: 0.5}, utility=0.5) == pytest.approx(4 / 8 + 0.5)
    assert [prefetch.limit for prefetch in request.prefetch] == [20, 20]
    assert request.limit == 20
    assert [inner.filter for inner in request.prefetch[0].inner] == [KEPT, KEPT]
    assert request.prefetch[0].inner == request.prefetch[1].inner
    look = similar_request([1.0, 0.0], None, 1.0, 0.3, 10, None)
    assert look is not None
    assert (result(look, {0: 0.25}), look.limit) == (0.25, 10)
    text = similar_request(None, WORDS, 4.0, 0.3, 10, None)
    assert text is not None
    assert (result(text, {0: 2.0}), text.prefetch[0].query) == (0.5, Nearest(WORDS, TEXT))
    assert similar_request(None, SparseVector([], []), 1.0, 0.3, 10, None) is None
    assert similar_request(None, None, 1.0, 0.3, 10, None) is None


def test_weights_by_hand() -> None:
    assert WEIGHTS.correction == 1.0
    other = Weights(0.5, 0.6, stored_beta=0.25, using="style")
    assert value(other.correction, {}, 0.8) == pytest.approx(1.4 / 1.2)
    assert other.largest_correction == pytest.approx(1.5 / 1.25)
    assert Weights(0.1, 0.6, 0.25, "style").largest_correction == 1.0
    assert WEIGHTS.largest_style(STYLES) == pytest.approx(1.6)
    assert WEIGHTS.largest_style(NO_TASTE) == 1.0
    assert len(STYLES) == 2
    assert len(NO_TASTE) == len(NO_TASTE.centroids) == 0


def test_filters() -> None:
    assert parse_filters(None) is None
    assert parse_filters({}, unsafe=False) == NO_UNSAFE
    assert parse_filters({"pack": "noto"}, unsafe=False) == Filter(KEPT.must, NO_UNSAFE.must_not)
    assert parse_filters({"pack": ["a", "!b"], "animated": False}) == Filter(
        (Matches("pack", ("a",)), Matches("animated", (False,))), (Matches("pack", ("b",)),)
    )
    assert parse_filters({"rating": "!unsafe"}, unsafe=False) == Filter((), (Matches("rating", ("unsafe",)),))
    assert parse_filters({"rating": "any"}, unsafe=False) is None
    assert parse_filters({"rating": "unsafe"}, unsafe=False) == Filter((Matches("rating", ("unsafe",)),))
    assert parse_filters({"tags": "!"}) == Filter((Matches("tags", ("!",)),))
    assert parse_filters({"tags": []}) == Filter((Matches("tags", ()),))
    for wrong in (
        {"colour": "red"},
        {"animated": "yes"},
        {"pack": 3},
        {"pack": ["a", 3]},
        {"pack": "x" * 1001},
        ["pack"],
    ):
        with pytest.raises(QueryError):
            parse_filters(wrong)  # type: ignore[arg-type]
    assert parse_filters({"pack": "x" * 1000}) is not None


def test_narrowing() -> None:
    one = "0" * 31 + "1"
    assert narrowed(None) is None
    assert narrowed(KEPT) == KEPT
    assert narrowed(KEPT, without=[one]) == Filter(KEPT.must, (HasId((point_id(one),)),))
    assert narrowed(NO_UNSAFE, only=[one]) == Filter((HasId((point_id(one),)),), NO_UNSAFE.must_not)
    assert narrowed(None, without=[one], only=[one]) == Filter((HasId((point_id(one),)),), (HasId((point_id(one),)),))


def test_regions_narrow_a_filter() -> None:
    assert within(KEPT, ()) is KEPT
    assert within(None, ()) is None
    assert within(NO_UNSAFE, (3,)) == Filter((Matches(STYLE_CLUSTER, (3,)),), NO_UNSAFE.must_not)


def test_a_source_and_its_bound() -> None:
    source = CandidateSource(Nearest(WORDS, TEXT), slope=2.0, floor=0.25, entry=0.5, most=7)
    assert [source.limit(pool) for pool in (3, 7, 50)] == [3, 7, 7]
    assert value(source.share(4), {4: 1.25}) == 2.0
    assert value(source.share(4), {}) == 0.0
    assert source.bound(None, beta=0.5) == pytest.approx(2 * (0.5 - 0.25) * 1.5)
    assert source.bound(0.75, beta=0.5) == pytest.approx(2 * (0.75 - 0.25) * 1.5)
    assert source.bound(0.1, beta=0.5) == 0.0
    assert (source.recall(50, KEPT).limit, source.recall(50, KEPT).threshold) == (7, 0.5)
    assert source.score(50, KEPT, 9, ()) == Prefetch(source.query, limit=9, threshold=0.25)
    last = source.last(50, KEPT)
    assert (last.limit, last.offset, last.filter) == (1, 6, KEPT)
    everything = CandidateSource(Nearest(WORDS, TEXT))
    assert everything.limit(50) == 50
    assert everything.share(1) == PrefetchScore(1)
    assert everything.score(50, KEPT, 9, ()).threshold is None
    assert (everything.bound(None, 0.5), everything.bound(2.0, 0.5)) == (0.0, 3.0)
    assert CandidateSource(Nearest(WORDS, TEXT), stored=True).bound(2.0, 0.5) == 2.0
    assert CandidateSource(Nearest(WORDS, TEXT), multiplies=True).bound(2.0, 0.5) == 2.0


def test_a_source_of_picks_that_finds_few_scores_them_without_the_others_candidates() -> None:
    inner = (Prefetch(Nearest(WORDS, TEXT), limit=3),)
    for finds, alone in ((ALONE, True), (ALONE + 1, False), (None, False)):
        for source in picked_sources(7, WORDS, 2.0, 4.0, finds):
            expected = Prefetch(source.query, limit=finds or 0, filter=KEPT)
            assert (source.score(10, KEPT, 99, inner) == expected) is alone
            assert (source.score(10, KEPT, 99, inner) == Prefetch(source.query, limit=99, inner=inner)) is not alone
    # A word's own stickers lack what styles say of them.
    text = text_source(WORDS, finds=ALONE)
    assert text.score(10, KEPT, 99, inner) == Prefetch(text.query, limit=99, inner=inner)


def test_the_bound_of_a_recall() -> None:
    text, (words, exact) = text_source(WORDS), picked_sources(7, WORDS, 2.0, 4.0)
    recall = Recall((text, words, exact))
    assert recall.stored
    assert recall.bound([3.0, 1.0, 0.5], beta=0.3, largest_correction=1.2) == pytest.approx((3 + 2) * 1.2 * (1 + 2))
    assert recall.bound([3.0, None, None], beta=0.3, largest_correction=1.0) == pytest.approx(3.0)
    mixed = Recall((text, CandidateSource(Nearest(WORDS, IMAGE))))
    assert not mixed.stored
    assert mixed.bound([3.0, 1.0], beta=0.5, largest_correction=2.0) == pytest.approx(6 + 1.5)
    assert popular_recall(None).bound([0.4, None, 0.7], beta=0.5, largest_correction=9.0) == pytest.approx(1.35)
    # Near regions let in by words and, four times as many, by others' picks; far ones by words twice as many.
    near = recall.near((1,), WORDS, 10)
    assert (recall.size(10), near.size(10)) == (30, 20 + 10 + 10 + 10 + 40 + 40)
    assert near.regions == (1,)
    assert [source.regions for source in near.sources] == [(), (), ()]
    assert near.regional == (
        replace(text, query=Nearest(WORDS, REGIONAL)),
        replace(words, regions=(1,), depth=4),
        replace(exact, regions=(1,), depth=4),
    )
    assert mixed.near((1,), WORDS, 10).regional[1] is None
    assert mixed.near((1,), WORDS, 10).rows == (
        *mixed.near((1,), WORDS, 10).sources,
        near.regional[0],
    )
    assert near.rows[4].last(5, None).filter == Filter((Matches(STYLE_CLUSTER, (1,)),))
    assert recall.words == WORDS
    assert Recall((text_source(SparseVector([1, 2], [1.0, -5.0])),)).words is None
    assert Recall((words,)).words == WORDS
    assert picture_recall([1.0], None).words is popular_recall(None).words is None
    assert [prefetch.limit for prefetch in recall.scores(10)] == [30, 30, 30]
    assert recall.scores(10)[0].inner == recall.prefetches(10)


def test_the_recall_score_adds_and_multiplies_its_sources() -> None:
    recall = Recall(
        (text_source(WORDS), CandidateSource(Nearest(WORDS, IMAGE)), *picked_sources(7, WORDS, 2.0, 4.0)[1:])
    )
    score = recall.formula(Sum((1.0, Product((0.5, PayloadNumber("utility"))))), 1.25)
    assert value(score, {0: 2.0, 1: 3.0, 2: 0.5}, 0.4) == pytest.approx((2 * 1.25 + 3 * 1.2) * (1 + 4 * 0.5))
    assert value(popular_recall(KEPT).formula(1.75, 9.0), {}) == 1.75
    # An engine works out nothing for what makes no difference.
    assert Recall((text_source(WORDS),)).formula(1.75, 1.0) == PrefetchScore(0)


def test_sources_of_each_kind() -> None:
    assert text_source(WORDS) == CandidateSource(Nearest(WORDS, TEXT), stored=True)
    unwanted = SparseVector([1, 2], [1.0, -5.0])
    assert text_source(unwanted).entry == 0.0
    assert text_source(SparseVector([1], [0.0])).entry is None
    assert picked_sources(7, None, 2.0, 4.0) == picked_sources(7, WORDS, 0.0, 4.0) == ()
    (alone,) = picked_sources(None, WORDS, 2.0, 4.0)
    assert picked_sources(7, WORDS, 2.0, 0.0) == (alone,)
    assert (alone.slope, alone.stored, alone.picked, alone.multiplies) == (2.0, True, True, False)
    exact = picked_sources(7, WORDS, 2.0, 4.0)[1]
    assert exact.query == Nearest(SparseVector([7], [1.0]), PICKED)
    assert (exact.slope, exact.stored, exact.picked, exact.multiplies) == (4.0, False, True, True)
    look = picture_recall([1.0, 0.0], KEPT)
    assert (look.where, look.sources[0].entry, look.sources[0].query) == (KEPT, 0.0, Nearest([1.0, 0.0], IMAGE))
    popular = popular_recall(KEPT)
    assert (popular.constant, popular.where, popular.sources[0].query) == (True, KEPT, OrderBy(TRENDING))
    meant = meaning_source(np.array([0.6, 0.8]), Blend(slope=3.0, floor=0.2, entry=0.4))
    assert meant == CandidateSource(Nearest([[0.6, 0.8]], MEANING), slope=3.0, floor=0.2, entry=0.4, most=NEAREST)
    assert NEAREST == 200


def test_a_source_that_is_whole_in_the_pool_is_not_scored_twice() -> None:
    text, (words, exact) = text_source(WORDS, 50), picked_sources(7, WORDS, 2.0, 4.0, 9)
    recall = Recall((text, words, exact))
    assert [source.whole(10) for source in recall.sources] == [False, True, True]
    assert (words.whole(9), words.whole(8)) == (True, False)
    assert [bool(prefetch.inner) for prefetch in recall.scores(10)] == [True, False, False]
    assert not any(prefetch.inner for prefetch in recall.scores(50))
    assert not text_source(WORDS).whole(10_000)
    without = SparseVector(WORDS.indices, [-1.0, *WORDS.values[1:]])
    assert not text_source(without, 1).whole(10)


def test_stickers_like_one_are_recalled_by_its_strongest_words_and_scored_by_all() -> None:
    text = SparseVector([*range(20)], [float(i) for i in range(20)])
    request = similar_request([0.6, 0.8], text, 1.0, 0.5, 30, None, (3,))
    assert request is not None
    by_words, by_look = request.prefetch
    assert by_words.query == Nearest(text, TEXT)
    assert by_words.inner == by_look.inner
    recalled, looks = by_words.inner
    assert recalled.query == Nearest(SparseVector([*range(10, 20)], [float(i) for i in range(10, 20)]), TEXT)
    assert looks.filter == Filter((Matches(STYLE_CLUSTER, (3,)),))

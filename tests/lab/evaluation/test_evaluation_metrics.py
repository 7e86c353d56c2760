from __future__ import annotations

import math
from collections.abc import Callable

import ir_measures
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, R, Success, nDCG

from persrv.errors import QueryError
from persrv.lab.evaluation import metrics

IDS = [f"s{number:02}" for number in range(30)]
RANKINGS = st.lists(st.sampled_from(IDS), unique=True)
RELEVANT = st.sets(st.sampled_from(IDS), max_size=12)
CUTOFFS = st.sampled_from((1, 2, 5, 10, 20, 50))
SETS = (
    metrics.multi_mrr,
    metrics.normalised_multi_mrr,
    metrics.reciprocal_rank,
    metrics.recall,
    metrics.hit_rate,
    metrics.ndcg,
    metrics.style_match,
)


def test_a_perfect_ranking_of_three_has_1_8333() -> None:
    assert metrics.multi_mrr(["a", "b", "c", "d"], {"a", "b", "c"}, 20) == pytest.approx(1.8333, abs=5e-5)
    assert metrics.normalised_multi_mrr(["a", "b", "c", "d"], {"a", "b", "c"}, 20) == 1.0


def test_every_measure_by_hand() -> None:
    ranking, relevant = ["x", "a", "y", "b", "c"], {"a", "b", "c", "gone"}
    assert metrics.multi_mrr(ranking, relevant, 4) == pytest.approx(1 / 2 + 1 / 4)
    assert metrics.normalised_multi_mrr(ranking, relevant, 4) == pytest.approx(0.75 / (1 + 1 / 2 + 1 / 3 + 1 / 4))
    assert metrics.reciprocal_rank(ranking, relevant, 5) == 1 / 2
    assert metrics.reciprocal_rank(ranking, relevant, 1) == 0
    assert metrics.recall(ranking, relevant, 4) == 2 / 4
    assert metrics.hit_rate(ranking, relevant, 1) == 0
    assert metrics.hit_rate(ranking, relevant, 2) == 1
    assert metrics.ndcg(ranking, relevant, 2) == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
    assert metrics.ndcg(["b", "a"], {"a": 3.0, "b": 1.0}, 2) == pytest.approx(
        (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    )
    assert metrics.style_match(ranking, {"x", "y"}, 3) == pytest.approx(2 / 3)
    assert metrics.coverage([["a", "b"], ["a", "c"], []], 10, 2) == pytest.approx(0.3)
    assert metrics.coverage([["a", "b"], ["a", "c"]], 10, 1) == pytest.approx(0.1)


def test_novelty_is_the_bits_of_a_smoothed_share() -> None:
    picks = {"a": 5, "b": 1, "c": 0, "d": 0}
    assert metrics.novelty(["a"], picks, 1) == pytest.approx(-math.log2(6 / 10))
    assert metrics.novelty(["b", "c"], picks, 2) == pytest.approx((-math.log2(2 / 10) - math.log2(1 / 10)) / 2)
    assert metrics.novelty(["c"], picks, 5) > metrics.novelty(["b"], picks, 5) > metrics.novelty(["a"], picks, 5)
    assert metrics.novelty([], picks, 5) == 0
    # A sticker that nobody listed was never picked, and is one of the collection.
    assert metrics.novelty(["e"], picks, 1) == pytest.approx(-math.log2(1 / 11))


@pytest.mark.parametrize("measure", SETS)
def test_a_query_without_answer_counts_as_nothing(measure: Callable[..., float]) -> None:
    assert measure(["a", "b"], set(), 10) == 0
    assert measure([], {"a"}, 10) == 0


@given(RANKINGS, RELEVANT, CUTOFFS)
def test_the_standard_measures_agree_with_ir_measures(ranking: list[str], relevant: set[str], k: int) -> None:
    names = {RR @ k: metrics.reciprocal_rank, R @ k: metrics.recall, nDCG @ k: metrics.ndcg}
    names[Success @ k] = metrics.hit_rate
    run = [ir_measures.ScoredDoc("q", found, -float(rank)) for rank, found in enumerate(ranking)]
    right = [ir_measures.Qrel("q", found, 1) for found in sorted(relevant)]
    # Without judgements trec_eval leaves a query out; here it is a failure, which the test above pins.
    if not run or not right:
        return
    theirs = {value.measure: value.value for value in ir_measures.iter_calc(list(names), right, run)}
    for measure, ours in names.items():
        assert ours(ranking, relevant, k) == pytest.approx(theirs[measure], abs=1e-9)


@given(RANKINGS, st.dictionaries(st.sampled_from(IDS), st.integers(0, 4), min_size=1), CUTOFFS)
def test_graded_ndcg_agrees_with_ir_measures(ranking: list[str], gains: dict[str, int], k: int) -> None:
    if not ranking:
        return
    run = [ir_measures.ScoredDoc("q", found, -float(rank)) for rank, found in enumerate(ranking)]
    right = [ir_measures.Qrel("q", found, gain) for found, gain in gains.items()]
    assert metrics.ndcg(ranking, gains, k) == pytest.approx(
        ir_measures.calc_aggregate([nDCG @ k], right, run)[nDCG @ k], abs=1e-9
    )


@given(RANKINGS, RELEVANT, CUTOFFS)
def test_bounds_and_order(ranking: list[str], relevant: set[str], k: int) -> None:
    values = {measure.__name__: measure(ranking, relevant, k) for measure in SETS}
    assert all(0 <= value <= 1 + 1e-12 for name, value in values.items() if name != "multi_mrr")
    assert values["multi_mrr"] >= values["reciprocal_rank"]
    assert values["normalised_multi_mrr"] <= values["multi_mrr"] + 1e-12
    perfect = [*sorted(relevant), *(found for found in ranking if found not in relevant)]
    for measure in SETS:
        assert measure(perfect, relevant, k) >= values[measure.__name__] - 1e-12


@pytest.mark.parametrize("measure", SETS)
def test_impossible_rankings_are_refused(measure: Callable[..., float]) -> None:
    with pytest.raises(QueryError, match="k = 0"):
        measure(["a"], {"a"}, 0)
    with pytest.raises(QueryError, match="'a' stands in a ranking twice"):
        measure(["a", "b", "a"], {"a"}, 3)
    with pytest.raises(QueryError, match="'a' stands in a ranking twice"):
        measure(["b", "a", "a"], {"a"}, 3)


@pytest.mark.parametrize("gain", [-1.0, math.nan, math.inf])
def test_impossible_gains_are_refused(gain: float) -> None:
    with pytest.raises(QueryError, match="gain of 'a'"):
        metrics.ndcg(["a"], {"a": gain}, 1)

from __future__ import annotations

import pytest

from persrv.errors import QueryError
from persrv.lab.evaluation.results import EvaluationQuery, Judged, by_group, gain, judge, mean_interval


def answered(group: str, right: str, *ranking: str) -> Judged:
    return judge(EvaluationQuery(group, "love", frozenset([right] if right else []), group), ranking, cutoffs=(1, 2))


ONE = [
    answered("ann", "a", "a", "b"),
    answered("ann", "a", "b", "a"),
    answered("bo", "c", "c"),
    answered("bo", "", "c"),
]
TWO = [answered("ann", "a", "b", "a"), answered("ann", "a", "b"), answered("bo", "c", "c"), answered("bo", "", "c")]


def test_means_are_taken_over_a_groups_queries_then_over_groups() -> None:
    uneven = [*ONE, answered("bo", "c", "c"), answered("bo", "c", "c")]
    assert by_group(uneven, "MRR@2") == {"ann": 0.75, "bo": 0.75}
    assert mean_interval([answered("ann", "a", "a")] * 9 + [answered("bo", "a", "b")], "MRR@1").mean == 0.5


def test_a_question_without_a_right_answer_stays_in_the_mean() -> None:
    assert by_group(ONE, "MRR@2")["bo"] == 0.5


def test_a_gain_pairs_groups() -> None:
    found = gain(ONE, TWO, "MRR@2")
    assert found.interval.mean == pytest.approx((0.75 - 0.25 + 0.0) / 2)
    assert found.interval.groups == 2


def test_what_was_not_measured_is_refused() -> None:
    with pytest.raises(QueryError, match=r"'MRR@7'.*M-MRR@1"):
        mean_interval(ONE, "MRR@7")
    with pytest.raises(QueryError, match="'bo'"):
        gain(ONE, TWO[:2], "MRR@2")
    with pytest.raises(QueryError, match="measure a group first"):
        mean_interval([], "MRR@2")

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persrv.lab.tuning.knobs import knobs, proposals, value_of, with_values
from persrv.lab.tuning.search import Values, coordinate_search
from persrv.recipe import Recipe

RECIPE = Recipe.from_dict({"name": "x", "stickers": {"loader": "folder"}})


def peak(values: Values) -> float:
    """Largest, 0, where gamma is 0.6 and beta 0; beta does no harm where gamma is small."""
    return -abs(values["ranking.gamma"] - 0.6) - values["ranking.beta"] * (values["ranking.gamma"] > 0.3)


def test_it_stops_where_only_two_changes_at_once_would_help() -> None:
    found = coordinate_search({"ranking.beta": 0.5, "ranking.gamma": 0.0}, peak, trials=100)
    assert found.values == {"ranking.beta": 0.5, "ranking.gamma": 0.3}
    assert found.settled


def test_it_climbs_to_the_top_and_says_that_nothing_helps_any_more() -> None:
    found = coordinate_search({"ranking.beta": 0.5, "ranking.gamma": 1.0}, peak, trials=100)
    assert found.values == {"ranking.beta": 0.0, "ranking.gamma": 0.6}
    assert (found.objective, found.settled) == (pytest.approx(0.0), True)
    assert found.trials < 40


def test_no_setting_is_tried_twice_and_no_more_than_allowed() -> None:
    for trials in (1, 2, 7, 100):
        questions: list[tuple] = []
        result: list[int] = []

        def objective(values: Values, questions: list[tuple] = questions) -> float:
            questions.append(tuple(sorted(values.items())))
            return peak(values)

        start = {"ranking.beta": 0.5, "ranking.gamma": 0.0}
        found = coordinate_search(start, objective, trials=trials, advance=result.append)
        assert len(questions) == len(set(questions)) == found.trials == sum(result) <= trials
        assert found.objective == max(map(peak, map(dict, questions)))
        assert found.settled == (trials == 100)


def test_the_seed_decides_the_order_and_nothing_else_does() -> None:
    start = dict.fromkeys(["ranking.beta", "ranking.gamma", "meaning.weight"], 0.5)
    orders = set()
    for seed in range(8):
        runs: list[list[Values]] = []
        for _ in range(2):
            requests: list[Values] = []

            def flat(values: Values, requests: list[Values] = requests) -> float:
                requests.append(values)
                return 0.0

            coordinate_search(start, flat, trials=4, seed=seed)
            runs.append(requests)
        assert runs[0] == runs[1]
        orders.add(str(runs[0]))
    assert len(orders) > 1


def test_a_gain_of_rounding_is_none() -> None:
    found = coordinate_search({"ranking.beta": 0.5}, lambda values: values["ranking.beta"] * 1e-8, trials=50)
    assert found.values == {"ranking.beta": 0.5}


@given(st.sampled_from(knobs(RECIPE, ["tags", "queries"])), st.floats(0, 1))
def test_every_proposal_is_another_allowed_value(key: str, value: float) -> None:
    tried = proposals(key, value)
    assert value not in tried and tried == sorted(set(tried))
    for one in tried:
        assert value_of(with_values(RECIPE, {key: one}), key) == one


def test_proposals_by_hand() -> None:
    assert proposals("ranking.gamma", 1.0) == [0.7, 0.9]
    assert proposals("ranking.beta", 0.5) == [0.0, 0.25, 0.35, 0.7, 1.0]
    assert proposals("ranking.beta", 0.0) == [0.1, 0.3, 1.0]
    assert proposals("ranking.omega", 2.0) == [0.0, 1.0, 1.4, 2.8, 4.0]


def test_meaning_is_tuned_only_where_it_counts() -> None:
    words = Recipe.from_dict({"name": "x", "stickers": {"loader": "folder"}, "meaning": {"encoder": ""}})
    assert "meaning.weight" not in knobs(words, [])
    assert "meaning.weight" in knobs(RECIPE, [])
    assert knobs(RECIPE, {"tags", "name"})[:2] == ["text.fields.name.weight", "text.fields.tags.weight"]

"""Rankings learnt on the parts of the score: parts by hand, the trap of better texts, and leaks."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from persrv.errors import MissingExtraError, QueryError
from persrv.lab.evaluation.likeness import QueryLikeness
from persrv.lab.evaluation.material import Material, RawVectors
from persrv.lab.evaluation.meant import hybrid
from persrv.lab.evaluation.results import EvaluationQuery
from persrv.lab.evaluation.splits import by_time
from persrv.lab.evaluation.systems import ours
from persrv.lab.evaluation.view import View
from persrv.lab.experiments.learned import check_order
from persrv.lab.learned.explain import fallen, partial_dependence, raised
from persrv.lab.learned.features import FEATURES, Candidates, Parts, RankingExamples, lessons
from persrv.lab.learned.formula import extended, searched, starting_weights
from persrv.lab.learned.models import Learned, boosted_trees, logistic, shuffled
from persrv.recipe import Recipe
from persrv.records import Interaction, Semantics, Sticker
from persrv.text.meaning.registry import text_encoder

START = datetime(2026, 1, 1, tzinfo=UTC)
AT = {name: column for column, name in enumerate(FEATURES)}


def sticker(name: str, *tags: str) -> Sticker:
    return Sticker(name, None, "", 0, 0, 0, (), Semantics(tags=tags), "", "safe", "")


def pick(user: str, query: str, name: str, hour: int = 0) -> Interaction:
    return Interaction(user, query, name, START + timedelta(hours=hour))


STICKERS = (
    sticker("a", "happy cat"),
    sticker("b", "cat", "sleepy cat"),
    sticker("c", "dog", "good cat"),
    sticker("d", "a cat and a dog in the rain"),
    sticker("e", "rain"),
)
IMAGES = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], dtype=np.float32)
RECIPE = Recipe.from_dict({"name": "drawn", "stickers": {"loader": "folder"}})
MATERIAL = Material(STICKERS, RECIPE, {"style": RawVectors("drawn@1", np.arange(4), IMAGES)})
PICKS = (pick("ann", "kitty", "a"), pick("ann", "puss", "a", 1), pick("bo", "nap", "c", 2), pick("bo", "rest", "c", 3))
VIEW = View(MATERIAL, PICKS)
FOUND = Candidates(VIEW, RECIPE)
QUESTIONS = (
    EvaluationQuery("ann", "cat", frozenset({"a"}), "ann"),
    EvaluationQuery("bo", "cat", frozenset({"c"}), "bo"),
    EvaluationQuery("cy", "dog rain", frozenset({"d"}), "cy"),
)


@pytest.mark.parametrize("user", ["ann", "bo", "nobody"])
@pytest.mark.parametrize("query", ["cat", "dog rain", "sleepy kitty"])
def test_the_formula_is_that_of_the_product(query: str, user: str) -> None:
    parts = FOUND.of(query, user)
    expected = ours(VIEW, RECIPE.ranking).scores(query, user)
    assert parts.formula == pytest.approx(expected[parts.rows])
    assert set(parts.rows.tolist()) == set(np.flatnonzero(expected > 0).tolist())
    system = Learned("formula", FOUND, lambda found: found.formula)
    assert system.rank(query, user, 3) == ours(VIEW, RECIPE.ranking).rank(query, user, 3)


def test_with_meaning_it_is_the_hybrid() -> None:
    encoder = text_encoder("use")
    parts = Candidates(VIEW, RECIPE, QueryLikeness(VIEW, encoder, RECIPE.meaning.dimension)).of("kitten", "ann")
    expected = hybrid(VIEW, encoder, RECIPE.meaning, RECIPE.ranking)[1].scores("kitten", "ann")
    assert parts.formula == pytest.approx(expected[parts.rows])
    assert parts.formula.any()


def test_features_by_hand() -> None:
    parts = FOUND.of("cat", "ann")
    assert parts.rows.tolist() == [0, 1, 2, 3]
    text = VIEW.words.scores("cat")[:4]
    columns = parts.features.T
    assert columns[AT["text"]] == pytest.approx(np.log1p(text), rel=1e-5)
    assert columns[AT["text over best"]] == pytest.approx(text / text.max(), rel=1e-5)
    assert columns[AT["whole phrase"]].tolist() == pytest.approx([0, 1, 0, 0])
    assert columns[AT["utility"]] == pytest.approx(VIEW.utility[:4], rel=1e-5)
    assert columns[AT["style"]] == pytest.approx(
        MATERIAL.style_vectors[:4] @ VIEW.profiles["ann"].centroids[0], abs=1e-5
    )
    for name, values in (("text rank", text), ("style rank", parts.similarity), ("formula rank", parts.formula)):
        assert 1 / columns[AT[name]] == pytest.approx(rankdata(-np.round(values, 9), method="min"), rel=1e-5)
    assert FOUND.of("cat", "nobody").features[:, AT["style rank"]].tolist() == pytest.approx([1, 1, 1, 1])
    assert FOUND.of("nothing", "ann").features.shape == (0, len(FEATURES))


def test_only_questions_that_can_teach_are_lessons() -> None:
    hopeless = (
        EvaluationQuery("ann", "cat", frozenset({"e"}), "ann"),
        EvaluationQuery("ann", "nothing", frozenset({"a"}), "ann"),
    )
    known = lessons(FOUND, (*QUESTIONS, *hopeless))
    assert known.sizes.tolist() == [4, 4, 3]
    assert np.flatnonzero(known.picked).tolist() == [0, 6, 9]
    assert known.features.shape == (11, len(FEATURES))


def many(seed: int, sign: float) -> RankingExamples:
    """Lessons in which a better text is picked more (sign 1) or less (sign -1), and style always counts."""
    random = np.random.default_rng(seed)
    features = np.zeros((3000, len(FEATURES)))
    features[:, AT["text"]], features[:, AT["style"]] = random.random(3000), random.random(3000)
    chance = 1 / (1 + np.exp(-6 * (sign * features[:, AT["text"]] + 1.5 * features[:, AT["style"]] - 1.5)))
    return RankingExamples(features, random.random(3000) < chance, np.full(300, 10))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_logistic_finds_what_counts(sign: float) -> None:
    model = logistic(many(0, sign))
    assert model.weights["style"] > sign * model.weights["text"] > 0.5
    assert all(abs(model.weights[name]) < 1e-9 for name in FEATURES if name not in ("text", "style"))
    probe = many(1, sign)
    assert np.mean(model.score(probe.features)[probe.picked]) > np.mean(model.score(probe.features)[~probe.picked])


def test_a_rising_part_never_lowers_a_score_even_where_picks_say_so() -> None:
    known, grid = many(0, -1.0), np.linspace(0, 1, 11)
    free, bound = boosted_trees(known), boosted_trees(known, ("text",))
    probe = known.features[:50]
    trap = partial_dependence(free.score, probe, AT["text"], grid.tolist())
    assert trap[0] > trap[-1]
    for row in probe:
        moved = np.tile(row, (11, 1))
        moved[:, AT["text"]] = grid
        assert (np.diff(bound.score(moved)) >= 0).all()
    assert sum(bound.weights.values()) == pytest.approx(1)
    assert bound.weights["style"] > 0.9


def test_the_same_lessons_give_the_same_trees() -> None:
    known = many(2, 1.0)
    assert boosted_trees(known, seed=3).score(known.features).tolist() == pytest.approx(
        boosted_trees(known, seed=3).score(known.features).tolist(), abs=0
    )


def test_shuffled_lessons_teach_nothing() -> None:
    known = many(0, 1.0)
    control = shuffled(known, 5)
    per_question = [each.reshape(300, 10).sum(axis=1).tolist() for each in (known.picked, control.picked)]
    assert per_question[0] == per_question[1]
    probe = many(1, 1.0)

    def order(lesson: RankingExamples) -> float:
        scores = boosted_trees(lesson).score(probe.features)
        return float(np.mean(scores[probe.picked][:, None] > scores[~probe.picked][None, :]))

    assert order(known) > 0.85
    assert 0.3 < order(control) < 0.7


def test_partial_dependence_of_a_line_is_the_line() -> None:
    features = np.random.default_rng(0).random((20, len(FEATURES)))
    found = partial_dependence(lambda f: 2 * f[:, 0] + f[:, 1], features, 0, [0.0, 0.5, 1.0])
    assert np.diff(found).tolist() == pytest.approx([1, 1])
    assert found[0] == pytest.approx(features[:, 1].mean())


def test_a_ranking_that_dislikes_text_is_caught() -> None:
    assert fallen(lambda parts: parts.formula, FOUND, QUESTIONS) == 0
    assert fallen(lambda parts: -parts.text / parts.text.max(), FOUND, QUESTIONS * 5, seed=1) > 0.1
    assert fallen(lambda parts: parts.text, FOUND, (EvaluationQuery("x", "nothing", frozenset(), "x"),)) == 0
    parts = FOUND.of("cat", "ann")
    better = raised(parts, 2)
    assert better.text.tolist() == pytest.approx([*parts.text[:2], 1.2 * parts.text[2], parts.text[3]])
    assert better.formula[2] == pytest.approx(1.2 * parts.formula[2])


def test_the_extended_formula_by_hand() -> None:
    parts = FOUND.of("cat", "ann")
    start = starting_weights(0.5)
    plain = parts.text * (1 + 0.5 * parts.utility)
    assert extended(parts, start) == pytest.approx(plain * np.exp(parts.similarity))
    assert extended(parts, {**start, "style": 0.0}) == pytest.approx(plain)
    phrase = extended(parts, {**start, "style": 0.0, "phrase": 2.0}) / plain
    assert phrase.tolist() == pytest.approx([1, 3, 1, 1])


def test_the_search_finds_what_people_want() -> None:
    wanted = (EvaluationQuery("nobody", "cat", frozenset({"b"}), "nobody"), *QUESTIONS[:1])
    rank = Learned("start", FOUND, lambda parts: extended(parts, starting_weights(0.5))).rank("cat", "nobody", 4)
    assert rank.index("b") > 0
    found = searched(FOUND, wanted, trials=200, seed=0)
    assert found["phrase"] > 0
    assert Learned("found", FOUND, lambda parts: extended(parts, found)).rank("cat", "nobody", 1) == ["b"]


def test_what_is_asked_for_has_no_part_in_the_features() -> None:
    picks = [*PICKS, *(pick("ann", f"later {at}", name, 10 + at) for at, name in enumerate("bcde"))]
    split = by_time(picks, 0.5)
    alone = Candidates(View(MATERIAL, split.train), RECIPE).of("cat", "ann").features
    assert {one.query for one in split.questions} == {f"later {at}" for at in range(4)}
    assert Candidates(View(MATERIAL, PICKS), RECIPE).of("cat", "ann").features.tolist() == alone.tolist()
    leaking = Candidates(View(MATERIAL, tuple(picks)), RECIPE).of("cat", "ann").features
    assert leaking.tolist() != alone.tolist()


def test_leaks_between_the_three_parts_are_refused() -> None:
    picks = [pick(f"u{at % 3}", f"q{at}", "abcde"[at % 5], at) for at in range(20)]
    test = by_time(picks)
    lesson = by_time(test.train)
    later, earlier = View(MATERIAL, test.train), View(MATERIAL, lesson.train)
    check_order(test, lesson, later, earlier)
    with pytest.raises(QueryError, match="held-out picks are in the index"):
        check_order(test, lesson, View(MATERIAL, tuple(picks)), earlier)
    with pytest.raises(QueryError, match="held-out picks are in the index"):
        check_order(test, lesson, later, later)
    with pytest.raises(QueryError, match="reaches into"):
        early = pick("u0", "new", "a", -1)
        check_order(test, replace(lesson, held_out=(early, *lesson.held_out)), later, earlier)


def test_bad_lessons_and_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = lessons(FOUND, ())
    for learn in (logistic, boosted_trees):
        with pytest.raises(QueryError, match="no question has its answer"):
            learn(nothing)
    with pytest.raises(QueryError, match="'colour'; use some of text"):
        boosted_trees(many(0, 1.0), ("colour",))
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    for learn in (logistic, boosted_trees):
        with pytest.raises(MissingExtraError, match=r"persrv\[evaluate\]"):
            learn(many(0, 1.0))


def test_a_machine_without_openmp_is_told_what_to_install(tmp_path: Path) -> None:
    """A package that fails as LightGBM does there stands in for it."""
    message = "libgomp.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "lightgbm.py").write_text(f"raise OSError({message!r})")
    program = """
from test_learned import boosted_trees, many
from persrv.errors import MissingLibraryError
try:
    boosted_trees(many(0, 1.0))
except MissingLibraryError as error:
    print(error)
"""
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        f"LightGBM cannot be loaded: {message}; "
        "install OpenMP: apt-get install libgomp1, dnf install libgomp, or brew install libomp\n"
    )


def test_parts_of_nothing() -> None:
    empty = FOUND.of("nothing", "ann")
    assert isinstance(empty, Parts)
    assert Learned("x", FOUND, lambda parts: parts.formula).rank("nothing", "ann", 5) == []

"""Does a ranking learnt from picks beat the hand-made formula on the same parts of the score?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from persrv.errors import MissingExtraError, QueryError
from persrv.lab.evaluation.compare import compare
from persrv.lab.evaluation.leaks import check_picks
from persrv.lab.evaluation.likeness import QueryLikeness
from persrv.lab.evaluation.simulation import Population
from persrv.lab.evaluation.splits import PickSplit, by_time, unseen
from persrv.lab.evaluation.view import View
from persrv.lab.experiments.bench import METRIC, PEOPLE, SHOWN, Bench, ExperimentSettings, World
from persrv.lab.learned.explain import BETTER, fallen, partial_dependence
from persrv.lab.learned.features import BY_FORMULA, BY_TEXT, FEATURES, POOL, Candidates, Parts, lessons
from persrv.lab.learned.formula import extended, searched, starting_weights
from persrv.lab.learned.models import (
    FEWEST,
    LEAVES,
    RATE,
    TREES,
    Learned,
    LearnedRanking,
    Score,
    boosted_trees,
    logistic,
    one_thread,
    shuffled,
)
from persrv.lab.reports.report import Plot, Report, Table, gained, measured, sentences
from persrv.lab.tuning.held_out import HeldOutQueries
from persrv.lab.tuning.knobs import GAMMA, MEANING, value_of, with_values
from persrv.lab.tuning.search import coordinate_search
from persrv.recipe import Recipe
from persrv.text.meaning.registry import text_encoder

Floats = NDArray[np.float64]

FORMULA, TUNED, EXTENDED = "formula", "formula, tuned", "formula, extended"
LINEAR, TREE, RISING, CHANCE = "logistic", "LambdaMART", "LambdaMART, monotone", "LambdaMART, shuffled picks"
PAIRS = (
    *((name, FORMULA) for name in (TUNED, EXTENDED, LINEAR, TREE, RISING, CHANCE)),
    *((name, TUNED) for name in (EXTENDED, LINEAR, TREE, RISING)),
    (RISING, TREE),
    (RISING, EXTENDED),
)

HISTORIES = (60, 240)
"""Picks of each person."""

TRIALS = 60
STEPS = 9
"""Quantiles at which a partial dependence is drawn."""

DRAWN = ("text over best", "style", "formula over best")
RAISED = 200
"""Questions of a seed in which a text is made better, and over which a partial dependence is averaged."""


@dataclass(frozen=True, slots=True)
class Taught:
    """The people of one seed, and what was learnt of them before the questions that are tested.

    Attributes:
        world: Its split is the test; its view learnt from all training picks.
        candidates: Of the tested questions.
        models: Name to what was learnt from the later training picks.
        tuned: The recipe with weights that were searched on the same questions.
        weights: Those of the extended formula, searched on the same questions.
        systems: Everything that is compared.
        learnt: How many questions were learnt from.
    """

    world: World
    candidates: Candidates
    models: Mapping[str, LearnedRanking]
    tuned: Recipe
    weights: Mapping[str, float]
    systems: Sequence[Learned]
    learnt: int


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Learn on the later part of the training picks, test on the held-out ones, and look into what was learnt.

    Raises:
        MissingExtraError: scikit-learn or LightGBM is not installed.
    """
    with one_thread():
        return _run(bench, settings)


def _run(bench: Bench, settings: ExperimentSettings) -> Report:
    likeness = _likeness(bench)
    recipe = bench.material.recipe
    tables: list[Table] = []
    findings: list[str] = []
    classes: list[Taught] = []
    for picks in HISTORIES:
        people = Population(users=settings.users, picks=picks)
        classes = [_taught(bench, replace(people, seed=seed), recipe, likeness) for seed in settings.seeds]
        systems = {one.world.seed: one.systems for one in classes}
        answers = bench.ask_all([one.world for one in classes], partial(_of_world, systems))
        compared = compare(answers, PAIRS, METRIC, seed=settings.seed)
        title = f"{picks} picks of each person"
        tables += [
            measured(answers, SHOWN, title, seed=settings.seed),
            gained(compared, f"{title}: gains", METRIC),
            _fallen(classes, f"{title}: does a better text rank lower?"),
            _weights(classes, f"{title}: what counts"),
            _searched_weights(classes, recipe, f"{title}: searched weights"),
        ]
        learnt = ", ".join(str(one.learnt) for one in classes)
        findings.append(f"{title}: learnt from {learnt} questions (each seed).")
        findings += [f"{title}: {sentence}" for sentence in sentences(compared, METRIC)]
    missing = () if likeness else ("Meaning took no part: the extra `meaning` is not installed.",)
    return Report(
        "learned",
        "Learning to rank on the parts of the score",
        "",
        (*PEOPLE, *METHOD),
        tuple(tables),
        tuple(_dependences(classes[0])),
        (*findings, *missing),
        {
            "candidates": POOL,
            "trees": TREES,
            "leaves": LEAVES,
            "learning rate": RATE,
            "smallest leaf": FEWEST,
            "trials of the search": TRIALS,
        },
    )


METHOD = (
    "Three times in order: what is learnt from, questions to fit a ranking on, questions to test. The training picks "
    "are divided by time once more; a view that knows only the earlier ones is asked for the later ones, and on those "
    "answers rankings are fitted. Tested is on the held-out picks, with a view that knows all training picks. No pick "
    "of a later part is in the view of an earlier one, which is checked in every run. Meaning is compared in a space "
    "of the shipped texts alone.",
    f"All rankings order the same candidates, the first {POOL} by words, meaning and utility, by the same parts: "
    f"{', '.join(FEATURES)} (persrv/lab/learned/features.py). The formula is persrv's, with meaning; tuned is "
    "the same with beta, gamma and the weight of meaning searched on the questions that the others are fitted on "
    "(persrv/lab/tuning); extended has exp(weight · style) for 1 + gamma · style, and a factor for stickers of which "
    "the query is a whole phrase, its weights searched likewise.",
    "Logistic: one coefficient a part, standardised. LambdaMART: boosted trees, gradients of nDCG; monotone: no part "
    "of the text, and not the formula, may lower a score. Shuffled picks is a control: what it gains is not learnt. "
    "Trees split between neighbouring values, so that another processor, whose sums differ in the last bit, can move "
    "the LambdaMART rows in the third decimal; on one machine every digit is the same.",
    f"A better text ranks lower: one candidate of {RAISED} tested questions a seed gets {BETTER:g} times its BM25F, "
    "with all that follows for its parts, and others then stand above it that did not before.",
)


def _likeness(bench: Bench) -> QueryLikeness | None:
    try:
        encoder = text_encoder("use")
    except MissingExtraError:
        return None
    return QueryLikeness(View(bench.material, ()), encoder, bench.material.recipe.meaning.dimension)


def _taught(bench: Bench, people: Population, recipe: Recipe, likeness: QueryLikeness | None) -> Taught:
    world = bench.world(people)
    lesson = unseen(by_time(world.split.train))
    earlier = View(bench.material, lesson.train)
    check_order(world.split, lesson, world.view, earlier)
    before = Candidates(earlier, recipe, likeness)
    known = lessons(before, lesson.questions)
    models = {
        LINEAR: logistic(known),
        TREE: boosted_trees(known, seed=people.seed),
        RISING: boosted_trees(known, (*BY_TEXT, *BY_FORMULA), seed=people.seed),
        CHANCE: boosted_trees(shuffled(known, people.seed), seed=people.seed),
    }
    tuned = _searched(HeldOutQueries(earlier, lesson.questions, likeness), recipe, likeness is not None, people.seed)
    weights = searched(before, lesson.questions, TRIALS, people.seed)
    now = Candidates(world.view, recipe, likeness)
    systems = (
        Learned(FORMULA, now, _formula),
        Learned(TUNED, Candidates(world.view, tuned, likeness), _formula),
        Learned(EXTENDED, now, partial(extended, weights=weights)),
        *(Learned(name, now, model.of_parts) for name, model in models.items()),
    )
    return Taught(world, now, models, tuned, weights, systems, len(known.sizes))


def _formula(parts: Parts) -> Floats:
    return parts.formula


def check_order(test: PickSplit, lesson: PickSplit, later: View, earlier: View) -> None:
    """Check that nothing learnt lies behind what is asked.

    Raises:
        QueryError: A pick that is asked for was learnt from, or an earlier part ends after a later one begins.
    """
    check_picks(test, later.picks)
    check_picks(test, earlier.picks)
    check_picks(test, lesson.held_out)
    check_picks(lesson, earlier.picks)
    parts = (earlier.picks, lesson.held_out, test.held_out)
    for before, after in pairwise(parts):
        if max(pick.time for pick in before) >= min(pick.time for pick in after):
            raise QueryError("what is learnt from reaches into what is asked", "divide the picks by time")


def _searched(questions: HeldOutQueries, recipe: Recipe, meaning: bool, seed: int) -> Recipe:
    start = {key: value_of(recipe, key) for key in ("ranking.beta", GAMMA, *([MEANING] if meaning else []))}

    def value(values: dict[str, float]) -> float:
        return questions.value(with_values(recipe, values), "nM-MRR@20")

    return with_values(recipe, coordinate_search(start, value, trials=TRIALS, seed=seed).values)


def _of_world(systems: Mapping[int, Sequence[Learned]], world: World) -> Sequence[Learned]:
    return systems[world.seed]


def _fallen(classes: Sequence[Taught], title: str) -> Table:
    rows = []
    for at, system in enumerate(classes[0].systems):
        shares = [_share_fallen(one, at) for one in classes]
        rows.append((system.name, f"{np.mean(shares):.3f}", ", ".join(f"{share:.3f}" for share in shares)))
    note = "Share of the questions in which the candidate with the better text stands lower."
    return Table(title, ("ranking", "mean over seeds", "each seed"), tuple(rows), note)


def _share_fallen(one: Taught, at: int) -> float:
    system = one.systems[at]
    return fallen(system.score, system.candidates, one.world.split.questions[:RAISED], one.world.seed)


def _weights(classes: Sequence[Taught], title: str) -> Table:
    def cell(name: str, feature: str, form: str) -> str:
        values = [one.models[name].weights[feature] for one in classes]
        return f"{np.mean(values):{form}} ({min(values):{form}} to {max(values):{form}})"

    columns: dict[str, Callable[[str], str]] = {
        f"{LINEAR}, coefficient": lambda feature: cell(LINEAR, feature, "+.2f"),
        f"{TREE}, share of the gain": lambda feature: cell(TREE, feature, ".3f"),
        f"{RISING}, share of the gain": lambda feature: cell(RISING, feature, ".3f"),
    }
    rows = tuple((feature, *(show(feature) for show in columns.values())) for feature in FEATURES)
    return Table(title, ("part", *columns), rows, "Mean over seeds, smallest to largest in brackets.")


def _searched_weights(classes: Sequence[Taught], recipe: Recipe, title: str) -> Table:
    rows = [
        (f"{TUNED}: {key}", f"{value_of(recipe, key):g}", *(f"{value_of(one.tuned, key):g}" for one in classes))
        for key in ("ranking.beta", GAMMA, MEANING)
    ]
    rows += [
        (f"{EXTENDED}: {key}", f"{start:g}", *(f"{one.weights[key]:g}" for one in classes))
        for key, start in starting_weights(recipe.ranking.beta).items()
    ]
    note = "The extended formula's meaning is relative to the recipe's weight."
    return Table(title, ("weight", "start", *(f"seed {one.world.seed}" for one in classes)), tuple(rows), note)


def _dependences(one: Taught) -> list[Plot]:
    """Return how the first seed's rankings move with some parts after the longest history, scores standardised."""
    tables = [
        parts.features
        for question in one.world.split.questions[:RAISED]
        if len((parts := one.candidates.of(question.query, question.user)).rows)
    ]
    features = np.concatenate(tables)
    found = []
    for name in DRAWN:
        column = FEATURES.index(name)
        values = np.quantile(features[:, column], np.linspace(0, 1, STEPS)).tolist()
        curves = {
            model: partial_dependence(_standard(one.models[model].score, features), features, column, values)
            for model in (LINEAR, TREE, RISING)
        }
        x = tuple(f"{value:.2f}" for value in values)
        found.append(Plot(f"Partial dependence: {name}", f"{name}, at its quantiles", "score, standardised", x, curves))
    return found


def _standard(score: Score, features: Floats) -> Score:
    known = score(features)
    middle, spread = float(known.mean()), float(known.std()) or 1.0
    return lambda moved: (score(moved) - middle) / spread

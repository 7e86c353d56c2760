"""Learns weights on a part of a collection's picks and tests them on another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from persrv.errors import NotFoundError, QueryError
from persrv.indexing.progress import Progress, Silent
from persrv.lab.evaluation.intervals import Gain, Interval
from persrv.lab.evaluation.likeness import QueryLikeness
from persrv.lab.evaluation.material import Material, read_material
from persrv.lab.evaluation.results import gain, mean_interval
from persrv.lab.evaluation.splits import SPLITS, PickSplit, unseen
from persrv.lab.evaluation.view import View
from persrv.lab.tuning.held_out import METRIC_NAMES, HeldOutQueries
from persrv.lab.tuning.knobs import knobs, value_of, with_values
from persrv.lab.tuning.search import coordinate_search
from persrv.recipe import Recipe
from persrv.text.meaning.encoder import TextEncoder
from persrv.workspace import Workspace

CONFIRMED = 0.05
"""Largest p-value of the test part that counts as a confirmation."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The weights before and after, on one part of the picks.

    Attributes:
        questions: How many.
        before: Mean over users with the recipe's weights.
        after: With the learnt ones.
        gain: Of the learnt ones, paired by user.
    """

    questions: int
    before: Interval
    after: Interval
    gain: Gain


@dataclass(frozen=True, slots=True)
class Change:
    """One weight: what it was, and what was learnt."""

    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was learnt.

    Attributes:
        recipe: The collection.
        metric: What was made large.
        split: How picks were held back, both times.
        seed: Of the split, the search and the intervals.
        trials: Settings that were tried.
        settled: Whether no single change helped any more.
        train: On the questions that were learnt from.
        test: On the questions that took no part.
        changes: Dotted key to its change; empty where nothing was better.
        confirmed: Whether the test part says so too: it gains, with p <= :data:`CONFIRMED`.
    """

    recipe: str
    metric: str
    split: str
    seed: int
    trials: int
    settled: bool
    train: Measured
    test: Measured
    changes: Mapping[str, Change]
    confirmed: bool


def tune(
    workspace: Workspace,
    *,
    split: str = "time",
    share: float = 0.3,
    trials: int = 200,
    seed: int = 0,
    metric: str = "nM-MRR@20",
    fresh: bool = False,
    progress: Progress | None = None,
) -> Tuned:
    """Learn field weights, beta, gamma, omega, delta, own and the weight of meaning from a collection's own picks.

    Picks are divided twice in the same way. What is held back first is the test. What is held back of the rest is what
    weights are learnt on, by answers that know only what is left then. Nothing is written.

    Args:
        workspace: A built collection with interactions.
        split: One of :data:`persrv.lab.evaluation.splits.SPLITS`.
        share: Part to hold back each time, where the split takes one, in (0, 1).
        trials: Most settings to try, >= 1.
        seed: Of the splits, the search, the intervals and the tests.
        metric: What to make large, such as ``"MRR@20"``.
        fresh: Whether questions that the same user had asked before are left out.
        progress: Shows how far it is.

    Raises:
        QueryError: There is no such split or metric, too few picks, or an argument out of its range.
        NotFoundError: The collection was never built, or has no picks.
        MissingExtraError: The text encoder's package is not installed.
    """
    if split not in SPLITS:
        raise QueryError(f"there is no split {split!r}", f"use one of {', '.join(SPLITS)}")
    if metric not in METRIC_NAMES:
        raise QueryError(f"there is no metric {metric!r}", f"use one of {', '.join(METRIC_NAMES)}")
    if trials < 1:
        raise QueryError(f"trials = {trials} tries nothing", "give trials >= 1")
    recipe = workspace.recipe
    with workspace.existing_catalog() as catalog:
        material = read_material(workspace, catalog)
        picks = [pick for pick in catalog.interactions() if pick.sticker_id in material.rows]
    if not picks:
        problem = f"{recipe.name} has no picks"
        raise NotFoundError(problem, "name a table of picks under [[interactions]] in the recipe and build it again")
    outer = SPLITS[split](picks, share, seed)
    inner = SPLITS[split](outer.train, share, seed)
    encoder = workspace.text_encoder()
    learning = _asked(recipe, material, inner, encoder, fresh)
    start = {key: value_of(recipe, key) for key in knobs(recipe, _fields(material))}
    with (progress or Silent()).stage("tuning", trials) as advance:
        found = coordinate_search(
            start,
            lambda values: learning.value(with_values(recipe, values), metric),
            trials=trials,
            seed=seed,
            advance=advance,
        )
    tuned = with_values(recipe, found.values)
    train = _measured(learning, recipe, tuned, metric, seed)
    test = _measured(_asked(recipe, material, outer, encoder, fresh), recipe, tuned, metric, seed)
    return Tuned(
        recipe=recipe.name,
        metric=metric,
        split=split,
        seed=seed,
        trials=found.trials,
        settled=found.settled,
        train=train,
        test=test,
        changes={key: Change(start[key], value) for key, value in found.values.items() if value != start[key]},
        confirmed=test.gain.interval.mean > 0 and test.gain.p <= CONFIRMED,
    )


def _fields(material: Material) -> set[str]:
    return {field for sticker in material.stickers for field, _ in sticker.semantics.items()}


def _asked(
    recipe: Recipe, material: Material, split: PickSplit, encoder: TextEncoder | None, fresh: bool
) -> HeldOutQueries:
    view = View(material, split.train, recipe.text, recipe.utility, recipe.style)
    questions = (unseen(split) if fresh else split).questions
    if not questions:
        raise QueryError(f"every question of the split {split.name!r} had been asked before", "tune without fresh")
    return HeldOutQueries(view, questions, QueryLikeness(view, encoder, recipe.meaning.dimension) if encoder else None)


def _measured(held_out: HeldOutQueries, before: Recipe, after: Recipe, metric: str, seed: int) -> Measured:
    old, new = held_out.judged(before), held_out.judged(after)
    return Measured(
        questions=len(held_out.questions),
        before=mean_interval(old, metric, seed=seed),
        after=mean_interval(new, metric, seed=seed),
        gain=gain(new, old, metric, seed=seed),
    )

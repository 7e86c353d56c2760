"""How strongly may a user's styles count, where taste is strong and where it is weak?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation import results
from persrv.lab.evaluation.compare import Compared, compare
from persrv.lab.evaluation.simulation import Population
from persrv.lab.evaluation.systems import NOBODY, Scored, System, ours
from persrv.lab.experiments.bench import METRIC, PEOPLE, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Plot, Report, Table, gained, sentences, spread, verdict
from persrv.ranking.formula import style_factor, style_similarity
from persrv.recipe import Ranking

Floats = NDArray[np.float64]

NOISES = (0.15, 0.5, 0.8)
"""Shares of the picks that ignore taste."""

STRENGTHS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
RECIPE = "1 + style"


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Let style count with several strengths, among people who keep to theirs, do so half of the time, or seldom."""
    tables: list[Table] = []
    curves, spans, findings = {}, {}, []
    better: list[set[str]] = []
    for noise in NOISES:
        answers = bench.ask_all(bench.worlds(settings, Population(noise=noise)), _systems)
        names = [name for name in answers if name != RECIPE]
        compared = compare(answers, [(name, RECIPE) for name in names], METRIC, seed=settings.seed)
        title = f"{noise:.0%} of the picks ignore taste"
        found = {name: results.mean_interval(answers[name], METRIC, seed=settings.seed) for name in answers}
        rows = tuple((name, spread(one)) for name, one in found.items())
        tables += [Table(title, ("style", METRIC), rows), gained(compared, f"{title}: over {RECIPE}", METRIC)]
        findings += [f"{title}: {sentence}" for sentence in sentences(compared, METRIC)]
        curves[title] = [one.mean for one in found.values()]
        spans[title] = [(one.low, one.high) for one in found.values()]
        better.append(_better(compared))
    everywhere = sorted(set.intersection(*better))
    verdict = f"Better in every one: {', '.join(everywhere)}." if everywhere else "None is better in every one."
    return Report(
        "style_strength",
        "How strongly a user's styles should count",
        "",
        (
            *PEOPLE,
            "persrv multiplies a score by 1 + gamma · style, the style from -1 to 1; with a gamma above 1 a factor "
            "could be negative, so 1 is the most and the default. exp(strength · style) is above 0 however strong. "
            "Words and utility stay as they are. Simulated people keep to their styles more than anybody has shown of "
            "real ones, so the strengths are tried where taste is weak, too.",
        ),
        tuple(tables),
        (Plot("Strength of style", "factor", METRIC, (RECIPE, *map(_name, STRENGTHS)), curves, spans),),
        (*findings, verdict),
        {"noise": ", ".join(f"{noise:g}" for noise in NOISES)},
    )


def _better(compared: list[Compared]) -> set[str]:
    return {one.better for one in compared if verdict(one) == "better"}


def _name(strength: float) -> str:
    return f"exp({strength:g} · style)"


def _systems(world: World) -> list[System]:
    factors: dict[str, Callable[[Floats], Floats]] = {RECIPE: partial(style_factor, gamma=Ranking().gamma)}
    factors |= {_name(strength): partial(_exponential, strength=strength) for strength in STRENGTHS}
    return [_with_style(world, name, factor) for name, factor in factors.items()]


def _exponential(similarity: Floats, strength: float) -> Floats:
    return np.exp(strength * similarity)


def _with_style(world: World, name: str, factor: Callable[[Floats], Floats]) -> Scored:
    view = world.view
    base = ours(view, profiles=NOBODY)

    def scores(query: str, user: str) -> Floats:
        profile = view.profiles.get(user)
        if profile is None:
            return base.scores(query, user)
        similarity, _ = style_similarity(view.material.style_vectors, profile.centroids, profile.weights)
        return base.scores(query, user) * factor(similarity)

    return Scored(name, view.material.ids, scores)

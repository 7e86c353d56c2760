"""Should profiles fade? Static against decayed preferences, when tastes stay and when they change."""

from __future__ import annotations

from dataclasses import replace

from persrv.lab.evaluation import results
from persrv.lab.evaluation.compare import compare
from persrv.lab.evaluation.simulation import Population
from persrv.lab.evaluation.systems import System, ours
from persrv.lab.experiments.bench import METRIC, PEOPLE, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Plot, Report, Table, gained, sentences, spread
from persrv.recipe import Style

HALF_LIVES = (None, 180.0, 90.0, 45.0, 20.0, 10.0)
DRIFTS = (0.0, 0.5, 1.0)
STATIC = "static"


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Fit profiles with several half-lives, among people of whom none, half or all change their styles."""
    tables: list[Table] = []
    curves, spans, findings = {}, {}, []
    names = [_name(days) for days in HALF_LIVES]
    for drift in DRIFTS:
        answers = bench.ask_all(bench.worlds(settings, Population(drift=drift)), _systems)
        compared = compare(answers, [(name, STATIC) for name in names[1:]], METRIC, seed=settings.seed)
        title = f"{drift:.0%} of the people change their styles half way"
        found = {name: results.mean_interval(answers[name], METRIC, seed=settings.seed) for name in names}
        curves[title] = [one.mean for one in found.values()]
        spans[title] = [(one.low, one.high) for one in found.values()]
        rows = tuple((name, spread(one)) for name, one in found.items())
        tables += [Table(title, ("half-life", METRIC), rows), gained(compared, f"{title}: over static", METRIC)]
        findings += [f"{title}: {sentence}" for sentence in sentences(compared, METRIC)]
    return Report(
        "drift",
        "Static and fading preferences",
        "",
        (
            *PEOPLE,
            "Picks cover 180 days. Whoever drifts likes other styles from day 90 on; the questions are asked from about"
            " day 126 on, when two thirds of what is known of them tells the old taste.",
        ),
        tuple(tables),
        (Plot("Half-life of a pick", "half-life", METRIC, tuple(names), curves, spans),),
        tuple(findings),
        {"half-lives": ", ".join(names), "the recipe's default": f"{Style().half_life_days:g} days"},
    )


def _name(days: float | None) -> str:
    return STATIC if days is None else f"{days:g} days"


def _systems(world: World) -> list[System]:
    found: list[System] = []
    for days in HALF_LIVES:
        fading = replace(world.view, style=Style(half_life_days=days))
        found.append(ours(world.view, name=_name(days), profiles=fading.profiles))
    return found

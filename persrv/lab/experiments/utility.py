"""Which utility measures predict what people pick?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.compare import compare
from persrv.lab.evaluation.intervals import bootstrap_mean
from persrv.lab.evaluation.systems import NOBODY, Scored, System, ours
from persrv.lab.evaluation.view import View
from persrv.lab.experiments.bench import METRIC, PEOPLE, SHOWN, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Report, Table, gained, measured, sentences
from persrv.ranking.formula import utility_factor
from persrv.ranking.utility import age_decay
from persrv.recipe import Ranking, UtilityWeights

Floats = NDArray[np.float64]

PLAIN = "no utility"
RECENT_DAYS = 30.0
"""Half-life of the measure ``recency``."""


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Multiply BM25F by each measure alone and by all together, and see whether each orders stickers as people will."""
    worlds = list(bench.worlds(settings))
    answers = bench.ask_all(worlds, lambda world: with_measures(world.view, measures(world.view)))
    names = [name for name in answers if name != PLAIN]
    compared = compare(answers, [(name, PLAIN) for name in names], METRIC, seed=settings.seed)
    return Report(
        "utility",
        "Which utility predicts what people pick",
        "",
        (
            *PEOPLE,
            f"Each measure multiplies BM25F by 1 + {Ranking().beta:g} · measure, the same for everybody. Popularity, "
            "cross-user and query adaptability are the paper's, smoothed and damped as persrv does it; together is "
            f"persrv's weighting; recency halves every {RECENT_DAYS:g} days since the last pick; pack quality is the "
            "mean number of picks of the pack's other stickers. Completion and the time before a pick need to "
            "know what was shown: the experiment `shown` has them.",
        ),
        (
            measured(answers, SHOWN, "As a factor", seed=settings.seed),
            gained(compared, "Over no utility", METRIC),
            predicted_picks(
                [(world, measures(world.view)) for world in worlds], settings.seed, "Picked against not picked"
            ),
        ),
        (),
        sentences(compared, METRIC),
        {"beta": Ranking().beta},
    )


def measures(view: View) -> dict[str, Floats]:
    """Return every measure's value of each sticker, shape (n,), in [0, 1]."""
    parts = np.array([(one.popularity, one.cross_user, one.query) for one in view.utilities])
    picked = view.counts[:, 0] > 0
    return {
        "popularity": parts[:, 0],
        "cross-user adaptability": parts[:, 1],
        "query adaptability": parts[:, 2],
        "together": np.asarray(parts @ _shares()),
        "recency": np.where(picked, age_decay(view.ages, RECENT_DAYS), 0.0),
        "pack quality": _pack_quality(view),
    }


def _shares() -> Floats:
    weights = UtilityWeights()
    shares = np.array([weights.popularity, weights.cross_user, weights.query])
    return np.asarray(shares / shares.sum())


def _pack_quality(view: View) -> Floats:
    """Return the mean picks of the other stickers of each one's packs over the largest such mean, shape (n,)."""
    picks = view.counts[:, 0].astype(np.float64)
    members: dict[str, list[int]] = defaultdict(list)
    for row, sticker in enumerate(view.material.stickers):
        for pack in sticker.packs:
            members[pack].append(row)
    total, others = np.zeros(len(picks)), np.zeros(len(picks))
    for rows in members.values():
        total[rows] += picks[rows].sum() - picks[rows]
        others[rows] += len(rows) - 1
    quality = np.divide(total, others, out=np.zeros_like(total), where=others > 0)
    return np.asarray(quality / quality.max()) if quality.any() else quality


def with_measures(view: View, measures: Mapping[str, Floats]) -> list[System]:
    """Return BM25F alone, and multiplied by each measure, the same for everybody.

    Args:
        view: What was learnt.
        measures: Name to values, shape (n,), in [0, 1].
    """
    found: list[System] = [ours(view, name=PLAIN, utility=False, profiles=NOBODY)]
    return found + [_with_measure(view, name, utility_factor(one, Ranking().beta)) for name, one in measures.items()]


def _with_measure(view: View, name: str, factor: Floats) -> Scored:
    return Scored(name, view.material.ids, lambda query, user: view.words.scores(query) * factor)


def predicted_picks(worlds: Sequence[tuple[World, Mapping[str, Floats]]], seed: int, title: str) -> Table:
    """Return how well each measure tells held-out picks from the meaning's other drawings, query and text aside.

    Args:
        worlds: Each with its measures: name to values, shape (n,).
        seed: Of the interval.
        title: The table's.
    """
    shares: dict[str, list[float]] = defaultdict(list)
    for world, known in worlds:
        view = world.view
        drawings: dict[str, list[int]] = defaultdict(list)
        for row, sticker in enumerate(view.material.stickers):
            drawings[sticker.semantics.emoji[0]].append(row)
        picked = Counter(view.material.rows[pick.sticker_id] for pick in world.split.held_out)
        for name, measure in known.items():
            won: list[float] = []
            for row, times in sorted(picked.items()):
                rivals = [other for other in drawings[view.material.stickers[row].semantics.emoji[0]] if other != row]
                if rivals:
                    better = np.sign(measure[row] - measure[rivals])
                    won += [float((better.mean() + 1) / 2)] * times
            shares[name].append(float(np.mean(won)))
    rows = []
    for name, values in shares.items():
        interval = bootstrap_mean(values, seed=seed)
        rows.append((name, f"{interval.mean:.3f}", ", ".join(f"{value:.3f}" for value in values)))
    note = "Chance that a held-out pick has a larger value than another drawing of the same meaning; ties count half, "
    note += "0.5 is guessing."
    return Table(title, ("measure", "mean over seeds", "each seed"), tuple(rows), note)

"""What does ranking by a user's styles gain, compared with the published way of doing it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from persrv.lab.evaluation import results
from persrv.lab.evaluation.compare import Answers, compare
from persrv.lab.evaluation.published import published, published_recall, with_styles
from persrv.lab.evaluation.results import Judged
from persrv.lab.evaluation.simulation import Population
from persrv.lab.evaluation.splits import SPLITS, PickSplit
from persrv.lab.evaluation.systems import NOBODY, Scored, System, ours
from persrv.lab.experiments.bench import METRIC, PEOPLE, SHOWN, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Plot, Report, Table, gained, measured, sentences
from persrv.records import Interaction

BASE, FULL, MIXED = "BM25F + utility", "persrv", "BM25F + utility + published style"
PAIRS = ((FULL, BASE), (MIXED, BASE), ("published", "published, not personal"), (FULL, MIXED), (FULL, "published"))

HELD_BACK = 0.3
"""Share of the picks, users or stickers that are held back."""

Divide = Callable[[Sequence[Interaction], float, int], PickSplit]


def systems(world: World) -> list[System]:
    """Return ours and the published formula, each with and without the user, and ours with the published style."""
    recall = published_recall(world.view)
    return [recall, published(world.view, recall), *same_base(world)]


def same_base(world: World) -> list[System]:
    """Return our base alone, with the published personal part, and with ours."""
    view = world.view
    base = ours(view, profiles=NOBODY, name=BASE)
    return [base, Scored(MIXED, view.material.ids, with_styles(view, base.scores)), ours(view)]


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Compare the gains of both personal parts over the same base, on the same people."""
    each = [bench.ask_all([world], systems) for world in bench.worlds(settings)]
    answers = _joined(each)
    compared = compare(answers, PAIRS, METRIC, seed=settings.seed)
    ours_gain, mixed_gain, published_gain = (one.gain.interval.mean for one in compared[:3])
    splits = _by_split(bench, settings)
    findings = (
        *sentences(compared, METRIC),
        f"Over the same base, our personal part gains {_times(ours_gain, mixed_gain)} what the published one gains; "
        f"over the published base it is {_times(ours_gain, published_gain)}.",
        "In every seed alone our gain is at least "
        f"{min(_ratios(each)):.1f} times the published one's over the same base.",
        "Users of whom nothing is known get the same answer with and without the personal part, by construction.",
    )
    return Report(
        "personal",
        "Personalisation: ours and the published formula's",
        "",
        (
            *PEOPLE,
            "The published formula compares what pictures show (EfficientNet-Lite0, pooled) by five k-means centres "
            "with a radius; ours compares how they are drawn. Both start from the same users' training picks.",
        ),
        (
            measured(answers, SHOWN, "With and without the user", seed=settings.seed),
            gained(compared, "What the personal part gains", METRIC),
            _seeds(each, settings),
            splits,
        ),
        (_plot(answers, settings.seed),),
        findings,
        {},
    )


def _joined(each: list[Answers]) -> dict[str, list[Judged]]:
    return {name: [one for answers in each for one in answers[name]] for name in each[0]}


def _gain(answers: Answers, pair: tuple[str, str]) -> float:
    return results.gain(answers[pair[0]], answers[pair[1]], METRIC).interval.mean


def _ratios(each: list[Answers]) -> list[float]:
    return [_gain(answers, PAIRS[0]) / max(_gain(answers, PAIRS[1]), 1e-9) for answers in each]


def _times(ours_gain: float, theirs: float) -> str:
    return f"{ours_gain / theirs:.1f} times" if theirs > 0 else "more than"


def _seeds(each: list[Answers], settings: ExperimentSettings) -> Table:
    rows = tuple(
        (str(seed), *(f"{_gain(answers, pair):+.4f}" for pair in PAIRS[:3]))
        for seed, answers in zip(settings.seeds, each, strict=True)
    )
    columns = ("seed", *(f"{better} over {worse}" for better, worse in PAIRS[:3]))
    return Table("Each seed alone", columns, rows, f"Gain in {METRIC}.")


def _by_split(bench: Bench, settings: ExperimentSettings) -> Table:
    rows = []
    for name, divide in SPLITS.items():
        worlds = [
            bench.world(replace(Population(), users=settings.users, seed=seed), _divided(divide, seed))
            for seed in settings.seeds
        ]
        questions = sum(len(world.split.questions) for world in worlds)
        if not questions:
            rows.append((name, "0", *["nothing new was asked"] * 5))
            continue
        answers = bench.ask_all(worlds, same_base)
        found = compare(answers, PAIRS[:2], METRIC, seed=settings.seed)
        rows.append((name, str(questions), *_cells(answers), *(f"{one.gain.interval.mean:+.4f}" for one in found)))
    columns = ("split", "questions", BASE, MIXED, FULL, "gain of ours", "gain of the published style")
    note = "time: the last 30 %; last: each user's last pick; query: all picks of one query of each user; cold-users "
    note += "and cold-stickers: 30 % of the users or stickers, everything of them held back."
    return Table("Other splits", columns, tuple(rows), f"{METRIC}. {note}")


def _divided(divide: Divide, seed: int) -> Callable[[Sequence[Interaction]], PickSplit]:
    return lambda picks: divide(picks, HELD_BACK, seed)


def _cells(answers: Answers) -> list[str]:
    return [f"{results.mean_interval(answers[name], METRIC).mean:.4f}" for name in (BASE, MIXED, FULL)]


def _plot(answers: Answers, seed: int) -> Plot:
    found = [results.mean_interval(judged, METRIC, seed=seed) for judged in answers.values()]
    return Plot(
        "With and without the user",
        "",
        METRIC,
        tuple(answers),
        {METRIC: [one.mean for one in found]},
        {METRIC: [(one.low, one.high) for one in found]},
        bars=True,
    )

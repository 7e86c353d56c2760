"""What a record of what was shown adds: completion, and the time before a pick, on simulated readers of pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from persrv.lab.evaluation.clicks import ClickLog, ExaminationModel, likings, read_pages
from persrv.lab.evaluation.compare import Answers, Compared, compare
from persrv.lab.evaluation.shown import Shown, completion, examination, quickness
from persrv.lab.evaluation.simulation import Population
from persrv.lab.evaluation.systems import NOBODY, best, ours
from persrv.lab.evaluation.view import View
from persrv.lab.experiments.bench import METRIC, PEOPLE, Bench, ExperimentSettings, World
from persrv.lab.experiments.utility import PLAIN, measures, predicted_picks, with_measures
from persrv.lab.reports.report import UNDECIDED, Plot, Report, Table, gained, measured, sentences, verdict
from persrv.recipe import Ranking

Floats = NDArray[np.float64]

READING = ExaminationModel(steepness=0.5)
SHAKEN = 0.2
"""Spread of the logarithm of the noise on what pages are ordered by."""

CROWDS = ((1, 0.5), (10, 0.5), (10, 1.5))
"""How many times as many people search as are asked, and the weight of appeal."""

TRUTH, TIMELESS = "the simulated liking", "quickness, if time said nothing"
PLACED, ALL = "completion by place", "counts, packs, completion, quickness"


@dataclass(frozen=True, slots=True)
class Seen:
    """People of one seed, who learnt only from what they were shown.

    Attributes:
        world: Learnt from the log.
        looks: The chance that each place is looked at, estimated, shape (places,).
        measures: Name to values, shape (n,), in [0, 1].
        log: What was shown and picked.
    """

    world: World
    looks: Floats
    measures: dict[str, Floats]
    log: ClickLog


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Let people read pages, learn every measure from that log alone, and see what predicts unbiased picks."""
    tables: list[Table] = []
    findings: list[str] = []
    looks: dict[str, Sequence[float]] = {}
    for times, appeal in CROWDS:
        people = Population(users=settings.users * times, appeal_weight=appeal)
        seen = [_seen(bench, replace(people, seed=seed), settings.users) for seed in settings.seeds]
        title = f"{people.users} people search, appeal {appeal:g}"
        answers, compared = _asked(bench, seen, settings.seed)
        worlds = [(one.world, one.measures) for one in seen]
        prediction = predicted_picks(worlds, settings.seed, f"{title}: picked against not picked")
        tables += [
            measured(answers, (METRIC, "nDCG@20"), title, seed=settings.seed),
            gained(compared, f"{title}: over no utility", METRIC),
            prediction,
        ]
        searches, picks = (sum(len(rows) for rows in found) for found in _sizes(seen))
        findings.append(f"{title}: {searches} searches had an answer and brought {picks} picks, all seeds together.")
        findings += [f"{title}: {sentence}" for sentence in _told(compared)]
        known = {row[0]: row[1] for row in prediction.rows}
        findings.append(
            f"{title}: a held-out pick is told from the meaning's other drawings with {known['popularity']} by "
            f"popularity, {known['completion']} by completion, {known[PLACED]} by completion by place, "
            f"{known['quickness']} by quickness, and {known[TRUTH]} by the simulated liking itself."
        )
        looks[title] = np.mean([_all_places(one.looks) for one in seen], axis=0).tolist()
    looks["simulated"] = READING.examination.tolist()
    return Report(
        "shown",
        "Completion and quickness, from what was shown",
        "",
        (*PEOPLE, *METHOD),
        (*tables, _looks(looks)),
        (_plot(looks),),
        tuple(findings),
        {
            "beta": Ranking().beta,
            "steepness": READING.steepness,
            "hesitation": READING.hesitation,
            "places": READING.places,
            "noise of the order": SHAKEN,
        },
    )


def _told(compared: Sequence[Compared]) -> list[str]:
    """Return what was shown of any measure, and one sentence on all the others."""
    sure = [one for one in compared if verdict(one) != UNDECIDED]
    rest = len(compared) - len(sure)
    return [
        *sentences(sure, METRIC),
        f"{rest} of {len(compared)} measures have no difference in {METRIC} that could be shown.",
    ]


METHOD = (
    "Here nothing is learnt from picks among all drawings: each training pick becomes a search, the answer is "
    "BM25F over the shipped texts, its scores shaken by log-normal noise so that a sticker stands now here and now "
    f"there, and of the first {READING.places} stickers the one at place k is looked at with chance "
    f"k^-{READING.steepness:g} and then picked with the chance that this person has for it "
    "(persrv/lab/evaluation/clicks.py). Views, counts and measures come from that log alone. Held-out picks are, as "
    "elsewhere, picks among all drawings of the meaning, so that no place favours any.",
    "A simulated click model can only show that a measure recovers what was simulated, never that people behave so. "
    "It can show the reverse, too: what is not recovered even here needs no place in a product.",
    "Completion: picks over the times shown, smoothed by two looks at an average sticker; by place: over the looks "
    "expected from the place, estimated from the same log by expectation maximisation of the position-based model; by "
    "the simulated looks: as if they were known. Each is divided by its largest value. Quickness: seconds between the "
    "page and the pick, in logarithms, less what is usual of the user and of the place. In the simulation who likes a "
    "sticker more is quicker; the last row has the same picks with times that say nothing of liking. Quick picks "
    "may as well be careless ones, and no pick has no time at all: the measure says nothing of stickers passed over. "
    "The simulated liking is what nobody can know, the mean chance over all people; nothing that is the same for "
    "everybody can be expected to do better.",
)


def _seen(bench: Bench, people: Population, searches: int) -> Seen:
    """Return the log of many people, and the questions of the first few."""
    world = bench.world(people)
    liking = likings(bench.material.stickers, world.simulation, people)
    show = _shaken(bench, people.seed)
    reading = replace(READING, seed=people.seed)
    log, timeless = (
        read_pages(world.split.train, show(), bench.material.stickers, liking, how)
        for how in (reading, replace(reading, hesitation=0.0))
    )
    shown, unsaid = (Shown.of(one.impressions, one.picks, bench.material.rows) for one in (log, timeless))
    looks = examination(shown)
    known = sorted(liking)[:searches]
    questions = tuple(question for question in world.split.questions if question.user in known)
    split = replace(world.split, questions=questions)
    view = View(bench.material, log.picks)
    true = np.array([np.mean([liking[user].get(one, 0.0) for user in liking]) for one in bench.material.ids])
    named = {
        **measures(view),
        "completion": _scaled(completion(shown)),
        PLACED: _scaled(completion(shown, looks)),
        "completion by the simulated looks": _scaled(completion(shown, reading.examination)),
        "quickness": quickness(shown),
        TIMELESS: quickness(unsaid),
        TRUTH: _scaled(true),
    }
    named[ALL] = np.asarray(
        np.mean([named[name] for name in ("together", "pack quality", PLACED, "quickness")], axis=0)
    )
    return Seen(replace(world, split=split, view=view), looks, named, log)


def _shaken(bench: Bench, seed: int) -> Callable[[], Callable[[str], list[str]]]:
    """Return what starts a show of pages; every start shakes them alike."""
    plain = ours(View(bench.material, ()), utility=False, profiles=NOBODY)
    scored = lru_cache(maxsize=4096)(lambda query: plain.scores(query, ""))

    def start() -> Callable[[str], list[str]]:
        random = np.random.default_rng([seed, 4])

        def show(query: str) -> list[str]:
            scores = scored(query)
            return best(scores * np.exp(random.normal(0, SHAKEN, len(scores))), bench.material.ids, READING.places)

        return show

    return start


def _scaled(values: Floats) -> Floats:
    top = float(values.max(initial=0.0))
    return np.asarray(values / top) if top > 0 else values


def _asked(bench: Bench, seen: Sequence[Seen], seed: int) -> tuple[Answers, list[Compared]]:
    known = {one.world.seed: one.measures for one in seen}
    answers = bench.ask_all([one.world for one in seen], lambda world: with_measures(world.view, known[world.seed]))
    return answers, compare(answers, [(name, PLAIN) for name in answers if name != PLAIN], METRIC, seed=seed)


def _sizes(seen: Sequence[Seen]) -> tuple[list[Sequence[object]], list[Sequence[object]]]:
    return [one.log.impressions for one in seen], [one.log.picks for one in seen]


def _all_places(looks: Floats) -> Floats:
    """Return the looks with 0 for places that no page had, shape (places,)."""
    return np.pad(looks, (0, READING.places - len(looks)))


def _looks(looks: dict[str, Sequence[float]]) -> Table:
    places = [1, 2, 3, 5, 8, 12, 20]
    rows = tuple((name, *(f"{values[place - 1]:.3f}" for place in places)) for name, values in looks.items())
    note = "Chance that a place is looked at, relative to the likeliest; mean over seeds; 0 where no page had it."
    return Table("Looks by place", ("log", *(f"place {place}" for place in places)), rows, note)


def _plot(looks: dict[str, Sequence[float]]) -> Plot:
    places = tuple(str(place + 1) for place in range(READING.places))
    return Plot("Looks by place", "place", "chance of a look, the first 1", places, looks)

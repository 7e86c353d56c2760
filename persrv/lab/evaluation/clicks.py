"""Simulated people who see a page of answers, read it from the top, and pick: the position-based click model.

    P(pick at place k) = P(place k is looked at) · P(this person picks this drawing)
                       = k ** -steepness         · chance of the simulation; 0 for drawings of another meaning

M. Richardson, E. Dominowska, R. Ragno: Predicting clicks (WWW 2007); the chances are those of
:mod:`persrv.lab.evaluation.simulation`, as if the whole meaning had been seen. Places are independent of each other, so
a search may bring no pick, or several.

How long a pick takes, in seconds, is a person's pace, times ``place ** 0.7``, times ``exp(-hesitation · liking)`` with
the liking from 0 to 1, times log-normal noise: who likes what they see hesitates less. None of this was observed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from persrv.errors import QueryError
from persrv.lab.evaluation.simulation import Population, Simulation, chances, drawings_of
from persrv.records import Impression, Interaction, Sticker

Floats = NDArray[np.float64]

EXPERIMENT = "simulated"
"""Name under which simulated impressions are kept."""

_PACE, _PACES_VARY = 4.0, 0.4
_PLACE = 0.7
_NOISE = 0.5
_LONGEST = 1800.0
"""Seconds; within the time in which a pick is credited to what was shown."""


@dataclass(frozen=True, slots=True)
class ExaminationModel:
    """How people read a page; see the module for the model.

    Attributes:
        steepness: How fast looking falls from place to place, >= 0; 0 looks at all.
        hesitation: How much longer it takes to pick what one likes less, >= 0; 0 makes time say nothing of liking.
        places: On a page, >= 1.
        seed: >= 0.
    """

    steepness: float = 1.0
    hesitation: float = 1.0
    places: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steepness < 0 or self.hesitation < 0 or self.places < 1 or self.seed < 0:
            raise QueryError(f"{self} is impossible", "give places >= 1, and the others >= 0")

    @property
    def examination(self) -> Floats:
        """The chance that each place is looked at, shape (places,), in (0, 1], 1 at the top."""
        return np.asarray(np.arange(1.0, self.places + 1) ** -self.steepness)


@dataclass(frozen=True, slots=True)
class ClickLog:
    """What was shown and what was picked of it.

    Attributes:
        impressions: One a search that had an answer, by time.
        picks: By time; each is of a sticker that was shown up to half an hour before.
    """

    impressions: tuple[Impression, ...]
    picks: tuple[Interaction, ...]


def likings(stickers: Sequence[Sticker], simulation: Simulation, people: Population) -> dict[str, dict[str, float]]:
    """Return the truth: user to sticker id to the chance that they pick it among its meaning's drawings.

    Args:
        stickers: The collection.
        simulation: Of people who did not drift.
        people: Who was simulated.
    """
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for liked in set(simulation.tastes.values()):
        found[liked] = {
            drawn[style].id: chance
            for drawn in drawings_of(stickers).values()
            for style, chance in chances(drawn, liked, simulation.appeal, people).items()
        }
    return {user: found[liked] for user, liked in simulation.tastes.items()}


def read_pages(
    searches: Iterable[Interaction],
    show: Callable[[str], Sequence[str]],
    stickers: Sequence[Sticker],
    liking: Mapping[str, Mapping[str, float]],
    reading: ExaminationModel,
) -> ClickLog:
    """Let people search again for what they had picked, and pick from what they are shown.

    Args:
        searches: Who typed what when; the picked sticker's first emoji is the meaning that they are after.
        show: From a query to sticker ids, best first, the same for everybody.
        stickers: The collection.
        liking: As :func:`likings` gives it.
        reading: How pages are read.
    """
    meaning = {s.id: s.semantics.emoji[0] for s in stickers if s.semantics.emoji}
    seconds = np.random.default_rng([reading.seed, 2])
    pace = {user: _PACE * float(np.exp(seconds.normal(0, _PACES_VARY))) for user in sorted(liking)}
    most = {user: max(chance.values()) for user, chance in liking.items()}
    random = np.random.default_rng([reading.seed, 3])
    looks = reading.examination
    impressions: list[Impression] = []
    picks: list[Interaction] = []
    for search in sorted(searches, key=lambda one: (one.time, one.user, one.query, one.sticker_id)):
        page = list(show(search.query))[: reading.places]
        if not page:
            continue
        shown = Impression(EXPERIMENT, "", search.user, search.query, search.time, dict.fromkeys(page, ""))
        impressions.append(shown)
        drawn, noise = random.random(len(page)), random.normal(0, _NOISE, len(page))
        for at, sticker_id in enumerate(page):
            fits = meaning.get(sticker_id) == meaning[search.sticker_id]
            chance = liking[search.user].get(sticker_id, 0.0) if fits else 0.0
            if drawn[at] < looks[at] * chance:
                slow = noise[at] - reading.hesitation * chance / most[search.user]
                took = pace[search.user] * (at + 1) ** _PLACE * float(np.exp(slow))
                moment = search.time + timedelta(seconds=min(took, _LONGEST))
                picks.append(Interaction(search.user, search.query, sticker_id, moment, "simulated"))
    picks.sort(key=lambda pick: (pick.time, pick.user, pick.sticker_id))
    return ClickLog(tuple(impressions), tuple(picks))

"""What somebody picked before, as it bears on a query; and the picks by which is learnt how much that counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from sqlalchemy import select

from persrv.catalog.columns import storable
from persrv.catalog.database import Part
from persrv.catalog.tables import interactions
from persrv.ranking.repeats import RepeatEvent, RepeatWeights, strengths
from persrv.text import tokenize

MOST_OWN = 500
"""Latest picks of one person that are looked at: no search grows with a history."""

QUESTIONS = 5000
"""Latest picks by which is learnt how much earlier ones count, at most a fifth of all."""

OF_ONE = 50
"""Picks of one user that are learnt from, so that nobody's habits become everybody's."""

MEANT = 400
"""Latest queries by whose picks is learnt how far meaning may be trusted."""

MEANT_OF_ONE = 10
"""Those of one user at most."""

_EARLIER = 300
"""Picks of one user, or for one query, that are looked at to learn from one question."""

_EARLIER_IN_ALL = 300_000
"""Picks that are looked at to learn from all questions: they are in memory, 0.2 kB each."""

_DAY = 86_400.0

_LOOK = {
    "sqlite": (
        "SELECT sticker_id, folded_query, julianday(time), CASE WHEN folded_query = ? THEN time END"
        " FROM interactions WHERE user = ? ORDER BY time DESC, id DESC LIMIT ?",
        "SELECT sticker_id, kind FROM marks WHERE user = ? AND kind IN ('favourite', 'pin', 'hidden')"
        " ORDER BY marked_at DESC, sticker_id LIMIT ?",
    ),
    "postgresql": (
        "SELECT sticker_id, folded_query, (extract(epoch FROM time) / 86400)::float8,"
        " CASE WHEN folded_query = %s THEN time END"
        ' FROM interactions WHERE "user" = %s ORDER BY time DESC, id DESC LIMIT %s',
        "SELECT sticker_id, kind FROM marks WHERE \"user\" = %s AND kind IN ('favourite', 'pin', 'hidden')"
        " ORDER BY marked_at DESC, sticker_id LIMIT %s",
    ),
}
"""For the driver itself, as in :mod:`persrv.catalog.affinity`."""


class OwnPick(NamedTuple):
    """What one sticker is to somebody who asks.

    Attributes:
        strengths: See :mod:`persrv.ranking.repeats`.
        times: How often they picked it for just this query.
        last: When they picked it last for just this query, ``None`` for never.
        mark: ``"pin"``, ``"favourite"``, ``"hidden"``, or ``""``.
    """

    strengths: tuple[float, float, float] = (0.0, 0.0, 0.0)
    times: int = 0
    last: datetime | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class PastPick:
    """One earlier pick of somebody.

    Attributes:
        user: Who.
        query: Folded.
        sticker_id: What.
        day: When, in days since the Unix epoch.
    """

    user: str
    query: str
    sticker_id: str
    day: float


class OwnPicks(Part):
    """People's own earlier picks."""

    def own_picks(
        self, user: str, query: str, words: Sequence[str], half_life_days: float | None
    ) -> dict[str, OwnPick]:
        """Return what a user picked or marked before, by sticker id: of their latest :data:`MOST_OWN` picks and marks.

        Ages are counted from the user's last pick.

        Args:
            user: Who asks.
            query: Folded; ``""`` for none.
            words: Its tokens.
            half_life_days: After so many days a pick counts half, ``None`` for never.
        """
        of_picks, of_marks = _LOOK[self._database.dialect]
        rows = self._database.ask(of_picks, (storable(query), storable(user), MOST_OWN))
        marked = {str(i): str(kind) for i, kind in self._database.ask(of_marks, (storable(user), MOST_OWN))[::-1]}
        places: dict[str, int] = {}
        of = [places.setdefault(str(row[0]), len(places)) for row in rows]
        kinds = _kinds([row[1] for row in rows], storable(query), words)
        days = np.array([row[2] for row in rows], dtype=np.float64)
        table = strengths(of, kinds, days[:1] - days, len(places), half_life_days).tolist()
        times, last = [0] * len(places), dict.fromkeys(places.values())
        for place, kind, row in zip(of, kinds, rows, strict=True):
            if kind == 0:
                times[place] += 1
                last[place] = last[place] or _moment(row[3])
        found = {
            sticker_id: OwnPick(tuple(table[place]), times[place], last[place], marked.get(sticker_id, ""))
            for sticker_id, place in places.items()
        }
        return found | {i: OwnPick(mark=mark) for i, mark in marked.items() if i not in found}

    def latest_meant(self) -> list[PastPick]:
        """Return the picks by which is learnt how far meaning may be trusted, see :func:`latest_by_query`."""
        of = interactions.c
        latest = select(of.user, of.folded_query, of.sticker_id, of.time).order_by(of.time.desc(), of.id.desc())
        with self._database.read() as connection:
            return latest_by_query([_past(*row) for row in connection.execute(latest.limit(QUESTIONS))][::-1])

    def repeat_weights(self, half_life_days: float | None) -> RepeatWeights:
        """Learn how much own earlier picks count, from the latest picks and what was picked before them.

        The time and the memory that it takes are bounded, however many picks there are.
        """
        of = interactions.c
        columns = select(of.user, of.folded_query, of.sticker_id, of.time)
        with self._database.read() as connection:
            picks = connection.execute(select(of.id).order_by(of.id.desc()).limit(1)).scalar() or 0
            most = min(QUESTIONS, int(picks) // 5)
            latest = columns.order_by(of.time.desc(), of.id.desc()).limit(most)
            asked = [_past(*row) for row in connection.execute(latest)][::-1]
            if not asked:
                return RepeatWeights()
            cut = datetime.fromtimestamp(min(pick.day for pick in asked) * _DAY, UTC)
            users, queries = ({getattr(pick, part) for pick in asked} - {""} for part in ("user", "query"))
            each = min(_EARLIER, _EARLIER_IN_ALL // max(len(users) + len(queries), 1))
            earlier: dict[PastPick, None] = {}
            same = dict[str, str]().setdefault
            for column, values, order in ((of.user, users, of.time.desc()), (of.folded_query, queries, of.user)):
                for value in sorted(values):
                    chosen = columns.where(column == value, of.time < cut).order_by(order).limit(each)
                    for user, query, sticker_id, time in connection.execute(chosen):
                        earlier[_past(same(user, user), same(query, query), same(sticker_id, sticker_id), time)] = None
        return RepeatWeights.fit(repeat_events(asked, earlier, half_life_days))


def latest_by_query(picks: Sequence[PastPick]) -> list[PastPick]:
    """Return the last pick of each of the :data:`MEANT` latest queries, :data:`MEANT_OF_ONE` of one user at most.

    Args:
        picks: By time; the last :data:`QUESTIONS` are looked at.
    """
    found: dict[str, PastPick] = {}
    of_user: Counter[str] = Counter()
    for pick in reversed(picks[-QUESTIONS:]):
        if pick.query and pick.query not in found and of_user[pick.user] < MEANT_OF_ONE:
            of_user[pick.user] += 1
            found[pick.query] = pick
    return [*found.values()][:MEANT]


def latest_questions(picks: Sequence[PastPick]) -> tuple[list[PastPick], list[PastPick]]:
    """Return the latest picks, by which weights are learnt, and those before them; in memory, as the catalog does it.

    Args:
        picks: By time.
    """
    most = min(QUESTIONS, len(picks) // 5)
    asked = list(picks[len(picks) - most :])
    return asked, [pick for pick in picks if asked and pick.day < asked[0].day]


def repeat_events(
    asked: Iterable[PastPick], earlier: Iterable[PastPick], half_life_days: float | None
) -> list[RepeatEvent]:
    """Return the picks of people with a history, each against what anybody had picked for the same query before.

    Args:
        asked: The picks.
        earlier: What their users picked, and what was picked for their queries, before the first of them.
        half_life_days: After so many days a pick counts half, ``None`` for never.
    """
    of_user: defaultdict[str, list[PastPick]] = defaultdict(list)
    of_query: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for pick in earlier:
        of_user[pick.user].append(pick)
        if pick.query:
            of_query[pick.query][pick.sticker_id].add(pick.user)
    events: list[RepeatEvent] = []
    learnt: Counter[str] = Counter()
    for pick in asked:
        people, own = of_query.get(pick.query), of_user.get(pick.user)
        if not people or not own or learnt[pick.user] >= OF_ONE:
            continue
        known = own_strengths(own, pick.query, half_life_days)
        candidates = sorted(people)
        damped = np.log1p([len(people[sticker_id]) for sticker_id in candidates])
        table = np.array([known.get(sticker_id, (0.0, 0.0, 0.0)) for sticker_id in candidates])
        if table.any():
            learnt[pick.user] += 1
            chosen = candidates.index(pick.sticker_id) if pick.sticker_id in people else -1
            events.append(RepeatEvent(damped * (1.0 + 4.0 * damped), table, chosen))
    return events


def own_strengths(
    picks: Iterable[PastPick], query: str, half_life_days: float | None
) -> dict[str, tuple[float, float, float]]:
    """Return the strengths of what one person picked, by sticker id, see :mod:`persrv.ranking.repeats`.

    Args:
        picks: Theirs.
        query: Folded.
        half_life_days: After so many days a pick counts half, ``None`` for never.
    """
    own = list(picks)
    places: dict[str, int] = {}
    of = [places.setdefault(pick.sticker_id, len(places)) for pick in own]
    days = np.array([pick.day for pick in own])
    kinds = _kinds([pick.query for pick in own], query, _words(query))
    table = strengths(of, kinds, days.max(initial=0.0) - days, len(places), half_life_days).tolist()
    return {sticker_id: tuple(table[place]) for sticker_id, place in places.items()}


def _kinds(queries: Sequence[str], query: str, words: Sequence[str]) -> list[int]:
    """Return of each pick's query whether it is just this one, 0, shares a word with it, 1, or neither, 2."""
    known: dict[str, int] = {query: 0} if query else {}
    wanted = frozenset(words)
    for other in queries:
        if other not in known:
            known[other] = 2 if wanted.isdisjoint(_words(other)) else 1
    return [known[other] for other in queries]


@lru_cache(maxsize=65_536)
def _words(query: str) -> tuple[str, ...]:
    return tuple(tokenize(query))


def _past(user: str, query: str, sticker_id: str, time: datetime) -> PastPick:
    return PastPick(user, query, sticker_id, time.timestamp() / _DAY)


def _moment(time: datetime | str) -> datetime:
    """Return a time as a driver gives it: SQLite's as text, without its zone."""
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

"""What somebody picked before, as it bears on a query; and the picks by which is learnt how much that counts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from sqlalchemy import select

from persrv.catalog.columns import storable
from persrv.catalog.database import Part
from persrv.catalog.tables import interactions
from persrv.ranking.repeats import RepeatEvent, RepeatWeights, strengths
from persrv.text import tokenize

MOST_OWN = 1000
"""Latest picks of one person that are looked at: no search grows with a history."""

QUESTIONS = 5000
"""Latest picks by which is learnt how much earlier ones count, at most a fifth of all."""

OF_ONE = 50
"""Picks of one user that are learnt from, so that nobody's habits become everybody's."""

_EARLIER = 300
"""Picks of one user, or for one query, that are looked at to learn from one question."""

_DAY = 86_400.0

_LOOK = {
    "sqlite": (
        "SELECT i.sticker_id, i.folded_query = ?, EXISTS (SELECT 1 FROM json_each(?) t JOIN query_words w"
        " ON w.word = t.value AND w.folded_query = i.folded_query), i.time"
        " FROM interactions i WHERE i.user = ? ORDER BY i.time DESC, i.id DESC LIMIT ?",
        "SELECT sticker_id, kind FROM marks WHERE user = ? AND kind IN ('favourite', 'pin', 'hidden')"
        " ORDER BY marked_at DESC, sticker_id LIMIT ?",
    ),
    "postgresql": (
        "SELECT i.sticker_id, i.folded_query = %s, EXISTS (SELECT 1 FROM json_array_elements_text(%s::json) AS t(value)"
        " JOIN query_words w ON w.word = t.value AND w.folded_query = i.folded_query), i.time"
        ' FROM interactions i WHERE i."user" = %s ORDER BY i.time DESC, i.id DESC LIMIT %s',
        "SELECT sticker_id, kind FROM marks WHERE \"user\" = %s AND kind IN ('favourite', 'pin', 'hidden')"
        " ORDER BY marked_at DESC, sticker_id LIMIT %s",
    ),
}
"""For the driver itself, as in :mod:`persrv.catalog.affinity`."""


@dataclass(frozen=True, slots=True)
class OwnPick:
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
        wanted = json.dumps([word for word in dict.fromkeys(words) if "\0" not in word], ensure_ascii=True)
        rows = self._database.ask(of_picks, (storable(query), wanted, storable(user), MOST_OWN))
        marked = {str(i): str(kind) for i, kind in self._database.ask(of_marks, (storable(user), MOST_OWN))[::-1]}
        ages: defaultdict[str, tuple[list[float], list[float], list[float]]] = defaultdict(lambda: ([], [], []))
        last: dict[str, datetime] = {}
        newest = _moment(rows[0][3]) if rows else None
        for sticker_id, exact, near, time in rows:
            moment = _moment(time)
            kind = 0 if exact and query else 1 if near else 2
            ages[sticker_id][kind].append((newest - moment).total_seconds() / _DAY if newest else 0.0)
            if kind == 0:
                last.setdefault(sticker_id, moment)
        found = {
            sticker_id: OwnPick(strengths(kinds, half_life_days), len(kinds[0]), last.get(sticker_id))
            for sticker_id, kinds in ages.items()
        }
        for sticker_id, mark in marked.items():
            known = found.get(sticker_id, OwnPick())
            found[sticker_id] = OwnPick(known.strengths, known.times, known.last, mark)
        return found

    def repeat_weights(self, half_life_days: float | None) -> RepeatWeights:
        """Learn how much own earlier picks count, from the latest picks and what was picked before them.

        The time that it takes is bounded, however many picks there are.
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
            earlier: dict[PastPick, None] = {}
            for column, order in ((of.user, of.time.desc()), (of.folded_query, of.user)):
                values = {pick.user if column is of.user else pick.query for pick in asked}
                for value in sorted(values - {""}):
                    chosen = columns.where(column == value, of.time < cut).order_by(order).limit(_EARLIER)
                    earlier.update(dict.fromkeys(_past(*row) for row in connection.execute(chosen)))
        return RepeatWeights.fit(repeat_events(asked, earlier, half_life_days))


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
    own, words = list(picks), set(_words(query))
    newest = max((pick.day for pick in own), default=0.0)
    ages: defaultdict[str, tuple[list[float], list[float], list[float]]] = defaultdict(lambda: ([], [], []))
    for pick in own:
        kind = 0 if query and pick.query == query else 1 if not words.isdisjoint(_words(pick.query)) else 2
        ages[pick.sticker_id][kind].append(newest - pick.day)
    return {sticker_id: strengths(kinds, half_life_days) for sticker_id, kinds in ages.items()}


@lru_cache(maxsize=65_536)
def _words(query: str) -> tuple[str, ...]:
    return tuple(tokenize(query))


def _past(user: str, query: str, sticker_id: str, time: datetime) -> PastPick:
    return PastPick(user, query, sticker_id, time.timestamp() / _DAY)


def _moment(time: datetime | str) -> datetime:
    """Return a time as a driver gives it: SQLite's as text, without its zone."""
    moment = datetime.fromisoformat(time) if isinstance(time, str) else time
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

"""Whom a pick speaks for: from impressions and picks to trials, each decided at most once.

A trial is one user's one query on one day, however often its answer was shown: all of them saw the same draft. Its
*first* pick decides it. More picks could tell more, but an outcome that may still change cannot be tested at any time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from persrv.catalog.phrases import fold_query
from persrv.records import Impression, Interaction, Side

WINDOW = timedelta(hours=1)
"""How long after an answer was shown a pick is still credited to it."""

_Asked = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trial:
    """One user's one query on one day.

    Attributes:
        user: Who asked.
        query: What for, folded.
        start: When it was first shown.
        decided: When the first pick came, ``None`` without one.
        winner: Which ranking had added the picked sticker; ``""`` for both, or where nothing was picked.
    """

    user: str
    query: str
    start: datetime
    decided: datetime | None = None
    winner: Side = ""


def credit(impressions: Iterable[Impression], picks: Iterable[Interaction]) -> list[Trial]:
    """Return the trials in the order in which they were decided, and then the undecided ones by start.

    A pick is credited to the latest impression of the same user and query that showed the sticker, within
    :data:`WINDOW`; a pick without one is left out.

    Args:
        impressions: Of one experiment, in any order.
        picks: Any, in any order.
    """
    shown: dict[_Asked, list[Impression]] = defaultdict(list)
    for impression in sorted(impressions, key=attrgetter("time")):
        shown[impression.user, fold_query(impression.query)].append(impression)
    starts: dict[tuple[str, str, object], datetime] = {}
    for question, entries in shown.items():
        for impression in entries:
            starts.setdefault((*question, impression.time.date()), impression.time)
    decided: dict[tuple[str, str, object], Trial] = {}
    for pick in sorted(picks, key=lambda pick: (pick.time, pick.user, pick.query, pick.sticker_id)):
        question = pick.user, fold_query(pick.query)
        found = credited(shown.get(question, []), pick)
        if found is not None:
            trial = (*question, found.time.date())
            decided.setdefault(trial, Trial(*question, starts[trial], pick.time, found.shown[pick.sticker_id]))
    undecided = [
        Trial(user, query, start) for (user, query, day), start in starts.items() if (user, query, day) not in decided
    ]
    return [*decided.values(), *sorted(undecided, key=lambda trial: (trial.start, trial.user, trial.query))]


def credited(shown: Sequence[Impression], pick: Interaction) -> Impression | None:
    """Return the impression that a pick came from, ``None`` where there is none within :data:`WINDOW`.

    Args:
        shown: The user's impressions of the query, by time.
        pick: Of the same user and query; the latest impression before it that showed the sticker counts.
    """
    for at in range(bisect_right(shown, pick.time, key=attrgetter("time")) - 1, -1, -1):
        if pick.time - shown[at].time > WINDOW:
            return None
        if pick.sticker_id in shown[at].shown:
            return shown[at]
    return None

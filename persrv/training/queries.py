"""Which typed queries a model is trained on: cleaned, not rare, and nothing that looks private."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from persrv.catalog.phrases import fold_query
from persrv.reading.describe.cleaning import one_line
from persrv.reading.describe.parsing import LONGEST_KEYWORD
from persrv.records import Interaction
from persrv.text.privacy import looks_private

_EPOCH, _MICROSECOND = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)
_SHORTEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TrainingQuery:
    """A query that led to a sticker.

    Attributes:
        text: Folded: NFKC, lower case, single spaces.
        users: Different users who picked the sticker for it, >= 1.
    """

    text: str
    users: int


def refusal(query: str) -> str:
    """Return why a model is not trained on a folded query, ``""`` where it is.

    Refused are queries without a letter, digit, or symbol, those longer than a keyword may be, and whatever looks like
    an e-mail address, a handle, a web address, or a telephone or account number. Digits that are laughter
    (``233333``, ``666666``: at most two different ones) stay.
    """
    if not query:
        return "browsing, no query"
    if len(query) > LONGEST_KEYWORD:
        return f"longer than {LONGEST_KEYWORD} characters"
    return looks_private(query)


class QueryCounter:
    """Counts, for each sticker, who picked it for which query.

    Every interaction that was added is counted once, in ``used`` or in ``dropped``.

    Args:
        min_users: Different users that a query of a sticker needs, >= 1. Queries of simulated picks need none: they
            are nobody's.

    Attributes:
        dropped: Picks whose query is not trained on, by reason.
        used: Sticker id to the picks that its queries stand on; filled by :meth:`queries`.
    """

    def __init__(self, min_users: int) -> None:
        self.dropped: Counter[str] = Counter()
        self.used: Counter[str] = Counter()
        self._min_users = min_users
        self._users: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._repeated: Counter[tuple[str, str]] = Counter()
        self._typed: set[tuple[str, str]] = set()

    def add(self, interactions: Iterable[Interaction]) -> None:
        """Count interactions; those whose query is refused are counted in ``dropped`` by the reason."""
        for interaction in interactions:
            query = one_line(fold_query(interaction.query))
            if reason := refusal(query):
                self.dropped[reason] += 1
                continue
            users = self._users[interaction.sticker_id][query]
            if interaction.user in users:
                self._repeated[interaction.sticker_id, query] += 1
            users.add(interaction.user)
            if interaction.kind != "simulated":
                self._typed.add((interaction.sticker_id, query))

    def queries(self) -> dict[str, tuple[TrainingQuery, ...]]:
        """Return each sticker's queries, those of most users first, then by text; stickers without any are left out.

        Called once: it fills ``used``, and adds to ``dropped`` the picks whose query too few people typed.
        """
        found: dict[str, tuple[TrainingQuery, ...]] = {}
        for sticker_id, queries in sorted(self._users.items()):
            kept = []
            for text, users in queries.items():
                picks = len(users) + self._repeated[sticker_id, text]
                if len(users) < self._min_users and (sticker_id, text) in self._typed:
                    self.dropped[f"typed by fewer than {self._min_users} users"] += picks
                else:
                    self.used[sticker_id] += picks
                    kept.append(TrainingQuery(text, len(users)))
            if kept:
                found[sticker_id] = tuple(sorted(kept, key=lambda query: (-query.users, query.text)))
        return found


@dataclass(frozen=True, slots=True)
class PickTimes:
    """When stickers were picked.

    Attributes:
        first: Sticker id to its first pick.
        sorted_us: All picks' times in ascending order, microseconds since 1970, eight bytes each.
        simulated: Picks that no person made.
    """

    first: Mapping[str, datetime]
    sorted_us: Sequence[int]
    simulated: int

    @classmethod
    def of(cls, interactions: Iterable[Interaction]) -> Self:
        """Read them from interactions in the order of their times, as the catalog gives them."""
        first: dict[str, datetime] = {}
        times, simulated = array("q"), 0
        for interaction in interactions:
            times.append((interaction.time - _EPOCH) // _MICROSECOND)
            simulated += interaction.kind == "simulated"
            first.setdefault(interaction.sticker_id, interaction.time)
        return cls(first, times, simulated)

    def newest(self, share: float) -> datetime | None:
        """Return the moment from which on the newest ``share`` of the picks were made.

        ``None`` where all picks lie within a minute: then they have no times of their own, their source named none.
        """
        times = self.sorted_us
        if not times or (times[-1] - times[0]) * _MICROSECOND < _SHORTEST:
            return None
        return _EPOCH + times[min(int(len(times) * (1 - share)), len(times) - 1)] * _MICROSECOND

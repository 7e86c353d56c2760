"""Which typed queries may teach a model: cleaned, not rare, and nothing that looks private."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from persrv.catalog.phrases import fold_query
from persrv.reading.describe.cleaning import clean
from persrv.reading.describe.parsing import LONGEST_KEYWORD
from persrv.records import Interaction

_EMAIL = re.compile(r"\S@\S+\.\w")
_HANDLE = re.compile(r"(?:^|\s)@\w")
_URL = re.compile(r"https?:|www\.|\b[\w-]+\.(?:com|org|net|io|cn|me|info|ru|de|uk|co|app|dev)\b(?:/|$|\s)")
_DIGITS = re.compile(r"\d(?:[\s().+-]*\d)*")
_PHONE_DIGITS = 7
"""Shortest telephone numbers without an area code; passport, card and account numbers are longer."""
_SAID_IN_DIGITS = frozenset({"5201314", "1314520"})
"""Numbers that are words: "I love you for a lifetime" by their sound in Chinese."""


@dataclass(frozen=True, slots=True)
class LearntQuery:
    """A query that led to a sticker.

    Attributes:
        text: Folded: NFKC, lower case, single spaces.
        users: Different users who picked the sticker for it, >= 1.
    """

    text: str
    users: int


def refusal(query: str) -> str:
    """Return why a folded query teaches nothing, ``""`` where it may be learnt.

    Refused are queries without a letter, digit, or symbol, those longer than a keyword may be, and whatever looks like
    an e-mail address, a handle, a web address, or a telephone or account number. Digits that are laughter
    (``233333``, ``666666``: at most two different ones) stay.
    """
    if not query:
        return "browsing, no query"
    if len(query) > LONGEST_KEYWORD:
        return f"longer than {LONGEST_KEYWORD} characters"
    if _EMAIL.search(query) or _HANDLE.search(query):
        return "looks like an address or a handle"
    if _URL.search(query):
        return "looks like a web address"
    for run in _DIGITS.findall(query):
        digits = re.sub(r"\D", "", run)
        if len(digits) >= _PHONE_DIGITS and len(set(digits)) > 2 and digits not in _SAID_IN_DIGITS:
            return "holds a long number"
    return ""


class QueryCounter:
    """Counts, for each sticker, who picked it for which query.

    Args:
        min_users: Different users that a query of a sticker needs, >= 1. Queries of simulated picks need none: they
            are nobody's.
    """

    def __init__(self, min_users: int) -> None:
        self.dropped: Counter[str] = Counter()
        self._min_users = min_users
        self._users: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._typed: set[tuple[str, str]] = set()

    def add(self, interactions: Iterable[Interaction]) -> None:
        """Count interactions; those whose query is refused are counted in ``dropped`` by the reason."""
        for interaction in interactions:
            query = clean(fold_query(interaction.query))
            if reason := refusal(query):
                self.dropped[reason] += 1
                continue
            self._users[interaction.sticker_id][query].add(interaction.user)
            if interaction.kind != "simulated":
                self._typed.add((interaction.sticker_id, query))

    def learnt(self) -> dict[str, tuple[LearntQuery, ...]]:
        """Return each sticker's queries, those of most users first, then by text; stickers without any are left out.

        Called once: it adds to ``dropped`` the picks whose query too few people typed.
        """
        found: dict[str, tuple[LearntQuery, ...]] = {}
        for sticker_id, queries in sorted(self._users.items()):
            kept = []
            for text, users in queries.items():
                if len(users) < self._min_users and (sticker_id, text) in self._typed:
                    self.dropped[f"typed by fewer than {self._min_users} users"] += len(users)
                else:
                    kept.append(LearntQuery(text, len(users)))
            if kept:
                found[sticker_id] = tuple(sorted(kept, key=lambda query: (-query.users, query.text)))
        return found


def first_picks(interactions: Iterable[Interaction]) -> tuple[dict[str, datetime], list[datetime], int]:
    """Return when each sticker was first picked, the times of all picks in their order, and how many are simulated."""
    first: dict[str, datetime] = {}
    times, simulated = [], 0
    for interaction in interactions:
        times.append(interaction.time)
        simulated += interaction.kind == "simulated"
        first[interaction.sticker_id] = min(interaction.time, first.get(interaction.sticker_id, interaction.time))
    return first, times, simulated

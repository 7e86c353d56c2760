"""Team-draft interleaving: two rankings become one, and each place knows which ranking it came from.

As in F. Radlinski, M. Kurup, T. Joachims: How does clickthrough data reflect retrieval quality? CIKM 2008. Each round a
coin says which ranking adds its best sticker that is not shown yet, then the other one does. One thing is ours: what
both rankings begin with alike belongs to neither, since a pick there cannot tell them apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from persrv.records import Side, Team


@dataclass(frozen=True, slots=True)
class Drafted:
    """One place of an interleaved answer.

    Attributes:
        side: Which ranking added it; ``""`` where both begin alike.
        position: Where it stands in that ranking, from 0; in ``a`` for those of both.
    """

    side: Side
    position: int


def draft_key(experiment: str, user: str, query: str, day: date) -> bytes:
    """Return what decides a draft's coins: the same person asking the same on one day sees the same order.

    Args:
        experiment: Its name.
        user: Who asks.
        query: What for, folded.
        day: In UTC.
    """
    return json.dumps([experiment, user, query, day.isoformat()]).encode()


def team_draft(a: Sequence[str], b: Sequence[str], key: bytes) -> list[Drafted]:
    """Interleave two rankings.

    Args:
        a: Keys of the first ranking's stickers, best first, each once.
        b: Of the second.
        key: Decides the coins, from :func:`draft_key`.

    Returns:
        Every sticker of either ranking once. The first n places depend on nothing but each ranking's first n.
    """
    alike = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    drafted = [Drafted("", at) for at in range(alike)]
    shown = set(a[:alike])
    rankings: dict[Team, Sequence[str]] = {"a": a, "b": b}
    at: dict[Team, int] = {"a": alike, "b": alike}
    rounds = len(a) + len(b) - 2 * alike
    coins = hashlib.shake_256(key).digest(rounds // 8 + 1)
    for number in range(rounds):
        order: tuple[Team, Team] = ("b", "a") if coins[number // 8] >> number % 8 & 1 else ("a", "b")
        for team in order:
            ranking = rankings[team]
            while at[team] < len(ranking) and ranking[at[team]] in shown:
                at[team] += 1
            if at[team] < len(ranking):
                shown.add(ranking[at[team]])
                drafted.append(Drafted(team, at[team]))
    return drafted

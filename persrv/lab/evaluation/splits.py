"""Which picks are held back for asking, and which the collection may learn from.

A held-out pick writes nothing: it is taken out before queries, utility and profiles are learnt. A question is one
user's one query; right are all of their held-out picks for it.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from persrv.catalog.phrases import fold_query
from persrv.errors import QueryError
from persrv.lab.evaluation.results import EvaluationQuery
from persrv.records import Interaction


@dataclass(frozen=True, slots=True)
class PickSplit:
    """Picks, divided.

    Attributes:
        name: How they were divided.
        train: What may be learnt from, by time.
        held_out: What is asked for, by time.
        questions: The held-out picks with a query, joined to questions, by user and query.
    """

    name: str
    train: tuple[Interaction, ...]
    held_out: tuple[Interaction, ...]
    questions: tuple[EvaluationQuery, ...]


def by_time(picks: Sequence[Interaction], share: float = 0.3) -> PickSplit:
    """Hold back the latest picks; nothing that is learnt lies behind the first question.

    Args:
        picks: In any order.
        share: Part of the picks to hold back, in (0, 1); picks of one moment stay together.

    Raises:
        QueryError: ``share`` is out of its range, or nothing is left to learn from or to ask for.
    """
    ordered = _ordered(picks)
    _check_share(share)
    if not ordered:
        return _split("time", ordered, set())
    moment = ordered[min(int(len(ordered) * (1 - share)), len(ordered) - 1)].time
    return _split("time", ordered, {at for at, pick in enumerate(ordered) if pick.time >= moment})


def leave_last_out(picks: Sequence[Interaction]) -> PickSplit:
    """Hold back each user's last pick with a query; users with a single pick keep it.

    Errors as :func:`by_time`.
    """
    ordered = _ordered(picks)
    places = _positions(ordered)
    picks_of = Counter(pick.user for pick in ordered)
    last = {max(own) for user, own in places.items() if picks_of[user] > 1}
    return _split("last", ordered, last)


def leave_one_query_out(picks: Sequence[Interaction], seed: int = 0) -> PickSplit:
    """Hold back all of each user's picks for one of their queries, drawn by hash; users with one query keep it.

    Errors as :func:`by_time`.
    """
    ordered = _ordered(picks)
    held: set[int] = set()
    for user, own in _positions(ordered).items():
        queries = sorted({fold_query(ordered[at].query) for at in own})
        if len(queries) > 1:
            drawn = min(queries, key=lambda query: _drawn(seed, f"{user}\n{query}"))
            held |= {at for at in own if fold_query(ordered[at].query) == drawn}
    return _split("query", ordered, held)


def cold_users(picks: Sequence[Interaction], share: float = 0.3, seed: int = 0) -> PickSplit:
    """Hold back everything that some users picked: what do people get of whom nothing is known?

    Args:
        picks: In any order.
        share: Part of the users, in (0, 1), drawn by hash; at least one.
        seed: Another seed draws others.

    Raises:
        QueryError: As :func:`by_time`.
    """
    ordered = _ordered(picks)
    _check_share(share)
    cold = _some({pick.user for pick in ordered}, share, seed)
    held = {at for at, pick in enumerate(ordered) if pick.user in cold}
    return _split("cold-users", ordered, held)


def cold_stickers(picks: Sequence[Interaction], share: float = 0.3, seed: int = 0) -> PickSplit:
    """Hold back every pick of some stickers, as if nobody had ever picked them; arguments as :func:`cold_users`."""
    ordered = _ordered(picks)
    _check_share(share)
    cold = _some({pick.sticker_id for pick in ordered}, share, seed)
    held = {at for at, pick in enumerate(ordered) if pick.sticker_id in cold}
    return _split("cold-stickers", ordered, held)


SPLITS: dict[str, Callable[[Sequence[Interaction], float, int], PickSplit]] = {
    "time": lambda picks, share, seed: by_time(picks, share),
    "last": lambda picks, share, seed: leave_last_out(picks),
    "query": lambda picks, share, seed: leave_one_query_out(picks, seed),
    "cold-users": cold_users,
    "cold-stickers": cold_stickers,
}
"""Every split by its name; each takes the picks, the share and the seed, and leaves what it has no use for."""


def unseen(split: PickSplit) -> PickSplit:
    """Return the split without questions that the same user had asked before: their answer stands in the history."""
    known = {(pick.user, fold_query(pick.query)) for pick in split.train}
    fresh = tuple(q for q in split.questions if (q.user, fold_query(q.query)) not in known)
    return PickSplit(split.name, split.train, split.held_out, fresh)


def _split(name: str, ordered: Sequence[Interaction], held: set[int]) -> PickSplit:
    train = tuple(pick for at, pick in enumerate(ordered) if at not in held)
    held_out = tuple(ordered[at] for at in sorted(held))
    if not train or not any(pick.query.strip() for pick in held_out):
        problem = (
            f"the split {name!r} of {len(ordered)} picks leaves {len(train)} to learn from, {len(held_out)} to ask"
        )
        raise QueryError(problem, "take more picks or another split; some must have a query")
    right: dict[tuple[str, str], set[str]] = defaultdict(set)
    typed: dict[tuple[str, str], str] = {}
    for pick in held_out:
        if pick.query.strip():
            question = pick.user, fold_query(pick.query)
            right[question].add(pick.sticker_id)
            typed.setdefault(question, pick.query)
    questions = [EvaluationQuery(key[0], typed[key], frozenset(right[key]), key[0]) for key in sorted(right)]
    return PickSplit(name, train, held_out, tuple(questions))


def _ordered(picks: Sequence[Interaction]) -> list[Interaction]:
    return sorted(picks, key=lambda pick: (pick.time, pick.user, pick.query, pick.sticker_id))


def _positions(ordered: Sequence[Interaction]) -> dict[str, list[int]]:
    """Return, for each user in the order of their names, where their picks with a query are."""
    found: dict[str, list[int]] = defaultdict(list)
    for at, pick in enumerate(ordered):
        if pick.query.strip():
            found[pick.user].append(at)
    return dict(sorted(found.items()))


def _some(names: set[str], share: float, seed: int) -> set[str]:
    return set(sorted(names, key=lambda name: _drawn(seed, name))[: max(1, round(share * len(names)))])


def _drawn(seed: int, name: str) -> bytes:
    """Return a key of an order that depends on the seed and the name only."""
    return hashlib.sha256(f"{seed}\n{name}".encode()).digest()


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise QueryError(f"share = {share} holds back nothing or everything", "give a share between 0 and 1")

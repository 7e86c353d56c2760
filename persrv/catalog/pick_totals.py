"""How often each sticker was picked, by how many people and for how many queries: sums that are kept as picks come.

A pick, and the point of a popular sticker, cost what any others cost. The sums always equal those over all picks; see
:meth:`persrv.catalog.counts.Statistics.pick_counts`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, delete, func, insert, select, tuple_, update

from persrv.catalog.batches import chunks, insert_for
from persrv.catalog.tables import interactions, pick_totals, picked_queries

_Pair = tuple[str, str]

_QUERIES = select(picked_queries.c.sticker_id, picked_queries.c.folded_query).where(
    tuple_(picked_queries.c.sticker_id, picked_queries.c.folded_query).in_(bindparam("pairs", expanding=True))
)


def summed(*where: ColumnElement[bool]) -> Select[Any]:
    """Return the sums over chosen interactions: sticker, picks, users, queries and the time of the last pick."""
    of = interactions.c
    queries = func.count(func.nullif(of.folded_query, "").distinct())
    sums = (func.count(), func.count(of.user.distinct()), queries, func.max(of.time))
    return select(of.sticker_id, *sums).where(*where).group_by(of.sticker_id)


def queries_before(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> set[_Pair]:
    """Return which pairs of sticker and folded query of some picks were counted before."""
    wanted = sorted({(row["sticker_id"], row["folded_query"]) for row in rows if row["folded_query"]})
    found: set[_Pair] = set()
    for chunk in chunks(wanted):
        found.update((one, text) for one, text in connection.execute(_QUERIES, {"pairs": chunk}))
    return found


def add_picks(
    connection: Connection,
    rows: Iterable[Mapping[str, Any]],
    people: Collection[_Pair],
    queries: Collection[_Pair],
) -> None:
    """Add picks that were just stored.

    Args:
        connection: In the transaction that stored them.
        rows: The new rows of ``interactions``.
        people: Pairs of sticker and user that were there before.
        queries: Pairs of sticker and folded query that were there before.
    """
    picks: Counter[str] = Counter()
    last: dict[str, datetime] = {}
    users, texts = set(people), set(queries)
    more_users: Counter[str] = Counter()
    more_queries: Counter[str] = Counter()
    for row in rows:
        one = row["sticker_id"]
        picks[one] += 1
        last[one] = max(row["time"], last.get(one, row["time"]))
        if (one, row["user"]) not in users:
            users.add((one, row["user"]))
            more_users[one] += 1
        if row["folded_query"] and (one, row["folded_query"]) not in texts:
            texts.add((one, row["folded_query"]))
            more_queries[one] += 1
    statement = _raising(connection.dialect.name)
    for chunk in chunks(sorted(picks)):
        sums = [
            {
                "sticker_id": one,
                "picks": picks[one],
                "users": more_users[one],
                "queries": more_queries[one],
                "last": last[one],
            }
            for one in chunk
        ]
        connection.execute(statement, sums)


def take_picks(connection: Connection, user: str) -> None:
    """Take a user's share out of every sum, before their picks are deleted but after :func:`affinity.uncount`."""
    of, here = interactions.c, pick_totals.c
    own = {row[0]: row for row in connection.execute(summed(of.user == user))}
    typed: defaultdict[str, set[str]] = defaultdict(set)
    pairs = select(of.sticker_id, of.folded_query).where(of.user == user, of.folded_query != "").distinct()
    for one, query in connection.execute(pairs):
        typed[one].add(query)
    for chunk in chunks(sorted(own)):
        asked = [(one, query) for one in chunk for query in sorted(typed[one])]
        rows = [{"sticker_id": one, "folded_query": query} for one, query in asked]
        others = queries_before(connection, rows)
        fewer = Counter(one for one, query in asked if (one, query) not in others)
        for one in chunk:
            values = {
                "picks": here.picks - own[one][1],
                "users": here.users - 1,
                "queries": here.queries - fewer[one],
            }
            connection.execute(update(pick_totals).where(here.sticker_id == one).values(values))
        connection.execute(delete(pick_totals).where(here.sticker_id.in_(chunk), here.picks <= 0))
        _take_last(connection, user, chunk, {one: own[one][4] for one in chunk})


def sum_anew(connection: Connection) -> None:
    """Sum over all picks again."""
    connection.execute(delete(pick_totals))
    names = ["sticker_id", "picks", "users", "queries", "last"]
    connection.execute(insert(pick_totals).from_select(names, summed()))


def _take_last(connection: Connection, user: str, chunk: Sequence[str], own: Mapping[str, datetime]) -> None:
    """Where a user's pick was a sticker's last one, look for the last one of the others."""
    of, here = interactions.c, pick_totals.c
    wanted = select(here.sticker_id, here.last).where(here.sticker_id.in_(chunk))
    theirs = [one for one, last in connection.execute(wanted) if last <= own[one]]
    latest = select(of.sticker_id, func.max(of.time)).where(of.sticker_id.in_(theirs), of.user != user)
    for one, last in connection.execute(latest.group_by(of.sticker_id)).all():
        connection.execute(update(pick_totals).where(here.sticker_id == one).values(last=last))


@cache
def _raising(dialect: str) -> Any:
    added = insert_for(dialect, pick_totals)
    here, more = pick_totals.c, added.excluded
    sums: dict[str, Any] = {name: here[name] + more[name] for name in ("picks", "users", "queries")}
    later = {"last": case((here["last"] < more["last"], more["last"]), else_=here["last"])}
    return added.on_conflict_do_update(index_elements=["sticker_id"], set_=sums | later)

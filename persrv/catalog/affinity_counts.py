"""Counts people as picks come and go: in the transaction that stores or deletes the picks.

Each pick costs the same, however many picks and stickers there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, tuple_, update

from persrv.catalog.batches import chunks, insert_for
from persrv.catalog.tables import interactions, picked_queries, picked_words, query_words, typed_words
from persrv.text import tokenize

_Pair = tuple[str, str]

_TYPED = (
    select(interactions.c.sticker_id, interactions.c.user, interactions.c.folded_query)
    .where(tuple_(interactions.c.sticker_id, interactions.c.user).in_(bindparam("pairs", expanding=True)))
    .distinct()
)


def typed_before(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[_Pair, set[str]]:
    """Return, for the stickers and users of some picks, the folded queries of their earlier picks."""
    found: dict[_Pair, set[str]] = {}
    for chunk in chunks(sorted({(row["sticker_id"], row["user"]) for row in rows})):
        for sticker_id, user, query in connection.execute(_TYPED, {"pairs": chunk}):
            found.setdefault((sticker_id, user), set()).add(query)
    return found


def count(connection: Connection, rows: Iterable[Mapping[str, Any]], before: Mapping[_Pair, set[str]]) -> None:
    """Count picks that were just stored.

    Args:
        connection: In the transaction that stored them.
        rows: The new rows of ``interactions``.
        before: From :func:`typed_before`, before they were stored.
    """
    add(connection, [(row["sticker_id"], row["user"], row["folded_query"]) for row in rows], before)


def uncount(connection: Connection, user: str) -> set[str]:
    """Take a user's share out of every count, before their picks are deleted; return the stickers that they picked."""
    of = interactions.c
    typed: dict[str, set[str]] = {}
    for sticker_id, query in connection.execute(
        select(of.sticker_id, of.folded_query).where(of.user == user).distinct()
    ):
        typed.setdefault(sticker_id, set()).add(query)
    queries: Counter[_Pair] = Counter()
    words: Counter[_Pair] = Counter()
    for sticker_id, texts in typed.items():
        queries.update((sticker_id, text) for text in texts if text)
        words.update((sticker_id, word) for word in {word for text in texts for word in tokenize(text)})
    _subtract(connection, picked_queries, queries)
    gone = _subtract(connection, picked_words, words)
    for word, fewer in Counter(word for _, word in gone).items():
        connection.execute(
            update(typed_words).where(typed_words.c.word == word).values(stickers=typed_words.c.stickers - fewer)
        )
    connection.execute(delete(typed_words).where(typed_words.c.stickers <= 0))
    _drop_queries(connection, user, {text for texts in typed.values() for text in texts})
    return set(typed)


def _drop_queries(connection: Connection, user: str, queries: set[str]) -> None:
    of = interactions.c
    for chunk in chunks(sorted(queries)):
        others = select(of.folded_query).where(of.folded_query.in_(chunk), of.user != user).distinct()
        kept = set(connection.execute(others).scalars())
        alone = [query for query in chunk if query not in kept]
        connection.execute(delete(query_words).where(query_words.c.folded_query.in_(alone)))


def add(connection: Connection, picks: Iterable[tuple[str, str, str]], before: Mapping[_Pair, set[str]]) -> None:
    """Add picks to the counts.

    Args:
        connection: In a transaction.
        picks: Sticker id, user and folded query of each; those of one sticker and user in one call.
        before: Sticker id and user to the folded queries that are counted already.
    """
    queries: Counter[_Pair] = Counter()
    words: Counter[_Pair] = Counter()
    known: dict[_Pair, tuple[set[str], set[str]]] = {}
    for sticker_id, user, query in picks:
        if (sticker_id, user) not in known:
            typed = set(before.get((sticker_id, user), ()))
            known[sticker_id, user] = typed, {word for text in typed for word in tokenize(text)}
        typed, spoken = known[sticker_id, user]
        if query and query not in typed:
            typed.add(query)
            queries[sticker_id, query] += 1
            fresh = set(tokenize(query)) - spoken
            spoken |= fresh
            words.update((sticker_id, word) for word in fresh)
    _raise(connection, picked_queries, queries)
    new = _raise(connection, picked_words, words)
    stickers = Counter(word for _, word in new)
    _raise_words(connection, stickers)
    pairs = {(word, query) for query in {query for _, query in queries} for word in tokenize(query)}
    statement = _adding(connection.dialect.name, query_words)
    for chunk in chunks([{"word": word, "folded_query": query} for word, query in sorted(pairs)]):
        connection.execute(statement, chunk)


def _raise(connection: Connection, table: Table, more: Mapping[_Pair, int]) -> list[_Pair]:
    """Add to counts; return which rows are new."""
    key, text = (column.name for column in table.primary_key)
    new: list[_Pair] = []
    raised = _counting(connection.dialect.name, table)
    for chunk in chunks(sorted(more)):
        rows = [{key: one, text: other, "people": more[one, other]} for one, other in chunk]
        new += [(one, other) for one, other, people in connection.execute(raised, rows) if people == more[one, other]]
    return new


def _raise_words(connection: Connection, stickers: Mapping[str, int]) -> None:
    raised = _raising(connection.dialect.name, typed_words, "stickers")
    for chunk in chunks(sorted(stickers)):
        connection.execute(raised, [{"word": word, "stickers": stickers[word]} for word in chunk])


def _subtract(connection: Connection, table: Table, fewer: Mapping[_Pair, int]) -> list[_Pair]:
    """Take from counts; return which rows are gone."""
    key, text = table.primary_key
    gone: list[_Pair] = []
    for chunk in chunks(sorted(fewer)):
        for pair in chunk:
            here = (key == pair[0]) & (text == pair[1])
            connection.execute(update(table).where(here).values(people=table.c.people - fewer[pair]))
        empty = tuple_(key, text).in_(chunk) & (table.c.people <= 0)
        gone += [(one, other) for one, other in connection.execute(select(key, text).where(empty))]
        connection.execute(delete(table).where(empty))
    return gone


# Built once each, since every pick asks: building a statement takes longer than running it.


@cache
def _adding(dialect: str, table: Table) -> Any:
    return insert_for(dialect, table).on_conflict_do_nothing()


@cache
def _raising(dialect: str, table: Table, count: str) -> Any:
    added = insert_for(dialect, table)
    total = {count: table.c[count] + added.excluded[count]}
    return added.on_conflict_do_update(index_elements=[*table.primary_key], set_=total)


@cache
def _counting(dialect: str, table: Table) -> Any:
    return _raising(dialect, table, "people").returning(*table.c)

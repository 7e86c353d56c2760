"""How many people picked a sticker for a query and for each of its words, counted as picks come and go.

People are counted, not picks. The counts stand in tables of their own, so that a point is made, and a pick counted,
at a price that depends on neither the number of picks nor the number of stickers.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, tuple_, update

from persrv.catalog.batches import CHUNK, chunks, insert_for, upsert
from persrv.catalog.columns import storable
from persrv.catalog.database import Part
from persrv.catalog.pick_totals import sum_anew
from persrv.catalog.tables import (
    interactions,
    notes,
    picked_queries,
    picked_words,
    query_words,
    typed_words,
)
from persrv.text import TOKENIZER, tokenize
from persrv.text.privacy import looks_private

COUNTED_BY = "affinity"
"""The note that says which tokenizer's words are counted."""

SHORT = 3
"""Words up to which a query of public words is public, however few people typed it."""

_Pair = tuple[str, str]

_LOOK = {
    "sqlite": (
        "WITH counted AS MATERIALIZED (SELECT t.value AS word, w.stickers AS stickers,"
        " (SELECT count(*) FROM (SELECT DISTINCT i.user FROM query_words q"
        " JOIN interactions i ON i.folded_query = q.folded_query WHERE q.word = t.value LIMIT ?)) AS people"
        " FROM json_each(?) t JOIN typed_words w ON w.word = t.value)"
        " SELECT word, stickers, people, CASE WHEN people >= ? THEN 0 ELSE"
        " EXISTS (SELECT 1 FROM query_words q JOIN interactions i ON i.folded_query = q.folded_query"
        " WHERE q.word = counted.word AND i.kind = 'simulated') END FROM counted",
        "SELECT DISTINCT user, kind = 'simulated' FROM interactions WHERE folded_query = ? LIMIT ?",
        "SELECT DISTINCT q.word FROM interactions i JOIN query_words q ON q.folded_query = i.folded_query"
        " WHERE i.user = ? AND q.word IN (SELECT value FROM json_each(?))",
    ),
    "postgresql": (
        "WITH counted AS MATERIALIZED (SELECT t.value AS word, w.stickers AS stickers,"
        ' (SELECT count(*) FROM (SELECT DISTINCT i."user" FROM query_words q'
        " JOIN interactions i ON i.folded_query = q.folded_query WHERE q.word = t.value LIMIT %s) AS few) AS people"
        " FROM json_array_elements_text(%s::json) AS t(value) JOIN typed_words w ON w.word = t.value)"
        " SELECT word, stickers, people, CASE WHEN people >= %s THEN false ELSE"
        " EXISTS (SELECT 1 FROM query_words q JOIN interactions i ON i.folded_query = q.folded_query"
        " WHERE q.word = counted.word AND i.kind = 'simulated') END FROM counted",
        "SELECT DISTINCT \"user\", kind = 'simulated' FROM interactions WHERE folded_query = %s LIMIT %s",
        "SELECT DISTINCT q.word FROM interactions i JOIN query_words q ON q.folded_query = i.folded_query"
        ' WHERE i."user" = %s AND q.word IN (SELECT json_array_elements_text(%s::json))',
    ),
}
"""For the driver itself, which answers in a fifth of the time: every search asks. Picks of a word are gone through only
until enough people are found, and to their end only where they are few: no search grows with the number of picks."""

_TYPED = (
    select(interactions.c.sticker_id, interactions.c.user, interactions.c.folded_query)
    .where(tuple_(interactions.c.sticker_id, interactions.c.user).in_(bindparam("pairs", expanding=True)))
    .distinct()
)


@dataclass(frozen=True, slots=True)
class PickedFor:
    """What a sticker was picked for.

    Attributes:
        queries: Folded query to the number of people, >= 1.
        words: Word to the number of people who picked the sticker for a query with it, >= 1.
    """

    queries: Mapping[str, int] = field(default_factory=dict)
    words: Mapping[str, int] = field(default_factory=dict)

    def shown(self, min_users: int, most: int = 5) -> dict[str, int]:
        """Return the queries that anybody may see, with their people, most people first.

        Args:
            min_users: People who must have picked the sticker for a query; whatever looks private is left out.
            most: Most queries.
        """
        public = [(q, n) for q, n in self.queries.items() if n >= min_users and not looks_private(q)]
        return dict(sorted(public, key=lambda pair: (-pair[1], pair[0]))[:most])


@dataclass(frozen=True, slots=True)
class TypedQuery:
    """What the picks of a query may say to somebody who types it.

    Attributes:
        exact: Whether enough people typed just this query, or the asker did.
        words: Its words that enough people typed, or the asker did, to the number of stickers picked for them.
    """

    exact: bool
    words: Mapping[str, int]


class Affinities(Part):
    """Counts of people by sticker and query."""

    def picked_for(self, sticker_ids: Iterable[str]) -> dict[str, PickedFor]:
        """Return what stickers were picked for, by people of any number; those never picked are left out."""
        queries: defaultdict[str, dict[str, int]] = defaultdict(dict)
        words: defaultdict[str, dict[str, int]] = defaultdict(dict)
        with self._database.read() as connection:
            for chunk in chunks(sticker_ids):
                for table, found in ((picked_queries, queries), (picked_words, words)):
                    chosen = select(table).where(table.c.sticker_id.in_(chunk)).order_by(*table.primary_key)
                    for sticker_id, text, people in connection.execute(chosen):
                        found[sticker_id][text] = people
        return {one: PickedFor(queries[one], words.get(one, {})) for one in sorted(queries)}

    def typed_query(
        self, query: str, words: Sequence[str], user: str | None = None, known: Collection[str] = ()
    ) -> TypedQuery:
        """Return which picks may answer a query: what fewer people typed is for themselves alone.

        A word is public where enough people typed it or a sticker's own text has it; a query where enough people
        typed it, or where it is short and all its words are public: then it says nothing about who typed it. What a
        simulated pick was made for is nobody's.

        Args:
            query: Folded, see :func:`persrv.catalog.phrases.fold_query`.
            words: Its tokens.
            user: Who asks; what they typed before counts for them.
            known: Those of the words that stand in stickers' own texts.
        """
        enough = self._database.min_users
        of_words, of_query, of_user = _LOOK[self._database.dialect]
        wanted = json.dumps([word for word in dict.fromkeys(words) if "\0" not in word], ensure_ascii=True)
        stickers, public = {}, set(known)
        for word, count, people, simulated in self._database.ask(of_words, (enough, wanted, enough)):
            stickers[str(word)] = int(count)
            if people >= enough or simulated:
                public.add(str(word))
        everyday = len(set(words)) <= SHORT and public.issuperset(words)
        private = [word for word in stickers if word not in public]
        if private and user:
            own = self._database.ask(of_user, (storable(user), json.dumps(private, ensure_ascii=True)))
            public |= {str(word) for (word,) in own}
        typists = self._database.ask(of_query, (storable(query), 2 * enough)) if query else []
        names = {str(name) for name, _ in typists}
        exact = len(names) >= enough or user in names or everyday or any(simulated for _, simulated in typists)
        return TypedQuery(bool(names) and exact, {w: count for w, count in stickers.items() if w in public})

    def count_anew(self) -> bool:
        """Count all picks again where another tokenizer's words are counted; return whether that was so."""
        with self._database.write() as connection:
            counted_by = connection.execute(select(notes.c.content).where(notes.c.key == COUNTED_BY)).scalar()
            if counted_by == TOKENIZER:
                return False
            for table in (picked_queries, picked_words, query_words, typed_words):
                connection.execute(delete(table))
            of = interactions.c
            every = select(of.sticker_id, of.user, of.folded_query).where(of.folded_query != "").distinct()
            pairs: list[tuple[str, str, str]] = []
            for row in connection.execute(every.order_by(of.sticker_id, of.user)):
                if len(pairs) >= CHUNK and row[:2] != pairs[-1][:2]:
                    _add(connection, pairs, {})
                    pairs = []
                pairs.append((row[0], row[1], row[2]))
            _add(connection, pairs, {})
            sum_anew(connection)
            upsert(connection, notes, [{"key": COUNTED_BY, "content": TOKENIZER}])
            return True


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
    _add(connection, [(row["sticker_id"], row["user"], row["folded_query"]) for row in rows], before)


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


def _add(connection: Connection, picks: Iterable[tuple[str, str, str]], before: Mapping[_Pair, set[str]]) -> None:
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

"""How many people picked a sticker for a query and for each of its words, and which of that may answer whom.

People are counted, not picks. The counts stand in tables of their own, so that a point is made, and a pick counted,
at a price that depends on neither the number of picks nor the number of stickers.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, select

from persrv.catalog.affinity_counts import add
from persrv.catalog.batches import CHUNK, chunks, upsert
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
from persrv.text import TOKENIZER
from persrv.text.privacy import looks_private

COUNTED_BY = "affinity"
"""The note that says which tokenizer's words are counted."""

SHORT = 3
"""Words up to which a query of public words is public, however few people typed it."""

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
                    add(connection, pairs, {})
                    pairs = []
                pairs.append((row[0], row[1], row[2]))
            add(connection, pairs, {})
            sum_anew(connection)
            upsert(connection, notes, [{"key": COUNTED_BY, "content": TOKENIZER}])
            return True

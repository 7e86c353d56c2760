"""What each point of a build was made from, and the counts over all of them, changed together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json
from sqlalchemy import String, delete, func, insert, literal, select, type_coerce, update

from persrv.catalog.batches import chunks, upsert
from persrv.catalog.columns import Json
from persrv.catalog.tables import indexed_stickers, unfitted_users, vocabularies, vocabulary_words
from persrv.catalog.vocabulary import Vocabularies, build_number, change_words, required
from persrv.recipe import Text
from persrv.text.bm25f import CorpusStatistics
from persrv.text.terms import Terms


@dataclass(frozen=True, slots=True)
class IndexedSticker:
    """What a sticker's point was made from.

    Attributes:
        sticker_id: Its id.
        terms: Its texts' counted tokens.
        group: Its group of near-duplicates, ``""`` for none.
    """

    sticker_id: str
    terms: Terms
    group: str


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far a build's points follow the catalog.

    Attributes:
        documents: Its stickers.
        applied: Every change up to this revision is in the points, on the disk.
        fitted: Every pick up to this number is in the profiles.
        average_lengths: Field to its average length in tokens, of the texts that the points have now.
    """

    documents: int
    applied: int
    fitted: int
    average_lengths: Mapping[str, float]


class IndexedStickers(Vocabularies):
    """The catalog's memory of what stands in the index."""

    def begin_index(self, build: str, applied: int, fitted: int, fit: Json) -> None:
        """Note a build that is being made, see :class:`IndexState` and :meth:`index_fit`."""
        with self._database.write() as connection:
            number = build_number(connection, build)
            values = {"applied": applied, "fitted": fitted, "fit": fit}
            connection.execute(update(vocabularies).where(vocabularies.c.id == number).values(**values))

    def ever_built(self) -> bool:
        """Return whether any index was ever begun from this catalog, by whichever collection."""
        with self._database.read() as connection:
            return connection.execute(select(vocabularies.c.id).limit(1)).scalar() is not None

    def index_state(self, build: str) -> IndexState:
        """Return how far a build follows the catalog.

        Raises:
            BuildGoneError: The catalog does not know the build.
        """
        with self._database.read() as connection:
            of, number = vocabularies.c, required(connection, build)
            # Not the fit: it has a megabyte, and to parse that keeps every other thread waiting.
            columns = select(of.documents, of.applied, of.fitted, of.lengths)
            row = connection.execute(columns.where(of.id == number)).one()
        lengths = {field: length / count for field, (length, count) in (row.lengths or {}).items() if count}
        return IndexState(row.documents, row.applied, row.fitted, lengths)

    def index_fit(self, build: str) -> Json:
        """Return what was taken from the whole collection when it was built, ``None`` where nobody wrote it down.

        Raises:
            BuildGoneError: The catalog does not know the build.
        """
        with self._database.read() as connection:
            written = select(type_coerce(vocabularies.c.fit, String))
            content = connection.execute(written.where(vocabularies.c.id == required(connection, build))).scalar()
        # In a fifth of the standard library's time, for which no other thread runs.
        fit: Json = None if content is None else from_json(content)
        return fit

    def follow_index(self, build: str, applied: int | None = None, fitted: int | None = None) -> None:
        """Note that a build's points, or its profiles, follow the catalog up to a change; never backwards."""
        of = vocabularies.c
        with self._database.write() as connection:
            number = required(connection, build)
            for column, value in ((of.applied, applied), (of.fitted, fitted)):
                if value is not None:
                    later = (of.id == number) & (column < value)
                    connection.execute(update(vocabularies).where(later).values({column: value}))

    def put_unfitted(self, build: str, users: Iterable[str]) -> None:
        """Note people whose profiles wait to be fitted again, since stickers that they picked came or went."""
        with self._database.write() as connection:
            number = required(connection, build)
            rows = [{"vocabulary_id": number, "user": user} for user in sorted(set(users))]
            for chunk in chunks(rows):
                upsert(connection, unfitted_users, chunk)

    def unfitted(self, build: str) -> list[str]:
        """Return the people whose profiles wait to be fitted again, sorted."""
        with self._database.read() as connection:
            own = unfitted_users.c.vocabulary_id == required(connection, build)
            return sorted(connection.execute(select(unfitted_users.c.user).where(own)).scalars())

    def fitted(self, build: str, users: Iterable[str]) -> None:
        """Note people whose profiles were fitted."""
        with self._database.write() as connection:
            own = unfitted_users.c.vocabulary_id == required(connection, build)
            for chunk in chunks(users):
                connection.execute(delete(unfitted_users).where(own, unfitted_users.c.user.in_(chunk)))

    def put_indexed(self, build: str, made: Sequence[IndexedSticker]) -> None:
        """Store what new points were made from; the build's words are counted at its end."""
        with self._database.write() as connection:
            number = build_number(connection, build)
            connection.execute(insert(indexed_stickers), [_row(number, sticker) for sticker in made])

    def put_counts(self, build: str, statistics: CorpusStatistics) -> None:
        """Store the words and lengths of a whole build."""
        lengths: Json = {f: [n, statistics.documents_with[f]] for f, n in sorted(statistics.lengths.items())}
        with self._database.write() as connection:
            connection.execute(update(vocabularies).where(vocabularies.c.build == build).values(lengths=lengths))
        self.put_vocabulary(build, statistics.document_frequencies, statistics.surface_counts, statistics.documents)

    def indexed(self, build: str, sticker_ids: Iterable[str]) -> dict[str, IndexedSticker]:
        """Return what the points of some stickers were made from; those without a point are left out."""
        found: dict[str, IndexedSticker] = {}
        of = indexed_stickers.c
        with self._database.read() as connection:
            number = required(connection, build)
            for chunk in chunks(sticker_ids):
                chosen = select(indexed_stickers).where(of.vocabulary_id == number, of.sticker_id.in_(chunk))
                for row in connection.execute(chosen):
                    found[row.sticker_id] = IndexedSticker(row.sticker_id, Terms.from_bytes(row.terms), row.group_id)
        return found

    def count_copies(self, build: str, groups: Iterable[str]) -> dict[str, int]:
        """Return how many stickers of a build each group of near-duplicates has; unknown groups are left out."""
        of = indexed_stickers.c
        found: dict[str, int] = {}
        wanted = sorted({group for group in groups if group})
        if not wanted:
            return found
        with self._database.read() as connection:
            for chunk in chunks(wanted):
                counted = (
                    select(of.group_id, func.count())
                    .join_from(indexed_stickers, vocabularies)
                    # The last condition says nothing new, but lets the database use an index of the grouped ones.
                    .where(vocabularies.c.build == build, of.group_id.in_(chunk), of.group_id != "")
                    .group_by(of.group_id)
                )
                found.update((row[0], row[1]) for row in connection.execute(counted))
        return found

    def copies(self, build: str, sticker_id: str, most: int) -> list[str]:
        """Return the near-duplicates of a sticker in a build by id, without the sticker, ``most`` at most."""
        of = indexed_stickers.c
        with self._database.read() as connection:
            number = required(connection, build)
            own = select(of.group_id).where(of.vocabulary_id == number, of.sticker_id == sticker_id)
            group = connection.execute(own).scalar()
            if not group:
                return []
            together = (of.vocabulary_id == number, of.group_id == group, of.group_id != "")
            others = select(of.sticker_id).where(*together, of.sticker_id != sticker_id)
            return [*connection.execute(others.order_by(of.sticker_id).limit(most)).scalars()]

    def change_indexed(self, build: str, made: Sequence[IndexedSticker], gone: Iterable[str], text: Text) -> None:
        """Note that points were written anew and others deleted; words and lengths follow in the same transaction.

        Args:
            build: Whose points.
            made: What the new points were made from.
            gone: Stickers that have no point any more.
            text: The recipe's ``[text]``.
        """
        of = indexed_stickers.c
        leaving = [*gone]
        with self._database.write() as connection:
            number = required(connection, build)
            before = self.indexed(build, [*(sticker.sticker_id for sticker in made), *leaving])
            change = CorpusStatistics(text)
            for old in before.values():
                change.remove(old.terms)
            for new in made:
                change.add(new.terms)
            upsert(connection, indexed_stickers, [_row(number, sticker) for sticker in made])
            for chunk in chunks(leaving):
                connection.execute(delete(indexed_stickers).where(of.vocabulary_id == number, of.sticker_id.in_(chunk)))
            change_words(connection, number, change.document_frequencies, change.surface_counts)
            self._change_lengths(number, change)

    def copy_index(self, build: str, copy: str) -> None:
        """Give a copy of a build, such as one on a server, words and memory of its own.

        Raises:
            BuildGoneError: The catalog does not know the build.
        """
        with self._database.write() as connection:
            number, other = required(connection, build), build_number(connection, copy)
            kept = ("documents", "applied", "fitted", "lengths", "fit")
            row = connection.execute(select(vocabularies).where(vocabularies.c.id == number)).one()
            values = {name: getattr(row, name) for name in kept}
            connection.execute(update(vocabularies).where(vocabularies.c.id == other).values(**values))
            for table in (vocabulary_words, indexed_stickers):
                columns = [column for column in table.c if column.name != "vocabulary_id"]
                rows = select(literal(other), *columns).where(table.c.vocabulary_id == number)
                connection.execute(delete(table).where(table.c.vocabulary_id == other))
                connection.execute(insert(table).from_select(["vocabulary_id", *(c.name for c in columns)], rows))

    def _change_lengths(self, number: int, change: CorpusStatistics) -> None:
        with self._database.write() as connection:
            columns = select(vocabularies.c.lengths, vocabularies.c.documents)
            row = connection.execute(columns.where(vocabularies.c.id == number)).one()
            lengths: dict[str, Any] = dict(row.lengths or {})
            for field, more in change.lengths.items():
                length, count = lengths.get(field, (0, 0))
                lengths[field] = [length + more, count + change.documents_with[field]]
            values = {"lengths": lengths, "documents": row.documents + change.documents}
            connection.execute(update(vocabularies).where(vocabularies.c.id == number).values(**values))


def _row(number: int, sticker: IndexedSticker) -> dict[str, Any]:
    return {
        "vocabulary_id": number,
        "sticker_id": sticker.sticker_id,
        "terms": sticker.terms.to_bytes(),
        "group_id": sticker.group,
    }

"""The words of each build and how many of its stickers have them, exact after every change of a point."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from persrv.catalog.batches import chunks, upsert
from persrv.catalog.database import Database, Part
from persrv.catalog.tables import indexed_stickers, served_builds, unfitted_users, vocabularies, vocabulary_words
from persrv.errors import BuildGoneError

KEPT = 8
"""Newest builds that keep their words although no version answers with them: one may be on its way."""

_ONE_LOOK = {
    "sqlite": (
        "SELECT documents FROM vocabularies WHERE id = ?",
        "SELECT token, documents FROM vocabulary_words"
        " WHERE vocabulary_id = ? AND token IN (SELECT value FROM json_each(?))",
    ),
    "postgresql": (
        "SELECT documents FROM vocabularies WHERE id = %s",
        "SELECT token, documents FROM vocabulary_words"
        " WHERE vocabulary_id = %s AND token IN (SELECT json_array_elements_text(%s::json))",
    ),
}
"""For the driver itself, which answers in a fifth of the time: every search asks."""


class WordCounts:
    """How many stickers of a build have a word, as the catalog knows it at the moment of asking.

    Args:
        database: Of the catalog.
        number: The vocabulary's number.
    """

    def __init__(self, database: Database, number: int) -> None:
        self._database = database
        self._number = number
        self._documents, self._tokens = _ONE_LOOK[database.dialect]

    @property
    def documents(self) -> int:
        """Number of stickers, those without texts included.

        Raises:
            BuildGoneError: The vocabulary is not kept any more.
        """
        for row in self._database.ask(self._documents, (self._number,)):
            return int(row[0])
        raise BuildGoneError("the words of this build are not kept any more", "open the collection again")

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        """Return token to the number of stickers that have it; tokens that none has are left out."""
        wanted = json.dumps([token for token in tokens if "\0" not in token], ensure_ascii=True)
        found = self._database.ask(self._tokens, (self._number, wanted))
        return {str(token): int(count) for token, count in found}


class Vocabularies(Part):
    """Vocabularies by build."""

    def put_vocabulary(
        self,
        build: str,
        frequencies: Mapping[str, int],
        surfaces: Mapping[tuple[str, str], int] = MappingProxyType({}),
        documents: int = 0,
    ) -> None:
        """Store the words of a build; old builds that no version answers with lose theirs.

        Args:
            build: The build's name.
            frequencies: Token to the number of stickers that hold it.
            surfaces: Token and a spelling that people can read to how often they came together; tokens without a
                frequency are left out.
            documents: Number of stickers.
        """
        spelled: dict[str, dict[str, int]] = {}
        for (token, surface), count in surfaces.items():
            spelled.setdefault(token, {})[surface] = count
        with self._database.write() as connection:
            number = build_number(connection, build)
            connection.execute(update(vocabularies).where(vocabularies.c.id == number).values(documents=documents))
            _remove_old(connection)
            connection.execute(delete(vocabulary_words).where(vocabulary_words.c.vocabulary_id == number))
            for chunk in chunks(sorted(frequencies.items()), 10_000):
                rows = [_word_row(number, token, count, spelled.get(token, {})) for token, count in chunk]
                connection.execute(insert(vocabulary_words), rows)

    def keep_builds(self, place: str, builds: Iterable[str]) -> None:
        """Say which builds' words the versions at a place answer with; words that no place needs any more go at once.

        Args:
            place: Where the versions are, such as a folder of this machine, or a server and a name there.
            builds: Those of the current version and of the one that is kept for a rollback.
        """
        of = served_builds.c
        with self._database.write() as connection:
            before = set(connection.execute(select(of.build).where(of.place == place)).scalars())
            connection.execute(delete(served_builds).where(of.place == place))
            upsert(connection, served_builds, [{"place": place, "build": build} for build in sorted(set(builds))])
            unserved = before - set(connection.execute(select(of.build)).scalars())
            gone = select(vocabularies.c.id).where(vocabularies.c.build.in_(unserved))
            _remove(connection, list(connection.execute(gone).scalars()))

    def vocabulary(self, build: str) -> dict[str, int]:
        """Return a build's tokens with their numbers of stickers, sorted by token.

        Raises:
            BuildGoneError: No vocabulary is kept for this build.
        """
        return {row.token: row.documents for row in self._words(build)}

    def surfaces(self, build: str) -> dict[str, str]:
        """Return a build's tokens with their most frequent spelling, ties by the text, sorted by token.

        Raises:
            BuildGoneError: No vocabulary is kept for this build.
        """
        return {
            row.token: min(row.surfaces, key=lambda text: (-row.surfaces[text], text))
            for row in self._words(build)
            if row.surfaces
        }

    def word_counts(self, build: str) -> WordCounts:
        """Return what tells how many stickers of a build have a word.

        Raises:
            BuildGoneError: No vocabulary is kept for this build.
        """
        with self._database.read() as connection:
            return WordCounts(self._database, required(connection, build))

    def _words(self, build: str) -> list[Row[Any]]:
        with self._database.read() as connection:
            number = required(connection, build)
            chosen = select(vocabulary_words).where(vocabulary_words.c.vocabulary_id == number)
            return sorted(connection.execute(chosen), key=lambda row: str(row.token))


def build_number(connection: Connection, build: str) -> int:
    """Return a build's number, a new one where it has none yet."""
    number = _number(connection, build)
    if number is None:
        number = connection.execute(insert(vocabularies).values(build=build).returning(vocabularies.c.id)).scalar_one()
    return int(number)


def required(connection: Connection, build: str) -> int:
    """Return a build's number.

    Raises:
        BuildGoneError: No vocabulary is kept for this build.
    """
    number = _number(connection, build)
    if number is None:
        raise BuildGoneError(f"no vocabulary is kept for the build {build!r}", "run persrv build")
    return number


def change_words(
    connection: Connection, number: int, frequencies: Mapping[str, int], surfaces: Mapping[tuple[str, str], int]
) -> None:
    """Add to a vocabulary's counts; a word that no sticker has any more is deleted, its spellings with it.

    Args:
        connection: Inside a transaction that may write.
        number: The vocabulary.
        frequencies: Token to what is added to its number of stickers; may be negative.
        surfaces: Token and spelling to what is added to their count.
    """
    spelled: dict[str, dict[str, int]] = {token: {} for token, count in frequencies.items() if count}
    for (token, surface), count in surfaces.items():
        if count:
            spelled.setdefault(token, {})[surface] = count
    of = vocabulary_words.c
    for chunk in chunks(sorted(spelled)):
        chosen = (of.vocabulary_id == number) & of.token.in_(chunk)
        known = {row.token: row for row in connection.execute(select(vocabulary_words).where(chosen))}
        rows, gone = [], []
        for token in chunk:
            before = known.get(token)
            count = (before.documents if before else 0) + frequencies.get(token, 0)
            texts = dict((before.surfaces if before else None) or {})
            for surface, more in spelled[token].items():
                texts[surface] = texts.get(surface, 0) + more
            if count > 0:
                rows.append(_word_row(number, token, count, texts))
            else:
                gone.append(token)
        upsert(connection, vocabulary_words, rows)
        if gone:
            connection.execute(delete(vocabulary_words).where(of.vocabulary_id == number, of.token.in_(gone)))


def _word_row(number: int, token: str, count: int, surfaces: Mapping[str, int]) -> dict[str, Any]:
    kept = {text: seen for text, seen in surfaces.items() if seen > 0}
    return {"vocabulary_id": number, "token": token, "documents": count, "surfaces": kept or None}


def _remove_old(connection: Connection) -> None:
    served = vocabularies.c.build.in_(select(served_builds.c.build))
    others = connection.execute(select(vocabularies.c.id).where(~served).order_by(vocabularies.c.id.desc()))
    _remove(connection, list(others.scalars())[KEPT:])


def _remove(connection: Connection, numbers: Sequence[int]) -> None:
    for table in (vocabulary_words, indexed_stickers, unfitted_users):
        connection.execute(delete(table).where(table.c.vocabulary_id.in_(numbers)))
    connection.execute(delete(vocabularies).where(vocabularies.c.id.in_(numbers)))


def _number(connection: Connection, build: str) -> int | None:
    return connection.execute(select(vocabularies.c.id).where(vocabularies.c.build == build)).scalar()

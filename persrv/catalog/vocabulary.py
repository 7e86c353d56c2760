"""The words of each build, which spelling correction reads."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from persrv.catalog.batches import chunks
from persrv.catalog.database import Part
from persrv.catalog.tables import vocabularies, vocabulary_tokens
from persrv.errors import BuildGoneError

KEPT = 8
"""Builds that keep their vocabulary: the current one, those before it, and those that were copied to a server."""


class Vocabularies(Part):
    """Vocabularies by build."""

    def put_vocabulary(
        self, build: str, frequencies: Mapping[str, int], surfaces: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Store the words of a build; builds older than the newest eight lose theirs.

        Args:
            build: The build's name.
            frequencies: Token to the number of stickers that hold it.
            surfaces: Token to a spelling that people can read; tokens without a frequency are left out.
        """
        with self._database.write() as connection:
            number = _number(connection, build)
            if number is None:
                inserted = insert(vocabularies).values(build=build).returning(vocabularies.c.id)
                number = connection.execute(inserted).scalar_one()
            newest = connection.execute(select(vocabularies.c.id).order_by(vocabularies.c.id.desc()).limit(KEPT))
            stay = set(newest.scalars())
            of = vocabulary_tokens.c.vocabulary_id
            connection.execute(delete(vocabulary_tokens).where(of.not_in(stay) | (of == number)))
            connection.execute(delete(vocabularies).where(vocabularies.c.id.not_in(stay)))
            for chunk in chunks(sorted(frequencies.items()), 10_000):
                rows = [
                    {"vocabulary_id": number, "token": token, "documents": count, "surface": surfaces.get(token)}
                    for token, count in chunk
                ]
                connection.execute(insert(vocabulary_tokens), rows)

    def vocabulary(self, build: str) -> dict[str, int]:
        """Return a build's tokens with their numbers of stickers, sorted by token.

        Raises:
            BuildGoneError: No vocabulary is kept for this build.
        """
        return {row.token: row.documents for row in self._tokens(build)}

    def surfaces(self, build: str) -> dict[str, str]:
        """Return a build's tokens with their readable spellings, where they have one, sorted by token.

        Raises:
            BuildGoneError: No vocabulary is kept for this build.
        """
        return {row.token: row.surface for row in self._tokens(build) if row.surface is not None}

    def _tokens(self, build: str) -> list[Row[Any]]:
        with self._database.read() as connection:
            number = _number(connection, build)
            if number is None:
                raise BuildGoneError(f"no vocabulary is kept for the build {build!r}", "build the collection again")
            chosen = select(vocabulary_tokens).where(vocabulary_tokens.c.vocabulary_id == number)
            return sorted(connection.execute(chosen), key=lambda row: str(row.token))


def _number(connection: Connection, build: str) -> int | None:
    return connection.execute(select(vocabularies.c.id).where(vocabularies.c.build == build)).scalar()

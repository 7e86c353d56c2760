"""The sections of a recipe that say where a collection's data lives."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from persrv.recipe.section import Positive, Section


class CatalogSettings(Section):
    """The catalog's database: an SQLAlchemy URL, ``""`` for SQLite in the data directory."""

    url: str = ""


class IndexSettings(Section):
    """Where the index lives and what its points show.

    ``location`` is ``embedded:`` (a folder in the data directory), ``embedded:PATH``, or a server's ``http(s)://`` URL.
    """

    location: str = "embedded:"
    image_base_url: str = ""
    hnsw_m: int = Field(default=0, ge=0, le=128)
    timeout_s: Positive = 10.0
    replication_factor: int = Field(default=1, ge=1, le=16)

    @model_validator(mode="after")
    def _usable_places(self) -> Self:
        if not self.location.startswith(("embedded:", "http://", "https://")):
            raise ValueError(f"location {self.location!r} is neither embedded:PATH nor an http(s) URL")
        if self.image_base_url and not self.image_base_url.startswith(("http://", "https://")):
            raise ValueError(f"image_base_url {self.image_base_url!r} is not an http(s) URL")
        return self

"""The sections of a recipe that say where a collection's data lives."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from persrv.recipe.section import Positive, Section


class CatalogSettings(Section):
    """The catalog's database: an SQLAlchemy URL, ``""`` for SQLite in the data directory."""

    url: str = ""


SERVICE_PICTURES = "http://127.0.0.1:8000/pictures"
"""Where ``persrv serve`` has every sticker's picture."""

_EMBEDDED = "embedded:"


def embedded_folder(location: str, data: Path) -> Path | None:
    """Return the folder of an embedded index, ``None`` where the location is a server's.

    Args:
        location: ``embedded:`` (the folder ``index`` in ``data``), or ``embedded:PATH`` (relative to ``data``).
        data: The collection's data folder.
    """
    if not location.startswith(_EMBEDDED):
        return None
    return data / Path(location.removeprefix(_EMBEDDED) or "index").expanduser()


class IndexSettings(Section):
    """Where the index lives and what its points show.

    ``location`` is ``embedded:`` (a folder in the data directory), ``embedded:PATH``, a server's ``http(s)://`` URL, or
    the URLs of several nodes of one cluster. The last four say how a server keeps it, see
    :class:`persrv.index.schema.Placement`.
    """

    location: str | tuple[str, ...] = "embedded:"
    image_base_url: str = SERVICE_PICTURES
    hnsw_m: int = Field(default=0, ge=0, le=128)
    timeout_s: Positive = 10.0
    shards: int = Field(default=1, ge=1, le=1024)
    replication_factor: int = Field(default=1, ge=1, le=16)
    write_consistency_factor: int = Field(default=1, ge=1, le=16)
    on_disk: bool = False

    @property
    def embedded(self) -> bool:
        """Whether the index is a folder."""
        return isinstance(self.location, str) and self.location.startswith(_EMBEDDED)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The server's addresses; empty where the index is embedded."""
        places = (self.location,) if isinstance(self.location, str) else self.location
        return places if all(place.startswith(("http://", "https://")) for place in places) else ()

    @model_validator(mode="after")
    def _usable_places(self) -> Self:
        if not self.embedded and not self.addresses:
            raise ValueError(f"location {self.location!r} is neither embedded:PATH, an http(s) URL, nor a list of URLs")
        if self.write_consistency_factor > self.replication_factor:
            raise ValueError(
                f"write_consistency_factor {self.write_consistency_factor} is more than the "
                f"{self.replication_factor} copies of replication_factor"
            )
        if self.image_base_url and not self.image_base_url.startswith(("http://", "https://")):
            raise ValueError(f"image_base_url {self.image_base_url!r} is not an http(s) URL")
        return self

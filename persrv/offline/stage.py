"""What a reading stage is: work that is done once for each sticker and model, and never again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from persrv.catalog import Catalog
from persrv.images.decode import Picture
from persrv.records import Semantics, Skipped

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Item:
    """One sticker, opened for a stage.

    Attributes:
        sticker_id: Its id.
        path: Its picture's file, ``None`` without a picture.
        picture: The decoded picture, ``None`` without one.
        semantics: What is known of it.
    """

    sticker_id: str
    path: Path | None
    picture: Picture | None
    semantics: Semantics


class Worker(Protocol[Result]):
    """The part of a stage that reads: it knows neither the catalog nor the caches, so it can run on another machine."""

    @property
    def model(self) -> str:
        """Identity of everything that decides its results; another one makes all stickers missing."""
        ...

    def work(self, items: Sequence[Item]) -> list[Result | Skipped]:
        """Return one result an item, in their order; results can be pickled."""
        ...


class Stage(Worker[Result], Protocol[Result]):
    """Reads stickers with one model, and knows which lack a result and where results go."""

    @property
    def name(self) -> str:
        """What ``--only`` calls it."""
        ...

    @property
    def title(self) -> str:
        """What it does, as a person would say it."""
        ...

    @property
    def batch(self) -> int:
        """Stickers worked on at once; each batch is durable when it is done."""
        ...

    @property
    def blind_to(self) -> frozenset[str]:
        """Sources whose words the stage must not see: its own earlier ones."""
        ...

    def missing(self, catalog: Catalog) -> list[str]:
        """Return the ids that have no result of this model yet, ascending."""
        ...

    def store(self, catalog: Catalog, results: Sequence[tuple[str, Result]]) -> None:
        """Write the results of one batch by sticker id; durable when it returns, and harmless to do again."""
        ...

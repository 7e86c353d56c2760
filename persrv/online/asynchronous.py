"""The retriever for asyncio programs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from persrv.catalog import Edit
from persrv.catalog.marks import MarkKind
from persrv.online.answer import Answer
from persrv.online.feedback import PickReceipt
from persrv.online.opening import Opening
from persrv.online.request import FilterValue
from persrv.online.retriever import Retriever
from persrv.online.sticker_commands import AddReport
from persrv.online.taste_map import TasteMap
from persrv.ranking.profile import StyleProfile
from persrv.recipe import Recipe
from persrv.records import Impression, Interaction, PickKind, Sticker, StyleSummary


class AsyncRetriever:
    """Does what :class:`~persrv.online.retriever.Retriever` does, in worker threads.

    The embedded engine keeps the interpreter lock while it works, so that the event loop stands still meanwhile: open
    with ``engine="process"`` in a program that serves. Waiting for a server keeps nothing.
    """

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    @classmethod
    def open(
        cls, recipe: str | Path | Recipe, *, home: str | Path | None = None, engine: Literal["here", "process"] = "here"
    ) -> Opening[Self]:
        """Open a collection, see :meth:`Retriever.open`; ``await`` it, or use it in an ``async with`` block."""

        async def opened() -> Self:
            return cls(await asyncio.to_thread(Retriever.open, recipe, home=home, engine=engine))

        return Opening(opened)

    async def search(
        self,
        query: str = "",
        user: str | None = None,
        *,
        by: Literal["text", "picture"] = "text",
        limit: int = 20,
        offset: int = 0,
        filters: Mapping[str, FilterValue] | None = None,
        explain: bool = False,
        gamma: float | None = None,
        cursor: str | None = None,
    ) -> Answer:
        """Search, see :meth:`Retriever.search`."""
        return await asyncio.to_thread(
            self._retriever.search,
            query,
            user,
            by=by,
            limit=limit,
            offset=offset,
            filters=filters,
            explain=explain,
            gamma=gamma,
            cursor=cursor,
        )

    async def similar(
        self,
        sticker: str | Path | bytes,
        *,
        by: Literal["meaning", "look", "both"] = "both",
        limit: int = 20,
        offset: int = 0,
        filters: Mapping[str, FilterValue] | None = None,
    ) -> Answer:
        """Find more like this, see :meth:`Retriever.similar`."""
        return await asyncio.to_thread(
            self._retriever.similar, sticker, by=by, limit=limit, offset=offset, filters=filters
        )

    async def copies(self, sticker_id: str, *, limit: int = 50) -> list[Sticker]:
        """Return near-duplicates, see :meth:`Retriever.copies`."""
        return await asyncio.to_thread(self._retriever.copies, sticker_id, limit=limit)

    async def record(
        self,
        user: str,
        query: str,
        sticker_id: str,
        *,
        kind: PickKind = "pick",
        time: datetime | None = None,
        pick_id: str | None = None,
    ) -> PickReceipt:
        """Write a pick down, see :meth:`Retriever.record`."""
        return await asyncio.to_thread(
            self._retriever.record, user, query, sticker_id, kind=kind, time=time, pick_id=pick_id
        )

    async def profile(self, user: str) -> StyleProfile:
        """Return a user's style profile, see :meth:`Retriever.profile`."""
        return await asyncio.to_thread(self._retriever.profile, user)

    async def styles(self, user: str) -> list[StyleSummary]:
        """Return a user's styles, see :meth:`Retriever.styles`."""
        return await asyncio.to_thread(self._retriever.styles, user)

    async def taste_map(self, user: str, most: int = 150) -> TasteMap:
        """Return a user's stickers on a plane, see :meth:`Retriever.taste_map`."""
        return await asyncio.to_thread(self._retriever.taste_map, user, most)

    async def drop_style(self, user: str, number: int) -> list[StyleSummary]:
        """Take one style out of a user's taste, see :meth:`Retriever.drop_style`."""
        return await asyncio.to_thread(self._retriever.drop_style, user, number)

    async def marks(self, user: str) -> dict[MarkKind, list[str]]:
        """Return what a user set apart, see :meth:`Retriever.marks`."""
        return await asyncio.to_thread(self._retriever.marks, user)

    async def picks(self, user: str) -> list[Interaction]:
        """Return a user's interactions, see :meth:`Retriever.picks`."""
        return await asyncio.to_thread(self._retriever.picks, user)

    async def impressions(self, user: str) -> list[Impression]:
        """Return what a user was shown in comparisons, see :meth:`Retriever.impressions`."""
        return await asyncio.to_thread(self._retriever.impressions, user)

    async def edits(self, user: str) -> list[tuple[str, Edit]]:
        """Return a user's edits, see :meth:`Retriever.edits`."""
        return await asyncio.to_thread(self._retriever.edits, user)

    async def export(self, user: str) -> dict[str, Any]:
        """Return all that is held of a user, see :meth:`Retriever.export`."""
        return await asyncio.to_thread(self._retriever.export, user)

    async def forget(self, user: str) -> int:
        """Delete all that is held of a user, see :meth:`Retriever.forget`."""
        return await asyncio.to_thread(self._retriever.forget, user)

    async def add(
        self,
        pictures: Iterable[str | Path | bytes],
        *,
        pack: str = "",
        tags: Iterable[str] = (),
        texts: Mapping[str, Iterable[str]] | None = None,
        language: str = "",
        rating: str = "",
        style: str = "",
    ) -> AddReport:
        """Add stickers, see :meth:`Retriever.add`."""
        return await asyncio.to_thread(
            self._retriever.add,
            pictures,
            pack=pack,
            tags=tags,
            texts=texts,
            language=language,
            rating=rating,
            style=style,
        )

    async def remove(self, sticker_id: str) -> Sticker:
        """Take a sticker out of the collection, see :meth:`Retriever.remove`."""
        return await asyncio.to_thread(self._retriever.remove, sticker_id)

    async def edit(self, sticker_id: str, field: str, phrases: Iterable[str], *, editor: str = "") -> Sticker:
        """Set a field of a sticker, see :meth:`Retriever.edit`."""
        return await asyncio.to_thread(self._retriever.edit, sticker_id, field, phrases, editor=editor)

    async def reset(self, sticker_id: str, field: str, *, editor: str = "") -> Sticker:
        """Give a field back to the sticker's sources, see :meth:`Retriever.reset`."""
        return await asyncio.to_thread(self._retriever.reset, sticker_id, field, editor=editor)

    async def refresh(self) -> bool:
        """Go on to the newest build, see :meth:`Retriever.refresh`."""
        return await asyncio.to_thread(self._retriever.refresh)

    async def close(self) -> None:
        """Let go of the index and the catalog."""
        await asyncio.to_thread(self._retriever.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

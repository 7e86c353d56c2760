"""A running service, with the signatures of the retriever."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from persrv.catalog.marks import MarkKind
from persrv.online.answer import Answer
from persrv.online.feedback import PickReceipt
from persrv.online.request import FilterValue
from persrv.online.sticker_commands import AddReport
from persrv.online.taste_map import TasteMap
from persrv.ranking.profile import StyleProfile
from persrv.records import Interaction, PickKind, Skipped, Sticker, StyleSummary
from persrv.serve import calls
from persrv.serve.additions import additions, joined

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8000"
"""Where ``persrv serve`` listens."""

KEY_VARIABLE = "PERSRV_API_KEY"
"""Environment variable with the key to send."""


class Client:
    """Does over HTTP what :class:`persrv.Retriever` does in this process. Safe for several threads.

    Pictures are not files here: ``Hit.path`` and ``Sticker.path`` are ``None``.

    Args:
        url: The service's address.
        key: An API key, where the service wants one; default ``PERSRV_API_KEY``.
        collection: One of the service's collections; default its first one.
        timeout_s: How long an answer may take.
    """

    def __init__(
        self, url: str = DEFAULT_URL, *, key: str | None = None, collection: str | None = None, timeout_s: float = 30.0
    ) -> None:
        key = os.environ.get(KEY_VARIABLE, "") if key is None else key
        self._url = url
        self._collection = collection
        self._http = httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {key}"} if key else {}, timeout=timeout_s
        )

    def search(
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
        """Search, see :meth:`persrv.Retriever.search`; at most 200 hits on a page."""
        return self._do(calls.search(query, user, by, limit, offset, filters, explain, gamma, cursor))

    def similar(
        self,
        sticker: str | Path | bytes,
        *,
        by: Literal["meaning", "look", "both"] = "both",
        limit: int = 20,
        offset: int = 0,
        filters: Mapping[str, FilterValue] | None = None,
    ) -> Answer:
        """Find more like this, see :meth:`persrv.Retriever.similar`."""
        return self._do(calls.similar(sticker, by, limit, offset, filters))

    def copies(self, sticker_id: str, *, limit: int = 50) -> list[Sticker]:
        """Return near-duplicates, see :meth:`persrv.Retriever.copies`; at most 200."""
        return self._do(calls.copies(sticker_id, limit))

    def record(
        self,
        user: str,
        query: str,
        sticker_id: str,
        *,
        kind: PickKind = "pick",
        time: datetime | None = None,
        pick_id: str | None = None,
    ) -> PickReceipt:
        """Write a pick down, see :meth:`persrv.Retriever.record`; ``simulated`` picks are refused."""
        return self._do(calls.record(user, query, sticker_id, kind, time, pick_id))

    def profile(self, user: str) -> StyleProfile:
        """Return a user's style profile, see :meth:`persrv.Retriever.profile`."""
        return self._do(calls.profile(user))

    def styles(self, user: str) -> list[StyleSummary]:
        """Return a user's styles, see :meth:`persrv.Retriever.styles`."""
        return self._do(calls.styles(user))

    def taste_map(self, user: str, most: int = 150) -> TasteMap:
        """Return a user's stickers on a plane, see :meth:`persrv.Retriever.taste_map`; at most 300."""
        return self._do(calls.taste_map(user, most))

    def drop_style(self, user: str, number: int) -> list[StyleSummary]:
        """Take one style out of a user's taste, see :meth:`persrv.Retriever.drop_style`."""
        return self._do(calls.drop_style(user, number))

    def marks(self, user: str) -> dict[MarkKind, list[str]]:
        """Return what a user set apart, see :meth:`persrv.Retriever.marks`."""
        return self._do(calls.marks(user))

    def picks(self, user: str) -> list[Interaction]:
        """Return a user's interactions, see :meth:`persrv.Retriever.picks`."""
        return self._do(calls.picks(user))

    def export(self, user: str) -> dict[str, Any]:
        """Return all that is held of a user, see :meth:`persrv.Retriever.export`."""
        return self._do(calls.export(user))

    def forget(self, user: str) -> int:
        """Delete all that is held of a user, see :meth:`persrv.Retriever.forget`."""
        return self._do(calls.forget(user))

    def add(
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
        """Add stickers, see :meth:`persrv.Retriever.add`; ZIP and TAR archives of pictures are taken, too."""
        unread: list[Skipped] = []
        sent = additions(pictures, pack, tags, texts, language, rating, style, unread)
        return joined([self._do(call) for call in sent], unread)

    def remove(self, sticker_id: str) -> Sticker:
        """Take a sticker out of the collection, see :meth:`persrv.Retriever.remove`."""
        return self._do(calls.remove(sticker_id))

    def edit(self, sticker_id: str, field: str, phrases: Iterable[str], *, editor: str = "") -> Sticker:
        """Correct a sticker, see :meth:`persrv.Retriever.edit`."""
        return self._do(calls.edit(sticker_id, field, phrases, editor))

    def reset(self, sticker_id: str, field: str, *, editor: str = "") -> Sticker:
        """Give a field back to the sticker's sources, see :meth:`persrv.Retriever.reset`."""
        return self._do(calls.reset(sticker_id, field, editor))

    def thumbnail(self, sticker_id: str, size: int = 256) -> bytes:
        """Return a still WebP picture of a sticker; ``size`` is rounded up to 64, 128, 256 or 512 pixels.

        Raises:
            NotFoundError: There is no such sticker, or it has no picture.
        """
        return self._do(calls.thumbnail(sticker_id, size))

    def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _do(self, call: calls.ServiceCall[T]) -> T:
        try:
            response = self._http.request(call.method, call.path, **call.arguments(self._collection))
        except httpx.HTTPError as error:
            raise calls.unreachable(self._url, error) from error
        return call.result(response)

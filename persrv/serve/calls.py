"""The calls of a running service, as the clients make them: what is sent, and how the answer is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from persrv import errors
from persrv.catalog.marks import MarkKind
from persrv.errors import PersrvError, PictureError, ServiceError
from persrv.online.answer import Answer
from persrv.online.feedback import PickReceipt
from persrv.online.request import FilterValue
from persrv.online.taste_map import TasteMap
from persrv.ranking.profile import StyleProfile
from persrv.records import Interaction, PickKind, Sticker, StyleSummary
from persrv.serve.read_answers import (
    read_answer,
    read_export,
    read_pick,
    read_profile,
    read_receipt,
    read_sticker,
    read_styles,
    read_taste,
)

T = TypeVar("T")
_TYPE = "urn:persrv:error:"


@dataclass(frozen=True, slots=True)
class ServiceCall(Generic[T]):
    """One call.

    Attributes:
        method: HTTP method.
        path: From the service's address on.
        read: Makes the result of the answer's JSON.
        params: Of the query string.
        json: The body, ``None`` for none.
        files: Uploaded files: the name of the form's field, and each file's name and content.
        form: The form's other fields.
        binary: Whether the answer is no JSON; ``read`` gets its bytes then.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    files: Sequence[tuple[str, tuple[str, bytes]]] = ()
    form: Mapping[str, Any] = field(default_factory=dict)
    binary: bool = False

    def arguments(self, collection: str | None) -> dict[str, Any]:
        """Return what ``httpx`` sends."""
        given = {name: value for name, value in self.params.items() if value is not None}
        sent: dict[str, Any] = {"params": given | ({"collection": collection} if collection else {})}
        if self.json is not None:
            sent["json"] = self.json
        if self.files:
            sent |= {"files": list(self.files), "data": dict(self.form)}
        return sent

    def result(self, response: httpx.Response) -> T:
        """Return what the service answered.

        Raises:
            PersrvError: The one that it reports.
            ServiceError: The answer is none of persrv.
        """
        try:
            if response.is_success:
                return self.read(response.content if self.binary else response.json())
            problem = response.json()
            kind, detail, next_step = problem["type"], problem["detail"], problem["next_step"]
        except (ValueError, KeyError, TypeError) as error:
            raise ServiceError(
                f"{response.url.host} answered {response.status_code} with what no persrv says", "check the address"
            ) from error
        raise _error(str(kind), str(detail), str(next_step))


def unreachable(url: str, error: httpx.HTTPError) -> ServiceError:
    """Return the error for a service that does not answer."""
    return ServiceError(f"no service answers at {url}: {error}", "start one with persrv serve, or check the address")


def search(
    query: str,
    user: str | None,
    by: str,
    limit: int,
    offset: int,
    filters: Mapping[str, FilterValue] | None,
    explain: bool,
    gamma: float | None,
    cursor: str | None,
) -> ServiceCall[Answer]:
    """See :meth:`persrv.online.retriever.Retriever.search`."""
    params = {"q": query, "user": user, "by": by, "limit": limit, "offset": offset, "explain": explain, "gamma": gamma}
    params["cursor"] = cursor
    return ServiceCall("GET", "/v1/search", read_answer, params | dict(filters or {}))


def similar(
    sticker: str | Path | bytes, by: str, limit: int, offset: int, filters: Mapping[str, FilterValue] | None
) -> ServiceCall[Answer]:
    """See :meth:`persrv.online.retriever.Retriever.similar`."""
    params: dict[str, Any] = {"limit": limit, "offset": offset} | dict(filters or {})
    if isinstance(sticker, str):
        return ServiceCall("GET", "/v1/similar", read_answer, params | {"sticker_id": sticker, "by": by})
    try:
        content = sticker if isinstance(sticker, bytes) else sticker.read_bytes()
    except OSError as error:
        raise PictureError(f"{sticker!s} cannot be read: {error.strerror}", "check the file and its rights") from error
    return ServiceCall("POST", "/v1/similar", read_answer, params, files=[("picture", ("picture", content))])


def copies(sticker_id: str, limit: int) -> ServiceCall[list[Sticker]]:
    """See :meth:`persrv.online.retriever.Retriever.copies`."""
    path = f"{_sticker_path(sticker_id)}/copies"
    return ServiceCall("GET", path, lambda body: [read_sticker(each) for each in body["stickers"]], {"limit": limit})


def record(
    user: str, query: str, sticker_id: str, kind: PickKind, time: datetime | None, pick_id: str | None
) -> ServiceCall[PickReceipt]:
    """See :meth:`persrv.online.retriever.Retriever.record`."""
    body = {"user": user, "query": query, "sticker_id": sticker_id, "kind": kind}
    if time is not None:
        body["time"] = time.isoformat()
    if pick_id is not None:
        body["pick_id"] = pick_id
    return ServiceCall("POST", "/v1/share", read_receipt, {"profile": True}, json=body)


def profile(user: str) -> ServiceCall[StyleProfile]:
    """See :meth:`persrv.online.retriever.Retriever.profile`."""
    return ServiceCall("GET", "/v1/user/profile", read_profile, {"user": user})


def styles(user: str) -> ServiceCall[list[StyleSummary]]:
    """See :meth:`persrv.online.retriever.Retriever.styles`."""
    return ServiceCall("GET", "/v1/user", lambda body: read_styles(body["styles"]), {"user": user})


def taste_map(user: str, most: int) -> ServiceCall[TasteMap]:
    """See :meth:`persrv.online.retriever.Retriever.taste_map`."""
    return ServiceCall("GET", "/v1/user/taste", read_taste, {"user": user, "limit": most})


def drop_style(user: str, number: int) -> ServiceCall[list[StyleSummary]]:
    """See :meth:`persrv.online.retriever.Retriever.drop_style`."""
    path = f"/v1/user/styles/{number}"
    return ServiceCall("DELETE", path, lambda body: read_styles(body["styles"]), {"user": user})


def marks(user: str) -> ServiceCall[dict[MarkKind, list[str]]]:
    """See :meth:`persrv.online.retriever.Retriever.marks`."""
    return _exported(user, lambda body: dict(body["marks"]))


def picks(user: str) -> ServiceCall[list[Interaction]]:
    """See :meth:`persrv.online.retriever.Retriever.picks`."""
    return _exported(user, lambda body: [read_pick(user, pick) for pick in body["picks"]])


def export(user: str) -> ServiceCall[dict[str, Any]]:
    """See :meth:`persrv.online.retriever.Retriever.export`."""
    return _exported(user, read_export)


def forget(user: str) -> ServiceCall[int]:
    """See :meth:`persrv.online.retriever.Retriever.forget`."""
    return ServiceCall("DELETE", "/v1/user", lambda body: int(body["picks"]), {"user": user})


def thumbnail(sticker_id: str, size: int) -> ServiceCall[bytes]:
    """A still picture of a sticker."""
    return ServiceCall("GET", f"{_sticker_path(sticker_id)}/thumbnail", bytes, {"size": size}, binary=True)


def edit(sticker_id: str, field: str, phrases: Iterable[str], editor: str) -> ServiceCall[Sticker]:
    """See :meth:`persrv.online.retriever.Retriever.edit`."""
    return _correction(sticker_id, {"edits": {field: [*phrases]}}, editor)


def reset(sticker_id: str, field: str, editor: str) -> ServiceCall[Sticker]:
    """See :meth:`persrv.online.retriever.Retriever.reset`."""
    return _correction(sticker_id, {"reset": [field]}, editor)


def remove(sticker_id: str) -> ServiceCall[Sticker]:
    """See :meth:`persrv.online.retriever.Retriever.remove`."""
    return ServiceCall("DELETE", _sticker_path(sticker_id), lambda body: read_sticker(body["sticker"]))


def _correction(sticker_id: str, body: dict[str, Any], editor: str) -> ServiceCall[Sticker]:
    signed = body | ({"editor": editor} if editor else {})
    return ServiceCall("PATCH", _sticker_path(sticker_id), read_sticker, json=signed)


def _sticker_path(sticker_id: str) -> str:
    return f"/v1/stickers/{quote(sticker_id, safe='')}"


def _exported(user: str, read: Callable[[Any], T]) -> ServiceCall[T]:
    return ServiceCall("GET", "/v1/user/export", read, {"user": user})


def _error(kind: str, detail: str, next_step: str) -> PersrvError:
    found = getattr(errors, kind.removeprefix(_TYPE), None)
    known = found if isinstance(found, type) and issubclass(found, PersrvError) else ServiceError
    error = known.__new__(known)
    PersrvError.__init__(error, detail, next_step)  # some have a first line of their own, which is in `detail` already
    return error

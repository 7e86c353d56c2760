"""Who calls, and on which collection they may do what."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from persrv.errors import AccessError
from persrv.serve.keys import ApiKey, KeyFile, Right
from persrv.serve.metrics import Metrics
from persrv.serve.problems import UnauthorizedError
from persrv.serve.served import ServedCollection, ServedCollections
from persrv.serve.settings import ServeSettings

COOKIE = "persrv_key"
"""Holds the page's key, since pictures cannot be asked for with a header; scripts cannot read it."""

_EVERYTHING = ApiKey("this machine", "admin", (), "", "")
CollectionName = Annotated[
    str | None,
    Query(alias="collection", description="A collection; the first one where it is left out.", max_length=64),
]


class Service:
    """What every call needs.

    Attributes:
        settings: How the service runs.
        keys: Who may call.
        metrics: Its figures.
        collections: What it serves; there once the app has started.
    """

    collections: ServedCollections

    def __init__(self, settings: ServeSettings, keys: KeyFile, metrics: Metrics) -> None:
        self.settings = settings
        self.keys = keys
        self.metrics = metrics

    @property
    def open_to_this_machine(self) -> bool:
        """Whether calls need no key: there are none, and nobody else can reach the address."""
        return not self.keys.ring and self.settings.only_this_machine

    def caller(self, request: Request, *, in_query: bool = False) -> ApiKey:
        """Return what the caller's key is for.

        Args:
            request: Carries the key in ``Authorization: Bearer``, ``X-API-Key``, or the page's cookie.
            in_query: Whether ``?key=`` counts too.

        Raises:
            UnauthorizedError: No key, or an unknown one.
        """
        if self.open_to_this_machine:
            return _EVERYTHING
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        key = bearer if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        key = key or request.cookies.get(COOKIE, "") or (request.query_params.get("key", "") if in_query else "")
        if not key:
            raise UnauthorizedError("this service needs an API key", "send it as: Authorization: Bearer KEY")
        try:
            return self.keys.ring.find(key)
        except AccessError as error:
            raise UnauthorizedError(error.problem, error.next_step) from error

    def collection(self, caller: ApiKey, right: Right, name: str | None) -> ServedCollection:
        """Return a collection on which the caller may do this.

        Raises:
            AccessError: They may not; the text says nothing about collections that are not theirs.
            NotFoundError: It is not served here.
        """
        if name is None:
            name = next((known for known in self.collections.by_name if caller.may("read", known)), None)
        if not caller.may(right, name):
            what = f"{right} the collection {name!r}" if name else right
            raise AccessError(f"the key {caller.name!r} may not {what}", "use a key with more rights")
        return self.collections.get(name)


def service_of(request: Request) -> Service:
    """Return the app's service."""
    service: Service = request.app.state.service
    return service


def _with(right: Right, in_query: bool) -> Callable[..., Coroutine[Any, Any, ServedCollection]]:
    # Not a plain function: those run in a thread of their own, which costs more than all that is done here.
    async def checked(request: Request, collection: CollectionName = None) -> ServedCollection:
        service = service_of(request)
        return service.collection(service.caller(request, in_query=in_query), right, collection)

    return checked


async def _picture(request: Request, collection: CollectionName = None) -> ServedCollection:
    service = service_of(request)
    if service.settings.public_pictures:
        return service.collections.get(collection)
    return service.collection(service.caller(request, in_query=True), "read", collection)


Readable = Annotated[ServedCollection, Depends(_with("read", in_query=False))]
"""The collection that a call names, where its key may read it."""

Pictured = Annotated[ServedCollection, Depends(_picture)]
"""The same for pictures: the key may stand in the address, and none is needed where the settings say so."""

TenorReadable = Annotated[ServedCollection, Depends(_with("read", in_query=True))]
"""The same for calls in Tenor's form, whose keys stand in the address."""

TenorWritable = Annotated[ServedCollection, Depends(_with("write", in_query=True))]
"""The same for what Tenor's form writes."""

Writable = Annotated[ServedCollection, Depends(_with("write", in_query=False))]
"""The collection that a call names, where its key may write picks and what belongs to users."""

Changeable = Annotated[ServedCollection, Depends(_with("admin", in_query=False))]
"""The collection that a call names, where its key may change stickers."""

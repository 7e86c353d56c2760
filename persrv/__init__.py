"""Sticker search that learns each person's taste.

Build a collection once, then search it for somebody::

    from persrv import Retriever, build_collection

    build_collection("emoji")
    with Retriever.open("emoji") as retriever:
        answer = retriever.search("happy birthday", user="ann")
        retriever.record("ann", "happy birthday", answer[0].sticker_id)

Names are loaded when they are first used, so that importing persrv costs next to nothing.
"""

import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from persrv.errors import PersrvError
    from persrv.offline import BuildReport, build_collection
    from persrv.online.answer import Answer
    from persrv.online.asynchronous import AsyncRetriever
    from persrv.online.retriever import Retriever
    from persrv.recipe import Recipe
    from persrv.records import Hit, Interaction, Semantics, Sticker
    from persrv.serve.async_client import AsyncClient
    from persrv.serve.client import Client

_HOMES = {
    "Answer": "online.answer",
    "AsyncClient": "serve.async_client",
    "AsyncRetriever": "online.asynchronous",
    "BuildReport": "offline",
    "Client": "serve.client",
    "Hit": "records",
    "Interaction": "records",
    "PersrvError": "errors",
    "Recipe": "recipe",
    "Retriever": "online.retriever",
    "Semantics": "records",
    "Sticker": "records",
    "build_collection": "offline",
}

__all__ = [
    "Answer",
    "AsyncClient",
    "AsyncRetriever",
    "BuildReport",
    "Client",
    "Hit",
    "Interaction",
    "PersrvError",
    "Recipe",
    "Retriever",
    "Semantics",
    "Sticker",
    "build_collection",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'persrv' has no attribute {name!r}")
    found = getattr(_imported(f"persrv.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def _imported(module: str) -> Any:
    """Import a module while the collector of cycles rests.

    What an import makes stays, and going through it again and again as it grows takes a tenth of the time.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if collects:
            gc.enable()


def __dir__() -> list[str]:
    return sorted(__all__)

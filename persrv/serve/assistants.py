"""Tools for assistants that speak the Model Context Protocol: search, similar, pick."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

from mcp.server import MCPServer
from mcp.server.mcpserver import Image as PictureContent
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from persrv.errors import NotFoundError, PersrvError, PictureError
from persrv.images.decode import open_picture
from persrv.online.answer import Answer
from persrv.online.retriever import Retriever
from persrv.present.thumbnail import thumbnail
from persrv.records import Hit
from persrv.serve.client import Client

SIDE = 256
"""Pixels of a picture that an assistant sees."""

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
Limit = Annotated[int, Field(ge=1, le=10, description="Stickers to return.")]
User = Annotated[str, Field(description="For whom; their taste decides the order. Empty for nobody in particular.")]


def assistant_server(collection: Retriever | Client) -> MCPServer[Any]:
    """Return a server of tools for one collection; it answers with words and pictures.

    Args:
        collection: Open here, or a client of a running service; closed by whoever opened it.
    """
    server: MCPServer[Any] = MCPServer(
        "persrv", instructions="Finds stickers that say what somebody means, in the drawing styles that they like."
    )

    @server.tool(structured_output=False)
    @_explained
    def search(
        query: Annotated[
            str, Field(max_length=1000, description="Words, Chinese or emoji; empty for what is popular.")
        ],
        user: User = "",
        limit: Limit = 4,
    ) -> list[str | PictureContent]:
        """Find stickers for a feeling or a situation."""
        return _shown(collection, collection.search(query, user or None, limit=limit))

    @server.tool(structured_output=False)
    @_explained
    def similar(
        sticker_id: Annotated[str, Field(description="A sticker's id, as search gave it.")], limit: Limit = 4
    ) -> list[str | PictureContent]:
        """Find stickers like one."""
        return _shown(collection, collection.similar(sticker_id, limit=limit))

    @server.tool(structured_output=False)
    @_explained
    def pick(
        sticker_id: Annotated[str, Field(description="The sticker that was taken.")],
        user: Annotated[str, Field(min_length=1, description="Who took it.")],
        query: Annotated[str, Field(max_length=1000, description="What they had asked for.")] = "",
    ) -> str:
        """Say that somebody took a sticker, so that the next answers suit them better."""
        receipt = collection.record(user, query, sticker_id)
        return f"{user} took {receipt.sticker_id}; they have {len(receipt.profile.mass)} styles now"

    return server


def _explained(tool: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Let an assistant read what is wrong and what to do; of other failures it learns nothing."""

    @wraps(tool)
    def called(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        try:
            return tool(*args, **kwargs)
        except PersrvError as error:
            raise ToolError(str(error)) from error

    return called


def _shown(collection: Retriever | Client, answer: Answer) -> list[str | PictureContent]:
    content: list[str | PictureContent] = [answer.note] if answer.note else []
    for hit in answer:
        emoji = "".join(hit.payload.get("emoji", ()))
        content.append(f"{hit.rank}. {hit.title} {emoji} (sticker_id {hit.sticker_id})")
        picture = _picture(collection, hit)
        if picture is not None:
            content.append(picture)
    return content or ["no stickers"]


def _picture(collection: Retriever | Client, hit: Hit) -> PictureContent | None:
    try:
        if isinstance(collection, Client):
            return PictureContent(data=collection.thumbnail(hit.sticker_id, SIDE), format="webp")
        return None if hit.path is None else PictureContent(data=_still(hit.path), format="webp")
    except (NotFoundError, PictureError):
        return None


def _still(path: Path) -> bytes:
    buffer = io.BytesIO()
    thumbnail(open_picture(path), SIDE).save(buffer, "WEBP", quality=85)
    return buffer.getvalue()

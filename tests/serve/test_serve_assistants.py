"""``persrv mcp`` as an assistant runs it: a process, asked over its standard input."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import sys
from typing import Any

from mcp import ClientSession, StdioServerParameters, stdio_client
from PIL import Image

from running_service import running
from tiny_collection import Tiny


async def answers_of(tiny: Tiny, *arguments: str) -> dict[str, Any]:
    command = ["-m", "persrv", "mcp", *arguments]
    server = StdioServerParameters(
        command=sys.executable, args=command, env={**os.environ, "PERSRV_HOME": str(tiny.home)}
    )
    async with stdio_client(server) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        tools = {tool.name for tool in (await session.list_tools()).tools}
        found = await session.call_tool("search", {"query": "cat", "user": "ann", "limit": 2})
        first = found.content[0].text.split("sticker_id ")[1].rstrip(")")
        alike = await session.call_tool("similar", {"sticker_id": first, "limit": 3})
        taken = await session.call_tool("pick", {"sticker_id": first, "user": "kim", "query": "cat"})
        wrong = await session.call_tool("similar", {"sticker_id": "f" * 32})
        return {"tools": tools, "found": found, "alike": alike, "taken": taken, "wrong": wrong}


def check(answers: dict[str, Any]) -> None:
    assert answers["tools"] == {"search", "similar", "pick"}
    kinds = [part.type for part in answers["found"].content]
    assert kinds == ["text", "image", "text", "image"] and "1. cat" in answers["found"].content[0].text
    picture = Image.open(io.BytesIO(base64.b64decode(answers["found"].content[1].data)))
    assert (picture.format, picture.size) == ("WEBP", (256, 256))
    assert sum(part.type == "image" for part in answers["alike"].content) == 3
    assert "kim took" in answers["taken"].content[0].text
    assert answers["wrong"].is_error and "no sticker" in answers["wrong"].content[0].text


def test_an_assistant_finds_and_picks(tiny: Tiny) -> None:
    check(asyncio.run(answers_of(tiny, "-c", str(tiny.file))))
    with tiny.open() as retriever:
        assert [pick.query for pick in retriever.picks("kim")] == ["cat"]


def test_an_assistant_beside_a_running_service(tiny: Tiny) -> None:
    with running(tiny) as service:
        check(asyncio.run(answers_of(tiny, "-c", str(tiny.file), "--url", service.address)))

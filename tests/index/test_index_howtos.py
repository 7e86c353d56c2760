"""The requests that the how-to pages tell people to type are ones that Qdrant reads."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from qdrant_client import models as m

from persrv.index.schema import STICKER_PAYLOAD, USER_PAYLOAD
from repository import ROOT

PAGE = (ROOT / "docs" / "how-to" / "dashboard.md").read_text()
BODIES = {"query": m.QueryRequest, "scroll": m.ScrollRequest, "facet": m.FacetRequest}


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found
    return found


def keys(body: Any) -> set[str]:
    """Payload keys that a request filters on."""
    if isinstance(body, list):
        return {key for part in body for key in keys(part)}
    if not isinstance(body, dict):
        return set()
    return {str(body["key"])} | keys(list(body.values())) if "key" in body else keys(list(body.values()))


@pytest.mark.parametrize("block", blocks("json"))
def test_what_is_typed_into_the_tabs(block: str) -> None:
    body = json.loads(block)
    assert body["using"] == "image"
    assert set(body) <= {"using", "limit", "color_by", "filter", "sample", "tree"}
    m.Filter.model_validate(body.get("filter", {}))
    assert keys(body) <= set(STICKER_PAYLOAD) | set(USER_PAYLOAD)


@pytest.mark.parametrize("block", [block for block in blocks("json") if '"key": "tags"' in block])
def test_examples_find_something_in_the_shipped_set(block: str) -> None:
    (condition,) = json.loads(block)["filter"]["must"]
    lines = (ROOT / "collections" / "emoji" / "stickers.jsonl").read_text().splitlines()
    found = [line for line in map(json.loads, lines) if condition["match"]["value"] in line[condition["key"]]]
    assert len(found) >= 10


@pytest.mark.parametrize("picture", re.findall(r"!\[[^]]+\]\(([^)]+)\)", PAGE))
def test_pictures_are_there(picture: str) -> None:
    assert (ROOT / "docs" / "how-to" / picture).resolve().is_file()


@pytest.mark.parametrize("block", blocks("http"))
def test_what_is_typed_into_the_console(block: str) -> None:
    head, _, raw = block.partition("\n")
    body = json.loads(raw)
    BODIES[head.rpartition("/")[2]].model_validate(body)
    indexed = USER_PAYLOAD if "_users/" in head else STICKER_PAYLOAD
    assert keys(body) <= set(indexed)

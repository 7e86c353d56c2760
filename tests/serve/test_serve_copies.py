"""Near-duplicates: an answer has one of them and says how many more there are."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from copied_drawing import SIDES, copied_drawing
from persrv.errors import NotFoundError, QueryError
from served_tiny import serving
from tiny_collection import Tiny


def test_one_of_them_is_shown_and_the_others_are_listed(tiny: Tiny) -> None:
    with serving(tiny) as client:
        files = [("pictures", (f"quokka {side}.png", copied_drawing("teal")[i])) for i, side in enumerate(SIDES)]
        added = client.post("/v1/stickers", files=files).json()["added"]
        (hit,) = client.get("/v1/search", params={"q": "quokka"}).json()["hits"]
        assert (len(added), hit["copies"]) == (3, 2)
        others = client.get(f"/v1/stickers/{hit['sticker_id']}/copies").json()["stickers"]
        assert [sticker["id"] for sticker in others] == sorted({*added} - {hit["sticker_id"]})
        assert len(client.get(f"/v1/stickers/{hit['sticker_id']}/copies?limit=1").json()["stickers"]) == 1
        alone = client.get("/v1/search", params={"q": "coffee"}).json()["hits"]
        assert [each["copies"] for each in alone] == [0, 0, 0]
        assert client.get(f"/v1/stickers/{alone[0]['sticker_id']}/copies").json()["stickers"] == []
        client.delete(f"/v1/stickers/{others[0]['id']}")
        unsafe = {"edits": {"rating": ["unsafe"]}}
        assert client.get("/v1/search", params={"q": "quokka"}).json()["hits"][0]["copies"] == 1
        client.patch(f"/v1/stickers/{others[1]['id']}", json=unsafe)
        assert client.get(f"/v1/stickers/{hit['sticker_id']}/copies").json()["stickers"] == []


def test_the_retriever_lists_them_too(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        report = retriever.add(copied_drawing("brown"), texts={"name": ["numbat"]})
        (hit,) = retriever.search("numbat")
        assert hit.copies == 2 == retriever.search("numbat").as_dict()["hits"][0]["copies"]
        assert {hit.sticker_id, *(sticker.id for sticker in retriever.copies(hit.sticker_id[:20]))} == {
            sticker.id for sticker in report.stickers
        }
        with pytest.raises(NotFoundError):
            retriever.copies("f" * 32)
        with pytest.raises(QueryError, match="limit"):
            retriever.copies(hit.sticker_id, limit=0)


def test_no_search_reads_more_where_nothing_is_copied(client: TestClient) -> None:
    assert all(hit["copies"] == 0 for hit in client.get("/v1/trending", params={"limit": 30}).json()["hits"])

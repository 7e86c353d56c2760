from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from persrv.catalog.edits import EDITABLE
from persrv.serve.schemas import EditableField
from served_tiny import serving
from tiny_collection import Tiny


def test_a_correction_is_found_at_once(tiny: Tiny) -> None:
    with serving(tiny) as client:
        known = client.get("/v1/search", params={"q": "coffee"}).json()["hits"][0]["sticker_id"]
        body = {"edits": {"tags": ["espresso", " 浓缩 "], "rating": ["unsafe"]}, "editor": "ann"}
        now = client.patch(f"/v1/stickers/{known[:10]}", json=body).json()
        assert (now["texts"]["tags"], now["rating"], now["edited"]) == (
            ["espresso", "浓缩"],
            "unsafe",
            ["rating", "tags"],
        )
        client.patch(f"/v1/stickers/{known}", json={"reset": ["rating"]})
        found = client.get("/v1/search", params={"q": "espresso"}).json()
        assert (found["reason"], [hit["sticker_id"] for hit in found["hits"]]) == ("matched", [known])
        again = client.patch(f"/v1/stickers/{known}", json={"reset": ["tags"]}).json()
        assert again["texts"]["tags"] == ["coffee", "咖啡"] and again["edited"] == []
        assert client.get("/v1/search", params={"q": "espresso"}).json()["reason"] != "matched"


@pytest.mark.parametrize(
    "body",
    [
        {"edits": {"colour": ["red"]}},
        {"edits": {"rating": ["awful"]}},
        {"edits": {"language": ["en", "zh"]}},
        {"edits": {"tags": "happy"}},
        {"edits": {"tags": ["x"] * 201}},
        {"reset": ["colour"]},
        {"more": 1},
    ],
)
def test_impossible_corrections_are_refused_whole(client: TestClient, body: dict) -> None:
    known = client.get("/v1/trending").json()["hits"][0]["sticker_id"]
    assert client.patch(f"/v1/stickers/{known}", json=body).status_code == 422
    assert client.get(f"/v1/stickers/{known}").json()["edited"] == []


def test_every_editable_field_can_be_edited_here() -> None:
    assert set(EditableField.__args__) == set(EDITABLE)

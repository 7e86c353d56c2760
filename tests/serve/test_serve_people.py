from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from persrv.errors import RecipeError
from persrv.workspace import Workspace
from served_tiny import second, serving
from tiny_collection import Tiny


def pick(client: TestClient, user: str, query: str, sticker_id: str, **more: str) -> None:
    body = {"user": user, "query": query, "sticker_id": sticker_id} | more
    answer = client.post("/v1/share", json=body)
    assert answer.status_code == 201, answer.text


def test_a_pick_moves_the_next_answer(tiny: Tiny) -> None:
    with serving(tiny) as client:

        def styles(query: str) -> list[str]:
            hits = client.get("/v1/search", params={"q": query, "user": "new"}).json()["hits"]
            return [hit["payload"]["style"] for hit in hits]

        def taken(query: str, style: str) -> str:
            found = client.get("/v1/search", params={"q": query, "style": style}).json()
            return str(found["hits"][0]["sticker_id"])

        wanted = next(style for style in ("flat", "line", "soft") if style != styles("sleep")[0])
        for query in ("happy", "sad", "cat"):
            pick(client, "new", query, taken(query, wanted))
        assert styles("sleep")[0] == wanted
        own = client.get("/v1/users/new/stickers").json()["stickers"]
        assert [sticker["texts"]["tags"][0] for sticker in own] == ["cat", "sad", "happy"]
        assert client.get("/v1/users/new").json()["picks"] == 3


def test_export_and_forget(tiny: Tiny) -> None:
    with serving(tiny) as client:
        shown = [hit["sticker_id"] for hit in client.get("/v1/search", params={"q": "love"}).json()["hits"]]
        assert (
            client.post("/v1/impressions", json={"user": "new", "query": "love", "sticker_ids": shown}).status_code
            == 204
        )
        pick(client, "new", "love", shown[0], kind="favourite", time="2026-05-01T10:00:00+02:00")
        stored = client.get("/v1/users/new/export").json()
        assert [(p["query"], p["kind"], p["time"]) for p in stored["picks"]] == [
            ("love", "favourite", "2026-05-01T08:00:00Z")
        ]
        assert list(stored["impressions"][0]["shown"]) == shown and len(stored["styles"]) == 1
        assert client.delete("/v1/users/new").json() == {"user": "new", "picks": 1}
        assert client.get("/v1/users/new/export").json() == {
            "user": "new",
            "styles": [],
            "picks": [],
            "impressions": [],
        }


def test_impossible_picks_are_refused(client: TestClient) -> None:
    known = client.get("/v1/trending").json()["hits"][0]["sticker_id"]
    for body, status in (
        ({"user": "a", "sticker_id": "0" * 32}, 404),
        ({"user": " ", "sticker_id": known}, 422),
        ({"user": "a", "sticker_id": known, "kind": "simulated"}, 422),
        ({"user": "a", "sticker_id": known, "time": "2026-05-01T10:00:00"}, 400),
        ({"user": "a", "sticker_id": known, "more": 1}, 422),
    ):
        assert client.post("/v1/share", json=body).status_code == status, body


def test_users_are_listed_by_name(client: TestClient) -> None:
    assert client.get("/v1/users").json() == {"users": ["ann", "bo"]}
    assert client.get("/v1/users", params={"after": "ann", "limit": 1}).json() == {"users": ["bo"]}


def test_users_are_kept_as_keyed_hashes_where_the_recipe_says_so(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = second(tiny, "hashed", "[serve]\nhash_users = true\n")
    with pytest.raises(RecipeError, match="PERSRV_USER_KEY"), serving(tiny, hashed):
        pass
    monkeypatch.setenv("PERSRV_USER_KEY", "k" * 32)
    with serving(tiny, hashed) as client:
        known = client.get("/v1/trending").json()["hits"][0]["sticker_id"]
        body = {"user": "somebody", "query": "", "sticker_id": known}
        assert client.post("/v1/share", params={"collection": "hashed"}, json=body).json()["user"] == "somebody"
        assert client.get("/v1/users/somebody", params={"collection": "hashed"}).json()["picks"] == 1
        assert client.get("/v1/users/somebody").json()["picks"] == 0
    with Workspace.of(hashed, tiny.home).existing_catalog() as catalog:
        names = {summary.user for summary in catalog.users()} - {"ann", "bo"}
    assert len(names) == 1 and "somebody" not in names and len(names.pop()) == 32

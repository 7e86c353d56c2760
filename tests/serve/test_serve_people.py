from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from persrv.errors import RecipeError
from persrv.offline import build_collection
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
            "marks": {},
            "picks": [],
            "impressions": [],
            "edits": [],
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


def test_favourites_pins_and_hidden_ones(tiny: Tiny) -> None:
    with serving(tiny) as client:
        ids = [hit["sticker_id"] for hit in client.get("/v1/trending", params={"limit": 3}).json()["hits"]]

        def own(kind: str) -> list[str]:
            found = client.get("/v1/users/zoe/stickers", params={"kind": kind}).json()["stickers"]
            return [sticker["id"] for sticker in found]

        for known in ids:
            for kind in ("favourite", "favourite", "pin"):
                assert client.put(f"/v1/users/zoe/marks/{kind}/{known}").status_code == 204
        assert own("favourite") == own("pin") == own("recent") == ids[::-1]
        assert client.get("/v1/users/zoe").json()["picks"] == 3
        client.put(f"/v1/users/zoe/marks/hidden/{ids[1]}")
        client.delete(f"/v1/users/zoe/marks/favourite/{ids[2]}")
        assert (own("recent"), own("favourite"), own("hidden")) == ([ids[2], ids[0]], [ids[1], ids[0]], [ids[1]])
        assert client.put(f"/v1/users/zoe/marks/loved/{ids[0]}").status_code == 422
        marks = client.get("/v1/users/zoe/export").json()["marks"]
        assert marks == {"favourite": [ids[1], ids[0]], "pin": ids[::-1], "hidden": [ids[1]]}
        client.delete("/v1/users/zoe")
        assert client.get("/v1/users/zoe/export").json()["marks"] == {}


def test_a_style_that_is_not_mine_never_comes_back(tiny: Tiny) -> None:
    def taken(client: TestClient, query: str, style: str) -> str:
        found = client.get("/v1/search", params={"q": query, "style": style}).json()
        return str(found["hits"][0]["sticker_id"])

    def leading(client: TestClient) -> str:
        hits = client.get("/v1/search", params={"q": "sleep", "user": "zoe"}).json()["hits"]
        return str(hits[0]["payload"]["style"])

    queries = ("cat", "dog", "rain", "party", "sad", "love")
    with serving(tiny) as client:
        for query in queries:
            pick(client, "zoe", query, taken(client, query, "line"))
        for query in queries[:3]:
            pick(client, "zoe", query, taken(client, query, "flat"))
        assert leading(client) == "line"
        lines = {taken(client, query, "line") for query in queries}
        while True:
            points = client.get("/v1/users/zoe/taste").json()["points"]
            numbers = {p["style"] for p in points if p["sticker_id"] in lines and p["style"] is not None}
            flats = {p["style"] for p in points if p["sticker_id"] not in lines}
            if not numbers - flats:
                break
            left = client.delete(f"/v1/users/zoe/styles/{min(numbers - flats)}").json()
        assert left["picks"] == 9 and leading(client) == "flat"
        assert client.delete("/v1/users/zoe/styles/30").status_code == 404
    build_collection(tiny.file, home=tiny.home)
    with serving(tiny) as client:
        assert leading(client) == "flat"


def test_a_pick_with_an_id_counts_once(client: TestClient) -> None:
    known = client.get("/v1/trending").json()["hits"][0]["sticker_id"]
    body = {"user": "ida", "sticker_id": known, "pick_id": "message 1"}
    assert [client.post("/v1/share", json=body).json()["new"] for _ in range(2)] == [True, False]
    client.delete("/v1/users/ida")

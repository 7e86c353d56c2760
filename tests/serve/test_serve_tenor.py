from __future__ import annotations

import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from persrv.serve.keys import add_key
from served_tiny import bearer, serving
from tiny_collection import MEANINGS, Tiny

ASKED = {"key": "k", "client_key": "app", "locale": "en_US", "country": "US", "ar_range": "all"}


def get(client: TestClient, path: str, **params: object) -> dict:
    answer = client.get(f"/tenor/v2/{path}", params=ASKED | params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_search_as_apps_sent_it(client: TestClient) -> None:
    page = get(client, "search", q="cat", limit=2, media_filter="tinygif,nanowebp_transparent", contentfilter="medium")
    first = page["results"][0]
    assert set(first["media_formats"]) == {"tinygif", "nanowebp_transparent"}
    assert first["tags"][0] == "cat" and first["flags"] == ["sticker", "static"] and not first["hasaudio"]
    for name, kind, side in (("tinygif", "GIF", 256), ("nanowebp_transparent", "WEBP", 128)):
        media = first["media_formats"][name]
        image = Image.open(io.BytesIO(client.get(media["url"]).content))
        assert (image.format, list(image.size), media["dims"]) == (kind, [side, side], [side, side])


def test_pages_end_with_an_empty_next(client: TestClient) -> None:
    seen, pos = [], ""
    while True:
        page = get(client, "search", q="cat", limit=2, pos=pos)
        seen += [result["id"] for result in page["results"]]
        if not (pos := page["next"]):
            break
    assert len(seen) == len(set(seen)) == 3
    assert client.get("/tenor/v2/search", params={"q": "cat", "pos": "-1"}).status_code == 400


def test_the_other_calls(client: TestClient) -> None:
    assert len(get(client, "featured", limit=7)["results"]) == 7
    assert get(client, "autocomplete", q="cof")["results"] == ["coffee"]
    assert get(client, "search_suggestions", q="coffee")["results"] == []
    assert set(get(client, "trending_terms", limit=50)["results"]) >= set(MEANINGS)
    drawn = get(client, "random", limit=5)["results"]
    assert 1 <= len(drawn) <= 5
    assert {r["tags"][0] for r in get(client, "random", q="dog", limit=3)["results"]} == {"dog"}
    ids = [result["id"] for result in drawn]
    assert [result["id"] for result in get(client, "posts", ids=",".join(reversed(ids)))["results"]] == ids[::-1]
    assert get(client, "posts", ids="ffff,,zz")["results"] == []


@pytest.mark.parametrize(("contentfilter", "count"), [("off", 3), ("low", 2), ("medium", 2), ("high", 1)])
def test_content_filters(tiny: Tiny, contentfilter: str, count: int) -> None:
    with serving(tiny) as client:
        ids = [hit["sticker_id"] for hit in client.get("/v1/search?q=cat").json()["hits"]]
        for known, rating in zip(ids, ("unsafe", ""), strict=False):
            client.patch(f"/v1/stickers/{known}", json={"edits": {"rating": [rating]}})
        found = get(client, "search", q="cat", contentfilter=contentfilter)["results"]
        assert len(found) == count
        assert len(get(client, "search", q="cat", searchfilter="sticker,-static")["results"]) == 0


def test_a_share_teaches_where_it_says_whose(tiny: Tiny) -> None:
    with serving(tiny) as client:
        known = get(client, "search", q="cat")["results"][0]["id"]
        assert get(client, "registershare", id=known, q="cat") == {"status": "ok"}
        get(client, "registershare", id=known, q="cat", user="zoe")
        (pick,) = client.get("/v1/users/zoe/export").json()["picks"]
        assert (pick["query"], pick["sticker_id"], pick["kind"]) == ("cat", known, "send")


def test_keys_stand_in_the_address_and_pictures_may_be_public(tiny: Tiny) -> None:
    keys = {right: add_key(tiny.home / "keys.json", right, right, ()) for right in ("read", "write")}
    with serving(tiny, public_pictures=True) as client:
        found = client.get("/tenor/v2/search", params={"q": "cat", "key": keys["read"]}).json()["results"][0]
        assert client.get(found["media_formats"]["gif"]["url"]).status_code == 200
        share = {"id": found["id"], "q": "cat", "user": "zoe"}
        for key, status in (("", 401), ("wrong", 401), (keys["read"], 403), (keys["write"], 200)):
            assert client.get("/tenor/v2/registershare", params=share | {"key": key}).status_code == status
        picks = client.get("/v1/users/zoe/export", headers=bearer(keys["write"])).json()["picks"]
        assert len(picks) == 1

from __future__ import annotations

from collections.abc import Iterator

from fastapi.testclient import TestClient

from persrv.serve.keys import add_key
from served_tiny import bearer, serving
from tiny_collection import Tiny


def test_foreign_hosts_and_pages_are_refused(client: TestClient) -> None:
    body = {"user": "mallory", "sticker_id": "0" * 32}
    assert client.get("/v1/search", headers={"host": "evil.example"}).status_code == 403
    assert client.post("/v1/share", json=body, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post("/v1/share", json=body, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post("/v1/share", json=body, headers={"origin": "http://127.0.0.1"}).status_code == 404


def test_pages_of_other_hosts_read_nothing_unless_they_are_named(tiny: Tiny, client: TestClient) -> None:
    page = {"origin": "https://chat.example"}
    assert "access-control-allow-origin" not in client.get("/v1/search", headers=page).headers
    with serving(tiny, origins=("https://chat.example",)) as named:
        assert named.get("/v1/search", headers=page).headers["access-control-allow-origin"] == page["origin"]


def test_a_name_with_a_slash_stands_for_nobody_else(client: TestClient) -> None:
    """A service would take the path of ``ann/export`` for that of what is ann's."""
    client.post("/v1/share", json={"user": "ann", "sticker_id": ids_of(client)[0]})
    assert client.get("/v1/users/ann/export").json()["picks"]
    for name in ("ann%2Fexport", "ann%2fstickers"):
        refused = client.get(f"/v1/users/{name}")
        assert refused.status_code == 400 and "?user= of /v1/user" in refused.json()["next_step"]
        named = {"user": name.replace("%2F", "/").replace("%2f", "/")}
        assert client.get("/v1/user", params=named).json() == {**named, "picks": 0, "styles": []}
        assert client.delete("/v1/user", params=named).json() == {**named, "picks": 0}
    assert client.get("/v1/users/ann/export").json()["picks"]
    assert client.get("/v1/user").status_code == client.get("/v1/user", params={"user": ""}).status_code == 422
    assert client.get("/v1/search?q=cat%2Fdog").status_code == 200


def ids_of(client: TestClient) -> list[str]:
    return [hit["sticker_id"] for hit in client.get("/v1/search").json()["hits"]]


def test_bodies_are_bounded_however_they_come(tiny: Tiny) -> None:
    with serving(tiny, body_bytes=1000) as client:
        assert client.post("/v1/similar", files={"picture": b"x" * 2000}).status_code == 413

        def pieces() -> Iterator[bytes]:
            for _ in range(20):
                yield b"x" * 100

        answer = client.post("/v1/share", content=pieces(), headers={"content-type": "application/json"})
        assert answer.status_code == 413 and answer.json()["type"] == "urn:persrv:error:QueryError"


def test_a_caller_with_a_key_may_not_flood(tiny: Tiny) -> None:
    key = add_key(tiny.home / "keys.json", "chat", "read", ())
    with serving(tiny, rate=1.0, burst=3) as client:
        statuses = [client.get("/v1/search", headers=bearer(key)).status_code for _ in range(6)]
        assert statuses[:3] == [200] * 3 and 429 in statuses[3:]
        flooded = client.get("/v1/search", headers=bearer(key))
        assert flooded.status_code == 429 and flooded.headers["retry-after"] == "1"


def test_head_is_get_without_the_body(client: TestClient) -> None:
    known = ids_of(client)[0]
    for path in (
        "/",
        "/health",
        "/v1/search?q=cat",
        f"/v1/stickers/{known}/picture",
        f"/pictures/{known}.png",
        "/none",
    ):
        head, got = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-length"] == got.headers["content-length"]
    figures = client.get("/metrics").text
    assert any('"/v1/search"' in line and '"HEAD"' in line for line in figures.splitlines())
    # A GET that writes, as Tenor has one, is no HEAD; what else may be asked is said.
    assert client.head(f"/tenor/v2/registershare?id={known}").status_code == 405
    assert client.put("/health").headers["allow"] == "GET, HEAD"


def test_texts_are_compressed_for_other_machines(client: TestClient, own_tiny: Tiny) -> None:
    known = ids_of(client)[0]
    for path, packed in (("/v1/search", True), ("/page/main.js", True), (f"/v1/stickers/{known}/picture", False)):
        assert (client.get(path).headers.get("content-encoding") == "gzip") == packed, path
        assert client.get(path).content == client.get(path, headers={"accept-encoding": "identity"}).content
    here = TestClient(client.app, base_url="http://127.0.0.1", client=("127.0.0.1", 5))
    assert "content-encoding" not in here.get("/v1/search").headers


def test_answers_carry_security_headers(client: TestClient) -> None:
    headers = client.get("/v1/search").headers
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"] and headers["x-frame-options"] == "DENY"

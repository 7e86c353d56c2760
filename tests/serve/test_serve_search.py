from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from persrv.online import ranker
from persrv.online.answer import Answer
from persrv.online.cursor import LONGEST, MOST_COMING, MOST_SHOWN, Cursor
from persrv.serve.metrics import Metrics
from persrv.serve.schemas.answers import AnswerBody
from served_tiny import serving
from tiny_collection import Tiny


def ids(body: dict) -> list[str]:
    return [hit["sticker_id"] for hit in body["hits"]]


def test_an_answer_is_that_of_the_retriever(tiny: Tiny) -> None:
    def expected(answer: Answer) -> list[tuple]:
        return [(hit.sticker_id, hit.score, dict(hit.explanation.matched)) for hit in answer]

    searches = [
        ("happy", "ann", None),
        ("sad", "bo", 0.3),
        ("开心", None, None),
        ("", "ann", None),
        ("hapyy", "bo", 0.0),
    ]
    with tiny.open() as retriever:
        answers = [retriever.search(q, user, explain=True, gamma=gamma) for q, user, gamma in searches]
    with serving(tiny) as client:
        for (query, user, gamma), answer in zip(searches, answers, strict=True):
            params = {"q": query, "user": user, "gamma": gamma, "explain": True}
            body = client.get("/v1/search", params={k: v for k, v in params.items() if v is not None}).json()
            got = [(hit["sticker_id"], hit["score"], hit["explanation"]["matched"]) for hit in body["hits"]]
            assert got == expected(answer)
            assert {key: body[key] for key in ("reason", "note", "more", "personal")} == {
                "reason": answer.reason, "note": answer.note, "more": answer.more, "personal": answer.personal,
            }  # fmt: skip


def test_an_answer_has_what_its_schema_says_and_nothing_else(client: TestClient) -> None:
    for params in ({"q": "happy", "user": "ann", "explain": "true"}, {"q": ""}, {"q": "cat", "animated": "true"}):
        body = client.get("/v1/search", params=params).content
        AnswerBody.model_validate_json(body, strict=True, extra="forbid")


def test_an_answer_says_nothing_of_the_machine(client: TestClient, own_tiny: Tiny) -> None:
    assert str(own_tiny.home.parent) not in client.get("/v1/search", params={"q": "cat"}).text


def test_filters_narrow(client: TestClient) -> None:
    found = client.get("/v1/search", params={"q": "cat", "style": ["flat", "soft"]}).json()
    assert {hit["payload"]["style"] for hit in found["hits"]} == {"flat", "soft"}
    assert client.get("/v1/search", params={"q": "cat", "animated": "true"}).json()["reason"] == "filtered"


def test_more_like_a_sticker_and_like_a_picture(client: TestClient, own_tiny: Tiny) -> None:
    first = client.get("/v1/search", params={"q": "cat"}).json()["hits"][0]["sticker_id"]
    alike = client.get("/v1/similar", params={"sticker_id": first, "by": "look"}).json()
    assert first not in ids(alike) and len(ids(alike)) > 5
    picture = (own_tiny.file.parent / "stickers" / "flat" / "dog.png").read_bytes()
    found = client.post("/v1/similar", files={"picture": picture}).json()
    assert found["hits"][0]["payload"]["tags"][0] == "dog" and found["hits"][0]["payload"]["style"] == "flat"
    refused = client.post("/v1/similar", files={"picture": b"no picture"})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:persrv:error:PictureError")


def test_pages_stay_right_while_people_pick(tiny: Tiny) -> None:
    with serving(tiny) as client:
        seen: list[str] = []
        parameters = {"user": "ann", "limit": 4}
        page = client.get("/v1/search", params=parameters).json()
        while True:
            seen += ids(page)
            last = page["hits"][-1]["sticker_id"]
            assert client.post("/v1/share", json={"user": "ann", "sticker_id": last}).status_code == 201
            if not page["next"]:
                break
            page = client.get("/v1/search", params=parameters | {"cursor": page["next"]}).json()
        assert len(seen) == len(set(seen)) == 30
        assert client.get("/v1/search", params={"cursor": "nonsense"}).status_code == 400


@pytest.mark.parametrize(("call", "name"), [("/v1/search", "cursor"), ("/tenor/v2/search", "pos")])
def test_the_longest_cursor_is_taken(client: TestClient, call: str, name: str) -> None:
    longest = Cursor(bytes(8), 0, ("ab" * 16,) * MOST_SHOWN, ("cd" * 16,) * MOST_COMING).encode()
    refused = client.get(call, params={"q": "cat", name: longest})
    assert refused.status_code == 400 and "belongs to another search" in refused.json()["detail"]
    assert client.get(call, params={"q": "cat", name: "a" * (LONGEST + 1)}).status_code == 422


def test_trending_is_the_same_for_everybody(client: TestClient) -> None:
    body = client.get("/v1/trending", params={"limit": 5}).json()
    assert len(body["hits"]) == 5 and body["user"] is None and not body["personal"]


def test_random_stickers_are_listed_ones(client: TestClient) -> None:
    drawn = [client.get("/v1/random").json()["stickers"][0]["id"] for _ in range(30)]
    assert len(set(drawn)) > 3
    assert all(client.get(f"/v1/stickers/{known}").status_code == 200 for known in set(drawn))


def test_a_sticker_with_all_that_is_known(client: TestClient) -> None:
    known = client.get("/v1/search", params={"q": "coffee"}).json()["hits"][0]["sticker_id"]
    body = client.get(f"/v1/stickers/{known[:12]}").json()
    assert body["id"] == known and body["texts"]["tags"] == ["coffee", "咖啡"] and body["edited"] == []
    assert body["sources"][0]["source"].startswith("loader:")
    assert body["point"]["id"].replace("-", "") == known


@pytest.mark.parametrize(
    ("path", "status", "kind", "step"),
    [
        ("/v1/stickers/ffff", 404, "NotFoundError", "first digits"),
        ("/v1/search?collection=moon", 404, "NotFoundError", "tiny"),
        ("/v1/search?limit=0", 422, "QueryError", "openapi"),
        ("/v1/search?by=picture&q=cat", 400, "QueryError", "text tower"),
        ("/v1/search?user=%20", 422, "QueryError", "openapi"),
        ("/nowhere", 404, "NotFoundError", "openapi"),
    ],
)
def test_errors_are_problem_details_with_a_next_step(
    client: TestClient, path: str, status: int, kind: str, step: str
) -> None:
    answer = client.get(path)
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:persrv:error:{kind}" and step in body["next_step"]
    assert body["request_id"] == answer.headers["x-request-id"]


def test_what_is_served(client: TestClient) -> None:
    (collection,) = client.get("/v1/collections").json()["collections"]
    assert (collection["name"], collection["stickers"]) == ("tiny", 30)
    assert client.get("/health").json()["status"] == client.get("/ready").json()["status"] == "ok"


def test_figures_for_prometheus(client: TestClient) -> None:
    client.get("/v1/search", params={"q": "hapyy", "user": "somebody private"})
    text = client.get("/metrics").text
    assert 'persrv_answers_total{collection="tiny",reason="corrected"}' in text
    assert 'persrv_requests_total{method="GET",route="/v1/search",status="200"}' in text
    assert all(f'persrv_stage_seconds_count{{stage="{stage}"}}' in text for stage in ("search", "body"))
    assert 'persrv_index_info{build="' in text and "persrv_stickers" in text
    assert "private" not in text and 'persrv_pool_cuts_total{collection="tiny"}' not in text


def test_an_answer_that_nobody_proved_is_counted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    found = client.get("/v1/search", params={"q": "love", "user": "ann"}).json()
    assert found["cut"] is False
    monkeypatch.setattr(ranker, "DEEPEST", 0)
    monkeypatch.setattr(ranker, "CLUSTERED", 1)
    monkeypatch.setattr(ranker, "GROWTH", 1)
    assert client.get("/v1/search", params={"q": "love", "user": "ann"}).json()["cut"] is True
    assert 'persrv_pool_cuts_total{collection="tiny"} 1.0' in client.get("/metrics").text


def test_the_build_before_answers_no_more() -> None:
    metrics = Metrics()
    metrics.built("tiny", "one", 3)
    metrics.built("tiny", "two", 4)
    text = metrics.text().decode()
    assert 'build="one",collection="tiny"} 0.0' in text and 'build="two",collection="tiny"} 1.0' in text
    assert 'persrv_stickers{collection="tiny"} 4.0' in text

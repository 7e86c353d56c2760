from __future__ import annotations

import io
import zipfile

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from persrv.catalog.edits import EDITABLE
from persrv.serve.schemas.fields import EditableField
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


def test_stickers_come_and_go(tiny: Tiny) -> None:
    def png(colour: tuple[int, int, int]) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (40, 40), colour).save(buffer, "PNG")
        return buffer.getvalue()

    known = next((tiny.file.parent / "stickers" / "flat").glob("cat.png")).read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Sea/blue lobster.png", png((10, 20, 200)))
        archive.writestr("Sea/../../evil.png", png((1, 2, 3)))
    with serving(tiny) as client:
        files = [
            ("pictures", ("../../etc/red lobster.png", png((200, 20, 10)))),
            ("pictures", ("Zoo/cat.png", known)),
            ("pictures", ("broken.png", b"nothing")),
            ("pictures", ("sea.zip", buffer.getvalue())),
            ("pictures", ("empty.zip", b"")),
        ]
        report = client.post("/v1/stickers", files=files, data={"tags": ["crab"]}).json()
        assert (len(report["added"]), len(report["known"])) == (2, 1)
        assert {"broken.png", "empty.zip"} < {item["name"] for item in report["skipped"]} and len(
            report["skipped"]
        ) == 3
        found = client.get("/v1/search", params={"q": "lobster"}).json()["hits"]
        assert {hit["sticker_id"] for hit in found} == set(report["added"])
        assert {"etc", "Sea"} == {hit["payload"]["pack"][0] for hit in found}
        gone = report["added"][0]
        assert client.delete(f"/v1/stickers/{gone}").json()["removed"] == gone
        left = client.get("/v1/search", params={"q": "lobster"}).json()["hits"]
        assert [hit["sticker_id"] for hit in left] == report["added"][1:]
        assert client.delete(f"/v1/stickers/{gone}").status_code == 404


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


@pytest.mark.parametrize(
    "labels",
    [
        {"pack": "a\x00"},
        {"style": "a\nb"},
        {"language": "en\x00"},
        {"tags": ["\x1b[2J"]},
        {"rating": "nice"},
        {"texts": "[]"},
    ],
)
def test_stickers_are_added_with_plain_labels_only(client: TestClient, labels: dict) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20), "lime").save(buffer, "PNG")
    files = [("pictures", ("a lime.png", buffer.getvalue()))]
    assert client.post("/v1/stickers", files=files, data=labels).status_code == 422
    assert client.get("/v1/search", params={"q": "lime"}).json()["reason"] != "matched"

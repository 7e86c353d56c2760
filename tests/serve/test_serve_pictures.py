from __future__ import annotations

import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from served_tiny import serving
from tiny_collection import Tiny
from waiting import until


@pytest.fixture(scope="module")
def cat(client: TestClient) -> str:
    return str(client.get("/v1/search", params={"q": "cat"}).json()["hits"][0]["sticker_id"])


def test_the_picture_is_the_file(client: TestClient, own_tiny: Tiny, cat: str) -> None:
    answer = client.get(f"/v1/stickers/{cat}/picture")
    files = {file.read_bytes() for file in own_tiny.file.parent.glob("stickers/*/cat.png")}
    assert answer.content in files and answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"] and "sandbox" in answer.headers["content-security-policy"]


def test_a_known_picture_is_not_sent_again(client: TestClient, cat: str) -> None:
    first = client.get(f"/v1/stickers/{cat}/picture")
    again = client.get(f"/v1/stickers/{cat}/picture", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"/v1/stickers/{cat}/picture", headers={"if-none-match": '"other"'})
    assert other.status_code == 200


def test_a_part_of_a_picture(client: TestClient, cat: str) -> None:
    whole = client.get(f"/v1/stickers/{cat}/picture").content
    part = client.get(f"/v1/stickers/{cat}/picture", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert client.get(f"/v1/stickers/{cat}/picture", headers={"range": "bytes=999999-"}).status_code == 416


@pytest.mark.parametrize("wrong", ["bytes=5-2", "cats=1-2", "bytes=", "bytes=a-b", "5-9"])
def test_a_range_that_says_nothing_is_none(client: TestClient, cat: str, wrong: str) -> None:
    answer = client.get(f"/v1/stickers/{cat}/picture", headers={"range": wrong})
    assert (answer.status_code, answer.content) == (200, client.get(f"/v1/stickers/{cat}/picture").content)


@pytest.mark.parametrize("known", ["*", "{tag}", "W/{tag}", '"other", W/{tag}'])
def test_what_a_caller_has_is_not_sent_again(client: TestClient, cat: str, known: str) -> None:
    for path in (f"/v1/stickers/{cat}/picture", f"/v1/stickers/{cat}/thumbnail", "/", "/page/main.js"):
        header = known.format(tag=client.get(path).headers["etag"])
        assert client.get(path, headers={"if-none-match": header}).status_code == 304, path


@pytest.mark.parametrize(("wanted", "made"), [(1, 64), (64, 64), (100, 128), (512, 512)])
def test_thumbnails_come_in_four_sizes(client: TestClient, cat: str, wanted: int, made: int) -> None:
    answer = client.get(f"/v1/stickers/{cat}/thumbnail", params={"size": wanted})
    image = Image.open(io.BytesIO(answer.content))
    assert (image.format, image.size) == ("WEBP", (made, made))


def drawn(tiny: Tiny) -> int:
    """How many thumbnails of the page's size are kept."""
    return len([*(tiny.home / "tiny" / "thumbnails" / "256").glob("*/*.webp")])


def test_the_first_page_is_drawn_before_anybody_asks(tiny: Tiny) -> None:
    assert drawn(tiny) == 0
    with serving(tiny) as client:
        shown = len(client.get("/v1/search", params={"limit": 40}).json()["hits"])
        until(lambda: drawn(tiny) == shown == 30)


def test_animations_have_still_and_moving_thumbnails(tiny: Tiny) -> None:
    frames = [Image.new("RGBA", (60, 30), (40 * i, 90, 250 - 40 * i, 255)) for i in range(5)]
    file = tiny.file.parent / "stickers" / "flat" / "wobble.gif"
    frames[0].save(file, save_all=True, append_images=frames[1:], duration=50)
    from persrv.offline import build_collection

    build_collection(tiny.file, home=tiny.home)
    with serving(tiny) as client:
        known = client.get("/v1/search", params={"q": "wobble"}).json()["hits"][0]["sticker_id"]
        still = Image.open(io.BytesIO(client.get(f"/v1/stickers/{known}/thumbnail").content))
        moving = Image.open(io.BytesIO(client.get(f"/v1/stickers/{known}/thumbnail?animated=true").content))
        assert (getattr(still, "n_frames", 1), moving.n_frames, moving.size) == (1, 5, (256, 256))
        until(lambda: drawn(tiny) == 31)
        file.unlink()
        for kept in (tiny.home / "tiny" / "thumbnails").rglob("*.webp"):
            kept.unlink()
        gone = client.get(f"/v1/stickers/{known}/picture"), client.get(f"/v1/stickers/{known}/thumbnail")
        assert [answer.status_code for answer in gone] == [404, 404]
        assert "put its file back" in gone[0].json()["next_step"]


def test_points_carry_addresses_that_this_service_answers(client: TestClient, own_tiny: Tiny) -> None:
    hits = client.get("/v1/search", params={"q": "cat"}).json()["hits"]
    for hit in hits:
        address = hit["payload"]["image_url"]
        assert address == f"http://127.0.0.1:8000/pictures/{hit['sticker_id']}.png"
        answer = client.get(address.removeprefix("http://127.0.0.1:8000"))
        assert answer.content == client.get(hit["picture"]).content
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        still = client.get(f"/pictures/{hit['sticker_id']}.webp")
        assert Image.open(io.BytesIO(still.content)).format == "WEBP"
    assert client.get(f"/pictures/{'0' * 32}.png").status_code == client.get("/pictures/x.png").status_code == 404

from __future__ import annotations

import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from persrv.present.embedding import LARGEST, SIDE, embedded


def content(uri: str) -> tuple[str, bytes]:
    head, _, body = uri.partition(";base64,")
    return head, b64decode(body, validate=True)


def test_a_small_file_is_embedded_as_it_is(still: Path) -> None:
    found = embedded(still)
    assert found is not None
    assert content(found.uri) == ("data:image/png", still.read_bytes())
    assert found.still == ""


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_the_type_is_the_contents_whatever_the_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.html"
    Image.new("RGB", (8, 8), "red").save(path, kind)
    found = embedded(path)
    assert found is not None
    assert content(found.uri)[0] == f"data:image/{kind}"


def test_a_moving_picture_brings_a_still_that_shows_something(moving: Path) -> None:
    found = embedded(moving)
    assert found is not None
    assert content(found.uri) == ("data:image/webp", moving.read_bytes())
    with Image.open(io.BytesIO(content(found.still)[1])) as image:
        assert not getattr(image, "is_animated", False)
        assert np.asarray(image.convert("RGBA"))[..., 3].max() == 255


def test_a_large_file_becomes_a_thumbnail(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 300, 3), np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    assert path.stat().st_size > LARGEST
    found = embedded(path)
    assert found is not None
    kind, data = content(found.uri)
    assert kind == "data:image/webp"
    assert len(data) < LARGEST
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (SIDE, SIDE)


def test_nothing_is_embedded_of_what_is_no_picture(tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    page.write_text("<html onload='alert(1)'></html>")
    bomb = tmp_path / "bomb.png"
    Image.new("1", (9000, 9000)).save(bomb)
    assert bomb.stat().st_size < LARGEST
    for path in (None, tmp_path / "missing.png", tmp_path, page, bomb):
        assert embedded(path) is None

"""Pictures for the dashboard: what it draws is linked, of all else it gets a still picture under the same address."""

from __future__ import annotations

from pathlib import Path

import pytest
from lottie_files import lottie, tgs
from picture_files import encoded, solid
from PIL import Image
from video_files import video

from persrv import Retriever, build_collection
from persrv.offline.pictures import export_pictures

DRAWN = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".svg")
"""Endings that the dashboard of Qdrant 1.19 draws."""


def test_every_sticker_has_an_address_that_the_dashboard_draws(tmp_path: Path) -> None:
    pics = tmp_path / "pics"
    pics.mkdir()
    (pics / "wave.tgs").write_bytes(tgs(lottie()))
    (pics / "jump.webm").write_bytes(video([solid((200, 0, 0)), solid((0, 0, 200))]))
    (pics / "fox.bmp").write_bytes(encoded(Image.fromarray(solid((10, 200, 30))).convert("RGB"), "BMP"))
    (pics / "cat.webp").write_bytes(encoded(Image.fromarray(solid((90, 20, 130))), "WEBP"))
    recipe = tmp_path / "moving.toml"
    recipe.write_text(
        'name = "moving"\n[stickers]\nloader = "folder"\npath = "pics"\n'
        '[index]\nimage_base_url = "http://127.0.0.1:8000"\n'
    )
    home, shown = tmp_path / "home", tmp_path / "shown"
    build_collection(recipe, home=home)
    assert export_pictures(recipe, shown, home=home) == (4, [])
    with Retriever.open(recipe, home=home) as retriever:
        addresses = {hit.title: str(hit.payload["image_url"]) for hit in retriever.search("")}
    assert sorted(addresses) == ["cat", "fox", "jump", "wave"]
    for title, address in addresses.items():
        assert address.endswith(DRAWN), title
        file = shown / address.removeprefix("http://127.0.0.1:8000/")
        with Image.open(file) as picture:
            assert picture.size == ((30, 20) if title == "cat" else (320, 320))
    colours = Image.open(shown / addresses["jump"].rpartition("/")[2]).convert("RGB").getpixel((160, 160))
    assert colours == pytest.approx((200, 0, 0), abs=25)

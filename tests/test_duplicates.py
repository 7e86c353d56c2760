from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from persrv.build import build_collection
from persrv.catalog import sticker_id_of
from persrv.duplicates import Thumbprint, duplicate_groups
from persrv.images.decode import open_picture
from tiny_collection import Tiny

EMOJI = Path(__file__).resolve().parent.parent / "collections" / "emoji"


def thumbprint(image: Image.Image, **how: object) -> np.ndarray:
    saved = io.BytesIO()
    image.save(saved, **({"format": "PNG"} | how))
    return Thumbprint().encode([open_picture(saved.getvalue())])[0]


def with_margin(image: Image.Image) -> Image.Image:
    wider = Image.new("RGBA", (image.width + 30, image.height + 50))
    wider.paste(image, (11, 7))
    return wider


@pytest.mark.parametrize("name", ["twemoji/1f602.webp", "noto/1f431.webp", "openmoji/2764.webp"])
def test_copies_are_linked_whatever_their_format_and_margin(name: str) -> None:
    image = Image.open(EMOJI / name).convert("RGBA")
    prints = [thumbprint(image), thumbprint(with_margin(image)), thumbprint(image, format="WEBP", quality=50)]
    assert duplicate_groups(["c", "a", "b"], np.stack(prints)) == {"a": "a", "b": "a", "c": "a"}


def test_other_colours_and_other_mouths_are_not_linked() -> None:
    names = ["2764", "1f49a", "1f49b", "1f642", "1f641", "1f610"]
    prints = [thumbprint(Image.open(EMOJI / f"twemoji/{name}.webp").convert("RGBA")) for name in names]
    assert duplicate_groups(names, np.stack(prints)) == {}


def test_nothing_to_compare() -> None:
    assert duplicate_groups([], np.zeros((0, 1024))) == {}
    assert duplicate_groups(["a"], np.ones((1, 1024))) == {}
    assert Thumbprint().encode([]).shape == (0, 1024)


def test_links_are_followed_and_named_by_the_smallest_id() -> None:
    steps = np.linspace(0.0, 0.03, 3)
    rows = np.tile(np.linspace(0, 1, 1024), (3, 1)) + steps[:, None]
    assert duplicate_groups(["z", "y", "x"], rows) == {"x": "x", "y": "x", "z": "x"}


def test_a_search_shows_near_duplicates_once(tiny: Tiny) -> None:
    original = tiny.file.parent / "stickers" / "flat" / "cat.png"
    copy = original.with_name("copy.webp")
    Image.open(original).save(copy, lossless=True)
    copy.with_suffix(".json").write_text('{"tags": ["cat"], "style": "flat"}')
    build_collection(tiny.file, home=tiny.home)
    with tiny.open() as retriever:
        assert retriever.manifest.stickers == 31
        answer = retriever.search("cat", limit=30)
        shown = {hit.sticker_id for hit in answer}
        assert len(shown & {sticker_id_of(original), sticker_id_of(copy)}) == 1
        assert len(answer) == 3
        pages = [hit.sticker_id for offset in range(4) for hit in retriever.search("cat", limit=1, offset=offset)]
        assert pages == [hit.sticker_id for hit in answer]

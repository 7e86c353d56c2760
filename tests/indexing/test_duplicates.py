from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from persrv.catalog import VectorCache
from persrv.images.decode import open_picture
from persrv.images.duplicates import PerceptualHash, duplicate_groups
from persrv.indexing import duplicates as module
from persrv.indexing.duplicates import Duplicates


def drawing(number: int, size: int = 96) -> Image.Image:
    image = Image.new("RGBA", (384, 384))
    draw = ImageDraw.Draw(image)
    rng = np.random.default_rng(number)
    for _ in range(4):
        x, y = rng.integers(20, 200, 2).tolist()
        shade = tuple(rng.integers(0, 200, 3).tolist())
        draw.ellipse((x, y, x + 60 + 20 * number, y + 150), fill=shade)
    return image.resize((size, size), Image.Resampling.BOX)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def name(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
def hashes(tmp_path: Path) -> VectorCache:
    return VectorCache(tmp_path, PerceptualHash.name, PerceptualHash.revision, PerceptualHash.dimension)


def put(hashes: VectorCache, pictures: dict[str, Image.Image]) -> None:
    rows = PerceptualHash().encode([open_picture(png(picture)) for picture in pictures.values()])
    hashes.append([*pictures], rows)


ORIGINALS = {name(10 + i): drawing(i) for i in range(5)}
COPIES = {name(20 + i): drawing(i, 144) for i in range(5)}


def test_all_at_once_is_what_a_comparison_of_all_says(hashes: VectorCache) -> None:
    put(hashes, ORIGINALS | COPIES)
    ids = [*ORIGINALS, *COPIES]
    groups = Duplicates(hashes).groups(ids)
    assert groups == duplicate_groups(ids, hashes.get)
    assert groups == {name(ten + i): name(10 + i) for i in range(5) for ten in (10, 20)}
    assert Duplicates(hashes).groups([*ids, name(99)]) == groups


def test_new_pictures_join_groups_that_keep_their_names(hashes: VectorCache, monkeypatch: pytest.MonkeyPatch) -> None:
    put(hashes, ORIGINALS | COPIES)
    before = Duplicates(hashes).groups([*ORIGINALS, *COPIES])
    # A smaller id than that of all others, and one picture like no other.
    put(hashes, {name(1): drawing(2, 120), name(2): drawing(77)})
    compared: list[int] = []
    links_among = module.links_among
    monkeypatch.setattr(
        module, "links_among", lambda pairs, rows: compared.append(len(pairs)) or links_among(pairs, rows)
    )
    ids = [*ORIGINALS, *COPIES, name(1), name(2)]
    assert Duplicates(hashes).groups(ids) == before | {name(1): name(12)}
    assert sum(compared) <= 4
    assert Duplicates(hashes).groups(ids) == before | {name(1): name(12)}
    assert len(compared) == 1


def test_who_is_gone_names_no_group(hashes: VectorCache) -> None:
    put(hashes, ORIGINALS | COPIES)
    put(hashes, {name(30): drawing(0, 120)})
    Duplicates(hashes).groups([*ORIGINALS, *COPIES, name(30)])
    without = Duplicates(hashes).groups([*COPIES, name(30)])
    assert without == {name(20): name(20), name(30): name(20)}
    assert Duplicates(hashes).groups([name(10)]) == {}
    assert Duplicates(hashes).groups([]) == {}


def test_a_comparison_that_was_killed_is_made_again(hashes: VectorCache, monkeypatch: pytest.MonkeyPatch) -> None:
    put(hashes, ORIGINALS | COPIES)
    ids = [*ORIGINALS, *COPIES]
    whole = duplicate_groups(ids, hashes.get)

    def killed(self: VectorCache, *_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(VectorCache, "append", killed)
        Duplicates(hashes).groups(ids)
    (links,) = hashes.folder.glob("*.links")
    links.write_bytes(links.read_bytes()[:-40])
    assert Duplicates(hashes).groups(ids) == whole
    assert Duplicates(hashes).groups(ids) == whole


def test_every_picture_is_counted(hashes: VectorCache) -> None:
    put(hashes, ORIGINALS)
    done: list[int] = []
    Duplicates(hashes).groups([*ORIGINALS], done.append)
    assert sum(done) == len(ORIGINALS)

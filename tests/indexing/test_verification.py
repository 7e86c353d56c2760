"""Every point of an index is compared with what the catalog says, and whatever differs is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from persrv.errors import CatalogError, IndexMismatchError, PictureError, VectorIndexError
from persrv.index.engine import Collection
from persrv.index.language import Point
from persrv.index.schema import centroid_id
from persrv.indexing.progress import Silent
from persrv.indexing.soundness import LOOKS, look_at_contents, look_at_index_contents, look_at_vectors
from persrv.indexing.verification import same_point
from persrv.offline import build_collection
from persrv.workspace import Workspace
from tiny_collection import Tiny


@contextmanager
def index(tiny: Tiny, users: bool = False) -> Any:
    workspace = Workspace.of(tiny.file, tiny.home)
    store = workspace.store()
    try:
        with store.open(workspace.users_name if users else workspace.recipe.name) as collection:
            yield collection
    finally:
        store.close()


def changed(collection: Collection, change: Callable[[Point], Point]) -> None:
    """Write the first point otherwise."""
    record = next(iter(collection.scroll(None, collection.schema.vectors)))
    collection.upsert([change(Point(record.id, dict(record.vectors), dict(record.payload)))])


def refused(tiny: Tiny, problem: str) -> None:
    with pytest.raises(VectorIndexError, match=problem) as raised:
        look_at_index_contents(Workspace.of(tiny.file, tiny.home), Silent())
    assert raised.value.next_step == "run persrv build -c tiny --rebuild"


def test_a_sound_collection_passes_every_look(tiny_built: Tiny, tmp_path: Path) -> None:
    copy = tiny_built.copied(tmp_path / "copy")
    build_collection(copy.file, home=copy.home)  # the pictures of the copy lie elsewhere
    workspace = Workspace.of(copy.file, copy.home)
    findings = {name: look(workspace, Silent()) for name, look in LOOKS.items()}
    assert findings["index contents"].startswith("30 points")
    assert findings["contents"].startswith("30 pictures")
    # What changed since the points were made waits, and is no finding.
    with workspace.existing_catalog() as catalog:
        catalog.edit(next(iter(catalog.stickers())).id, "tags", ["changed"], "ann")
    assert "29 points" in look_at_index_contents(workspace, Silent())


def test_changed_missing_and_unlisted_points_are_found(tiny: Tiny) -> None:
    with index(tiny) as stickers:
        record = next(iter(stickers.scroll(None, stickers.schema.vectors)))
    right = Point(record.id, dict(record.vectors), dict(record.payload))
    wrong = replace(right, payload=dict(right.payload) | {"utility": 0.77})
    unlisted = replace(right, id=centroid_id("nobody", 7))
    for written, deleted in (([wrong], []), ([], [right.id]), ([right, unlisted], [])):
        with index(tiny) as stickers:
            stickers.upsert(written)
            stickers.delete(deleted)
        refused(tiny, "1 points differ")
    with index(tiny) as stickers:
        stickers.delete([unlisted.id])
    assert look_at_index_contents(Workspace.of(tiny.file, tiny.home), Silent()).startswith("30 points")


def test_points_are_the_same_but_for_rounding(tiny_built: Tiny, tmp_path: Path) -> None:
    with index(tiny_built.copied(tmp_path / "copy")) as stickers:
        record = next(iter(stickers.scroll(None, stickers.schema.vectors)))
    point = Point(record.id, dict(record.vectors), dict(record.payload))
    assert same_point(point, record)
    assert not same_point(point, None)
    image = list(record.vectors["image"])
    assert same_point(replace(point, vectors=dict(point.vectors) | {"image": [x + 1e-6 for x in image]}), record)
    assert not same_point(replace(point, vectors=dict(point.vectors) | {"image": [-x for x in image]}), record)
    assert not same_point(replace(point, payload=dict(point.payload) | {"title": "other"}), record)
    text = record.vectors["text"]
    louder = text._replace(values=[2 * value for value in text.values])
    assert not same_point(replace(point, vectors=dict(point.vectors) | {"text": louder}), record)
    assert not same_point(replace(point, vectors={"image": image}), record)


def test_styles_that_no_pick_gives_are_found(tiny: Tiny) -> None:
    with index(tiny, users=True) as users:
        changed(
            users, lambda point: replace(point, id=centroid_id("eve", 0), payload=dict(point.payload) | {"user": "eve"})
        )
    refused(tiny, "1 users' styles")


def test_a_style_that_stands_under_another_id_is_found(tiny: Tiny) -> None:
    with index(tiny, users=True) as users:
        before = next(iter(users.scroll()))
        changed(users, lambda point: replace(point, id=centroid_id(str(point.payload["user"]), 7)))
        users.delete([before.id])
    refused(tiny, "1 users' styles")


def test_a_style_that_lost_its_vector_is_found(tiny: Tiny) -> None:
    with index(tiny, users=True) as users:
        changed(users, lambda point: replace(point, vectors={}))
    refused(tiny, "1 users' styles")


def test_damaged_vectors_links_fits_and_pictures_are_found(tiny: Tiny) -> None:
    workspace = Workspace.of(tiny.file, tiny.home)
    fit = next((workspace.folder / "fits").glob("*/vectors.npy"))
    content = bytearray(fit.read_bytes())
    content[-1] ^= 1
    fit.write_bytes(bytes(content))
    with pytest.raises(IndexMismatchError, match=r"vectors.npy is not what was written; run persrv build --rebuild"):
        look_at_index_contents(workspace, Silent())
    vectors = next((workspace.folder / "vectors").glob("statistics*.f16"))
    vectors.write_bytes(vectors.read_bytes()[::-1])
    with pytest.raises(CatalogError, match=r"30 vectors in .* are damaged; run persrv repair -c tiny"):
        look_at_vectors(workspace, Silent())
    picture = next((tiny.file.parent / "stickers").rglob("*.png"))
    picture.write_bytes(b"other")
    with pytest.raises(PictureError, match=re.escape(str(picture))):
        look_at_contents(workspace, Silent())

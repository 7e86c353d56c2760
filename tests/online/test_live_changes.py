"""A collection that changes while it is searched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine, event

from built_collection import points
from persrv import AsyncRetriever, Retriever, build_collection
from persrv.errors import NotFoundError, QueryError
from persrv.indexing.beside import build_beside
from persrv.indexing.fit import Fit
from persrv.indexing.progress import Silent
from persrv.indexing.vector_sources import open_vectors
from persrv.workspace import Workspace
from tiny_collection import Tiny
from waiting import until

WORD = "zebra"


def ids(retriever: Retriever, query: str) -> list[str]:
    return [hit.sticker_id for hit in retriever.search(query, limit=40)]


def like_from_nothing(tiny: Tiny) -> None:
    """The index holds what a build from nothing with the same fit would, as far as rounding goes."""
    before = points(tiny.file, tiny.home)
    workspace = Workspace.of(tiny.file, tiny.home)
    with workspace.catalog() as catalog, open_vectors(workspace) as sources, closing(workspace.store()) as store:
        manifest = store.manifest(workspace.recipe.name)
        assert manifest is not None
        fit = Fit.load(catalog.index_fit(manifest.vocabulary), workspace)
        build_beside(workspace, catalog, sources, store, Silent(), fit)
    after = points(tiny.file, tiny.home)
    assert before.keys() == after.keys()
    for key, point in after.items():
        for name, value in point["payload"].items():
            close = pytest.approx(value, abs=1e-6) if isinstance(value, float) else value
            assert before[key]["payload"][name] == close


def test_an_edit_is_found_at_once_and_what_it_replaced_is_not(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        cat = ids(retriever, "cat")[0]
        assert retriever.search(WORD).reason == "unmatched"
        assert retriever.edit(cat, "tags", [WORD]).semantics.tags == (WORD,)
        assert ids(retriever, WORD) == [cat]
        assert retriever.search(WORD)[0].payload["tags"] == [WORD]
        retriever.edit(cat, "tags", ["okapi"])
        assert (retriever.search(WORD).reason, ids(retriever, "okapi")) == ("unmatched", [cat])
        retriever.reset(cat, "tags")
        assert retriever.search("okapi").reason == "unmatched"


def test_async_edits(tiny: Tiny) -> None:
    async def edit() -> list[str]:
        async with AsyncRetriever.open(tiny.file, home=tiny.home) as retriever:
            cat = (await retriever.search("cat"))[0].sticker_id
            await retriever.edit(cat, "tags", [WORD])
            found = [hit.sticker_id for hit in await retriever.search(WORD)]
            await retriever.reset(cat, "tags")
            return [*found, *(hit.sticker_id for hit in await retriever.search(WORD) if hit.payload["tags"] == [WORD])]

    assert len(asyncio.run(edit())) == 1


def picture(seed: int) -> bytes:
    image = Image.effect_noise((48, 48), 40 + seed)
    file = BytesIO()
    image.save(file, "png")
    return file.getvalue()


def test_an_added_picture_is_found_at_once_and_stays_after_builds(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        report = retriever.add([picture(1), b"no picture"], pack="new pack", tags=[WORD], texts={"name": ["stripes"]})
        (added,) = report.stickers
        assert [item.reason for item in report.skipped] != []
        assert ids(retriever, WORD) == ids(retriever, "stripes") == [added.id]
        hit = retriever.search(WORD)[0]
        assert (hit.payload["pack"], hit.path) == (["new pack"], added.path)
        assert retriever.similar(added.id, by="look", limit=3).hits
    report_of_build = build_collection(tiny.file, home=tiny.home)
    assert (report_of_build.removed, report_of_build.encoded) == (0, 0)
    like_from_nothing(tiny)
    with tiny.open() as retriever:
        assert ids(retriever, WORD) == [added.id]


def test_a_removed_sticker_is_gone_at_once_and_its_source_does_not_bring_it_back(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        cat = ids(retriever, "cat")[0]
        path = retriever.remove(cat).path
        assert cat not in ids(retriever, "cat")
        with pytest.raises(NotFoundError):
            retriever.remove(cat)
    build_collection(tiny.file, home=tiny.home)
    like_from_nothing(tiny)
    with tiny.open() as retriever:
        assert cat not in ids(retriever, "cat")
        assert path is not None
        assert [sticker.id for sticker in retriever.add([path], tags=[WORD]).stickers] == [cat]
        assert ids(retriever, WORD) == [cat]
        kept = retriever.remove(cat).path
        assert kept is not None and not kept.exists()


@pytest.mark.parametrize("described", [{"texts": {"queries": ["x"]}}, {"texts": {"name": "x"}}, {"rating": "good"}])
def test_what_an_added_picture_cannot_have(tiny_built: Tiny, described: dict[str, Any]) -> None:
    with tiny_built.open() as retriever, pytest.raises(QueryError):
        retriever.add([], **described)


def test_a_pick_shows_in_the_sticker_within_a_second(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        hit = retriever.search("rain")[0]
        retriever.record("new", "drizzle", hit.sticker_id)
        retriever.record("newer", "drizzle", hit.sticker_id)
        until(lambda: ids(retriever, "drizzle") == [hit.sticker_id])
        now = retriever.search("drizzle")[0]
        assert now.payload["picks"] == hit.payload["picks"] + 2
        assert now.payload["utility"] > hit.payload["utility"]


def test_what_is_waiting_at_the_end_is_written(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        rain = retriever.search("rain")[0].sticker_id
        retriever.record("new", "drizzle", rain)
        retriever.record("newer", "drizzle", rain)
    with tiny.open() as retriever:
        assert ids(retriever, "drizzle") == [rain]


def test_what_others_change_is_found_by_who_has_it_open(tiny: Tiny) -> None:
    with tiny.open() as retriever, Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        cat = ids(retriever, "cat")[0]
        catalog.edit(cat, "tags", [WORD], "somebody")
        until(lambda: ids(retriever, WORD) == [cat])


def test_what_was_left_behind_is_brought_in_at_the_next_open(tiny: Tiny) -> None:
    with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
        cat = next(sticker.id for sticker in catalog.stickers() if "cat" in sticker.semantics.tags)
        catalog.edit(cat, "tags", [WORD], "somebody")
    with tiny.open() as retriever:
        assert ids(retriever, WORD) == [cat]


def test_a_build_while_the_collection_is_open_leaves_the_index_to_who_has_it(tiny: Tiny) -> None:
    folder = tiny.file.parent / "stickers" / "flat"
    with tiny.open() as retriever:
        (folder / f"{WORD}.png").write_bytes((folder / "cat.png").read_bytes() + b"\0")
        report = build_collection(tiny.file, home=tiny.home)
        assert report.index is not None and report.index.way == "left"
        until(lambda: len(ids(retriever, WORD)) == 1)


def test_people_in_picks_that_a_build_took_in_get_their_style_from_who_has_the_index(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        with (tiny.file.parent / "picks.csv").open("a", encoding="utf-8") as file:
            file.write("cleo,cat,line/cat.png,2026-02-01T00:00:00Z\n")
        report = build_collection(tiny.file, home=tiny.home)
        assert report.index is not None and (report.index.way, report.picks) == ("left", 1)
        with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
            until(lambda: not catalog.profiles_left())
        until(lambda: len(retriever.profile("cleo").mass) == 1)


def test_a_build_in_place_writes_what_changed_and_nothing_else(tiny: Tiny) -> None:
    build_collection(tiny.file, home=tiny.home, rebuild=True)
    build = points(tiny.file, tiny.home)
    report = build_collection(tiny.file, home=tiny.home)
    assert report.index is not None
    assert (report.index.way, report.index.written, report.index.removed, report.users) == ("in place", 0, 0, 0)
    folder = tiny.file.parent / "stickers" / "flat"
    Image.effect_noise((64, 64), 90).save(folder / f"{WORD}.png")
    (folder / "dog.png").unlink()
    report = build_collection(tiny.file, home=tiny.home)
    assert report.index is not None
    assert (report.index.way, report.index.written, report.index.removed) == ("in place", 1, 1)
    assert len(points(tiny.file, tiny.home)) == len(build)
    like_from_nothing(tiny)


@pytest.mark.parametrize("act", ["record", "edit", "reset", "add", "remove", "forget"])
def test_what_is_acknowledged_is_on_the_disk(tiny: Tiny, act: str) -> None:
    picture = (tiny.file.parent / "stickers" / "line" / "cat.png").read_bytes() + b"another picture"
    waited = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        waited.append(statement)

    with tiny.open() as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        acts: dict[str, Callable[[], object]] = {
            "record": lambda: retriever.record("ann", "cat", sticker),
            "edit": lambda: retriever.edit(sticker, "tags", ["mine"], editor="ann"),
            "reset": lambda: retriever.reset(sticker, "tags", editor="ann"),
            "add": lambda: retriever.add([picture], tags=["added"]),
            "remove": lambda: retriever.remove(sticker),
            "forget": lambda: retriever.forget("ann"),
        }
        event.listen(Engine, "before_cursor_execute", note)
        try:
            acts[act]()
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    assert "PRAGMA synchronous = FULL" in waited

"""A program that stays open while builds come and go, on a server over HTTP and embedded."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from fake_qdrant import FakeQdrant
from persrv import AsyncRetriever, Recipe, Retriever, build_collection
from persrv.catalog.vocabulary import KEPT
from persrv.errors import IndexLockedError, IndexMismatchError, NotFoundError, VectorIndexError
from persrv.index.manifest import new_build
from persrv.index.push import push
from persrv.offline.publish import push_collection
from persrv.recipe import Compare, FieldSettings, Ranking, Text, Variant
from persrv.recipe.location import IndexSettings
from persrv.workspace import Workspace
from tiny_collection import Tiny
from waiting import until

WORD = "zebra"


@pytest.fixture
def server() -> Iterator[FakeQdrant]:
    with FakeQdrant() as running:
        yield running


@pytest.fixture
def recipe(tiny: Tiny, server: FakeQdrant) -> Recipe:
    """The collection's recipe with the index on the server, built there once."""
    on_server = tiny.recipe.model_copy(update={"index": IndexSettings(location=server.url)})
    build_collection(on_server, home=tiny.home)
    return on_server


def build_another(recipe: Recipe, home: Path) -> None:
    """Give one more sticker the word, and build."""
    with Workspace.of(recipe, home).existing_catalog() as catalog:
        plain = next(sticker for sticker in catalog.stickers() if WORD not in sticker.semantics.tags)
        catalog.edit(plain.id, "tags", [*plain.semantics.tags, WORD], "ann")
    build_collection(recipe, home=home, only=["index"], rebuild=True)


def found(retriever: Retriever) -> list[tuple[str, float]]:
    return [(hit.sticker_id, hit.score) for hit in retriever.search(WORD, "ann", limit=30)]


# On a server, the second build after opening removes the version that a retriever has open.


def test_after_two_builds_everything_goes_on_with_the_newest(tiny: Tiny, recipe: Recipe) -> None:
    with Retriever.open(recipe, home=tiny.home) as retriever:
        first = retriever.manifest.build
        assert retriever.search(WORD).reason == "unmatched"
        build_another(recipe, tiny.home)
        build_another(recipe, tiny.home)
        with Retriever.open(recipe, home=tiny.home) as fresh:
            expected = found(fresh)
            newest = fresh.manifest.build
        assert len(expected) == 2
        assert found(retriever) == expected
        assert retriever.manifest.build == newest != first


@pytest.mark.parametrize("what", ["record", "profile", "styles", "similar", "forget"])
def test_whatever_is_asked_first_finds_the_newest_build(tiny: Tiny, recipe: Recipe, what: str) -> None:
    with Retriever.open(recipe, home=tiny.home) as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        masses = retriever.profile("ann").mass.sum()
        with Retriever.open(recipe, home=tiny.home) as stale:
            build_another(recipe, tiny.home)
            build_another(recipe, tiny.home)
            if what == "record":
                moved = stale.record("cleo", "cat", sticker)
                assert moved.profile.mass.tolist() == [1.0]
                assert stale.profile("cleo").mass.tolist() == [1.0]
                assert [pick.sticker_id for pick in stale.picks("cleo")] == [sticker]
            elif what == "profile":
                assert stale.profile("ann").mass.sum() == pytest.approx(masses, rel=1e-3)
            elif what == "styles":
                assert sum(style.share for style in stale.styles("ann")) == pytest.approx(1.0)
            elif what == "similar":
                assert len(stale.similar(sticker, limit=5)) == 5
            else:
                assert stale.forget("ann") == 6
                with Retriever.open(recipe, home=tiny.home) as fresh:
                    assert len(fresh.profile("ann").mass) == 0


def test_a_comparison_goes_on_and_writes_each_impression_once(tiny: Tiny, recipe: Recipe) -> None:
    compared = recipe.model_copy(
        update={"ranking": Ranking(gamma=0.0), "compare": Compare(name="style", b=Variant(gamma=1.0))}
    )
    with Retriever.open(compared, home=tiny.home) as retriever:
        build_another(recipe, tiny.home)
        build_another(recipe, tiny.home)
        answer = retriever.search(WORD, "ann")
        assert len(answer) == 2
        assert [set(shown.shown) for shown in retriever.impressions("ann")] == [{hit.sticker_id for hit in answer}]


def test_threads_that_search_while_builds_are_published_see_only_right_answers(tiny: Tiny, recipe: Recipe) -> None:
    build_another(recipe, tiny.home)
    right: list[set[str]] = []
    seen: list[list[set[str]]] = [[], []]
    failures: list[BaseException] = []
    ended = threading.Event()

    def note_right() -> None:
        with Retriever.open(recipe, home=tiny.home) as fresh:
            right.append({sticker_id for sticker_id, _ in found(fresh)})

    note_right()
    with Retriever.open(recipe, home=tiny.home) as retriever:

        def search(mine: list[set[str]]) -> None:
            try:
                while not ended.is_set():
                    mine.append({sticker_id for sticker_id, _ in found(retriever)})
                mine.append({sticker_id for sticker_id, _ in found(retriever)})
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=search, args=(mine,)) for mine in seen]
        for thread in threads:
            thread.start()
        try:
            while not (all(seen) or failures):
                time.sleep(0.01)
            for _ in range(4):
                build_another(recipe, tiny.home)
                note_right()
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert failures == []
    assert [len(answer) for answer in right] == [1, 2, 3, 4, 5]
    for mine in seen:
        order = [right.index(answer) for answer in mine]
        assert order == sorted(order)
        # Of five builds the last two are kept: no thread was spared a change.
        assert order[0] == 0
        assert order[-1] >= 3


def test_a_newer_build_of_another_recipe_is_refused_in_one_line(tiny: Tiny, recipe: Recipe) -> None:
    other = recipe.model_copy(update={"text": Text(fields={"tags": FieldSettings(weight=3.0)})})
    with Retriever.open(recipe, home=tiny.home) as retriever:
        build_another(other, tiny.home)
        with pytest.raises(IndexMismatchError, match=r"a newer build.*built with text.*open the collection again"):
            retriever.refresh()
        assert len(retriever.search("cat")) == 3
        build_another(other, tiny.home)
        for _ in range(2):
            with pytest.raises(IndexMismatchError, match="a newer build"):
                retriever.search("cat")
        build_another(recipe, tiny.home)
        assert len(retriever.search(WORD)) == 3


def test_a_collection_that_was_removed_is_not_looked_for_forever(
    tiny: Tiny, recipe: Recipe, server: FakeQdrant
) -> None:
    with Retriever.open(recipe, home=tiny.home) as retriever:
        for collection in server.local.get_collections().collections:
            server.local.delete_collection(collection.name)
        with pytest.raises(NotFoundError, match="there is no index tiny on http"):
            retriever.search("cat")


def test_looking_for_a_newer_build_is_one_request_and_a_search_never_looks(
    tiny: Tiny, recipe: Recipe, server: FakeQdrant
) -> None:
    with Retriever.open(recipe, home=tiny.home) as retriever:
        # Its thread brings changes into the index whenever it sees them; only what this one asks is counted here.
        retriever._live.close()
        retriever.search("cat", "ann")
        server.requests.clear()
        retriever.search("cat", "ann")
        assert {path.rpartition("/")[2] for _, path in server.requests} == {"batch", "points"}
        server.requests.clear()
        assert retriever.refresh() is False
        assert [path for _, path in server.requests] == ["/aliases"]
        before = retriever.manifest.build
        build_another(recipe, tiny.home)
        assert retriever.search(WORD).reason == "unmatched"
        assert retriever.manifest.build == before
        assert retriever.refresh() is True
        assert retriever.manifest.build != before
        assert retriever.refresh() is False
        assert len(found(retriever)) == 1


def test_users_come_from_the_build_of_the_stickers(tiny: Tiny, recipe: Recipe) -> None:
    workspace = Workspace.of(recipe, tiny.home)
    with closing(workspace.store()) as store:
        users = store.open(workspace.users_name)

        def publish_users() -> None:
            push(users, store, workspace.users_name, users.schema, new_build())

        publish_users()
        with Retriever.open(recipe, home=tiny.home) as retriever:
            stickers_of, users_of = retriever._newest.version.builds
            assert stickers_of == users_of != store.current(workspace.users_name)
            before = found(retriever)
            # A build that is killed between its two switches, and the next one: the users are gone, the stickers not.
            with Retriever.open(recipe, home=tiny.home) as other:
                users = store.open(workspace.users_name)
                publish_users()
                assert other.search("cat", "ann").personal
                assert other._newest.version.builds == (stickers_of, store.current(workspace.users_name))
            assert found(retriever) == before


def test_a_pushed_collection_has_one_build_for_stickers_and_users(tiny: Tiny, server: FakeQdrant) -> None:
    pushed = push_collection(tiny.file, server.url, home=tiny.home)
    assert len(pushed) == 2
    assert len({manifest.build for manifest in pushed.values()}) == 1


def test_refresh_in_an_asyncio_program(tiny: Tiny, recipe: Recipe) -> None:
    async def run() -> list[int]:
        async with await AsyncRetriever.open(recipe, home=tiny.home) as retriever:
            await asyncio.to_thread(build_another, recipe, tiny.home)
            assert await retriever.refresh()
            answers = await asyncio.gather(*(retriever.search(WORD) for _ in range(3)))
            return [len(answer) for answer in answers]

    assert asyncio.run(run()) == [1, 1, 1]


# Embedded, a version that is open is never removed; a retriever goes on when it is told to.


def test_an_embedded_retriever_stays_until_it_is_told_and_closes_what_nobody_asks(tiny: Tiny) -> None:
    recipe = tiny.recipe
    with tiny.open() as retriever:
        before = retriever._newest.version
        build_another(recipe, tiny.home)
        build_another(recipe, tiny.home)
        # What changed in the catalog reaches the version that is open, too, within a second or so.
        until(lambda: len(found(retriever)) == 2)
        assert retriever._newest.version is before
        with tiny.open() as owner:
            expected = found(owner)
            with pytest.raises(IndexLockedError, match="in this very process"):
                retriever.refresh()
            assert len(found(retriever)) == 2

        def refreshed_meanwhile(version: object) -> tuple[bool, int, bool]:
            assert version is before
            return retriever.refresh(), before.stickers.count(), retriever.refresh()

        assert retriever._newest.ask(refreshed_meanwhile) == (True, 30, False)
        with pytest.raises(VectorIndexError, match="this collection is closed"):
            before.stickers.count()
        assert found(retriever) == expected
        assert np.allclose(retriever.profile("ann").shares.sum(), 1.0)


def test_somebody_is_forgotten_while_a_search_still_asks_the_version_before(tiny: Tiny) -> None:
    asked, answered = threading.Event(), threading.Event()
    with tiny.open() as retriever:
        newest = retriever._newest
        searching = threading.Thread(target=lambda: newest.ask(lambda version: (asked.set(), answered.wait(30))))
        searching.start()
        assert asked.wait(30)
        build_another(tiny.recipe, tiny.home)
        forgotten: list[int] = []
        forgetting = threading.Thread(target=lambda: forgotten.append(retriever.forget("ann")))
        forgetting.start()
        until(lambda: newest.version.manifest.build == retriever._newest._opener.current())
        time.sleep(0.2)  # without waiting for the search it has failed by now
        assert forgotten == []
        answered.set()
        searching.join()
        forgetting.join(30)
        assert forgotten == [6]


def test_words_that_the_catalog_no_longer_keeps_are_those_of_the_newest_build(tiny: Tiny) -> None:
    with tiny.open() as retriever:
        with Workspace.of(tiny.file, tiny.home).existing_catalog() as catalog:
            for number in range(KEPT):
                catalog.put_vocabulary(f"another {number}", {WORD: 1})
        build_another(tiny.recipe, tiny.home)
        until(lambda: retriever.search(WORD).reason == "matched")
        assert len(retriever.search(WORD)) == 1

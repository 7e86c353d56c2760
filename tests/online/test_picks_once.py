"""The catalog is the truth about picks: what it took is acknowledged and counts once, whatever the index does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fake_qdrant import FakeQdrant
from persrv import Recipe, Retriever, build_collection
from persrv.errors import IndexUnavailableError
from persrv.online.feedback import STYLE_FOLLOWS
from persrv.recipe.location import IndexSettings
from tiny_collection import Tiny
from waiting import until


@pytest.fixture
def recipe(tiny: Tiny) -> Callable[[str], Recipe]:
    return lambda url: tiny.recipe.model_copy(update={"index": IndexSettings(location=url, timeout_s=1)})


@contextmanager
def away(server: FakeQdrant) -> Iterator[None]:
    server.nodes[0].stop()
    yield
    server.nodes[0].start()


@pytest.fixture
def server() -> Iterator[FakeQdrant]:
    with FakeQdrant() as running:
        yield running


def test_a_pick_while_the_server_is_away_is_acknowledged_and_its_style_follows(
    tiny: Tiny, server: FakeQdrant, recipe: Callable[[str], Recipe]
) -> None:
    build_collection(recipe(server.url), home=tiny.home)
    with Retriever.open(recipe(server.url), home=tiny.home) as retriever:
        sticker = retriever.search("cat")[0].sticker_id
        with away(server):
            receipt = retriever.record("cleo", "cat", sticker, pick_id="1")
            assert (receipt.new, receipt.note) == (True, STYLE_FOLLOWS)
            again = retriever.record("cleo", "cat", sticker, pick_id="1")
            assert not again.new
        assert len(retriever.picks("cleo")) == 1
        until(lambda: len(retriever.profile("cleo").mass) == 1)
        assert retriever.profile("cleo").mass.sum() == pytest.approx(1.0, abs=0.01)


def test_a_key_that_may_only_read_is_noticed_before_anything_changes(
    tiny: Tiny, recipe: Callable[[str], Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeQdrant(key="right", read_key="reader") as server:
        monkeypatch.setenv("QDRANT_API_KEY", "right")
        build_collection(recipe(server.url), home=tiny.home)
        monkeypatch.setenv("QDRANT_API_KEY", "reader")
        with Retriever.open(recipe(server.url), home=tiny.home) as retriever:
            sticker = retriever.search("cat")[0].sticker_id
            for call in (lambda: retriever.record("ann", "cat", sticker), lambda: retriever.forget("ann")):
                with pytest.raises(IndexUnavailableError, match="read, but not write"):
                    call()
            assert len(retriever.picks("ann")) == 6
            assert len(retriever.styles("ann")) > 0


def test_forgetting_while_the_server_is_away_deletes_nothing(
    tiny: Tiny, server: FakeQdrant, recipe: Callable[[str], Recipe]
) -> None:
    build_collection(recipe(server.url), home=tiny.home)
    build_collection(recipe(server.url), home=tiny.home, rebuild=True)
    with Retriever.open(recipe(server.url), home=tiny.home) as retriever:
        with away(server), pytest.raises(IndexUnavailableError):
            retriever.forget("ann")
        assert len(retriever.picks("ann")) == 6
        assert retriever.forget("ann") == 6
        assert retriever.styles("ann") == []
    names = [each.name for each in server.local.get_collections().collections if "_users_" in each.name]
    assert len(names) == 2
    held = [point.payload["user"] for name in names for point in server.local.scroll(name, limit=99)[0]]
    assert held and "ann" not in held

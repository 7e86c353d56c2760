"""Copying a collection from one engine to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines import filled, quick_folder
from fake_qdrant import FakeQdrant, Fault
from index_samples import DIMENSION, SCHEMA, assert_same, manifest, online, random_requests, unit
from persrv.errors import IndexUnavailableError, RecipeError, VectorIndexError
from persrv.index.calls import Retry
from persrv.index.client_store import ClientStore
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.push import push
from persrv.index.schema import IMAGE, TEXT
from persrv.index.server import connect_server
from persrv.index.store import open_store


@pytest.fixture(scope="module")
def source() -> Iterator[Collection]:
    with ExitStack() as stack:
        yield filled("embedded", stack.enter_context(quick_folder()), stack)


@pytest.fixture
def fake() -> Iterator[FakeQdrant]:
    with FakeQdrant() as server:
        yield server


@pytest.fixture
def server(fake: FakeQdrant) -> Iterator[ClientStore]:
    with connect_server(fake.url, retry=Retry(attempts=2, sleep=lambda _: None)) as store:
        yield store


def test_the_copy_is_complete_and_answers_alike(source: Collection, server: ClientStore) -> None:
    told: list[int] = []
    made = push(source, server, "emoji", source.schema, told.append)
    assert told == [256, 44]
    assert made == source.manifest.model_copy(update={"build": made.build})
    assert made.build != source.manifest.build
    with server.open("emoji") as copy:
        assert copy.manifest == made
        for original, copied in zip(source.scroll(None, [IMAGE, TEXT]), copy.scroll(None, [IMAGE, TEXT]), strict=True):
            assert (original.id, original.payload) == (copied.id, copied.payload)
            assert set(original.vectors) == set(copied.vectors)
        for request in random_requests(seed=5, count=16):
            want = [(p.id, p.score) for p in source.query(request)]
            assert_same(copy.query(request), want, request.limit)


def test_a_broken_push_leaves_what_was_there_and_can_be_started_again(
    source: Collection, server: ClientStore, fake: FakeQdrant
) -> None:
    first = push(source, server, "emoji", source.schema)
    fake.faults.extend([Fault(503, path="points")] * 2)
    with pytest.raises(IndexUnavailableError, match="503"):
        push(source, server, "emoji", source.schema)
    assert server.manifest("emoji") == first
    second = push(source, server, "emoji", replace(source.schema, replication_factor=2))
    assert server.manifest("emoji") == second
    assert len(fake.local.get_collections().collections) == 2
    assert fake.created[fake.local_name("emoji")].replication_factor == 2


def test_points_that_do_not_fit_are_not_published(source: Collection, server: ClientStore) -> None:
    with pytest.raises(VectorIndexError, match=f"has {DIMENSION} numbers, not 3"):
        push(source, server, "emoji", replace(SCHEMA, dimension=3))
    assert server.names() == []


def test_an_empty_collection_can_be_pushed(server: ClientStore, folder: Path) -> None:
    with EmbeddedStore(folder) as store:
        empty = store.publish("users", store.create("users", SCHEMA, manifest(0)))
        assert push(empty, server, "users", SCHEMA).stickers == 0
    with server.open("users") as copy:
        assert copy.query(online([1], unit(np.random.default_rng(0), 0))) == []


def test_open_store_chooses_by_location(folder: Path, fake: FakeQdrant) -> None:
    default = open_store("embedded:", folder)
    assert isinstance(default, EmbeddedStore)
    assert default.folder == folder / "index"
    beside = open_store("embedded:elsewhere/here", folder)
    assert isinstance(beside, EmbeddedStore)
    assert beside.folder == folder / "elsewhere" / "here"
    absolute = open_store(f"embedded:{folder}", Path("/nowhere"))
    assert isinstance(absolute, EmbeddedStore)
    assert absolute.folder == folder
    assert not (folder / "index").exists()
    with open_store(fake.url, folder, timeout_s=2.5) as server:
        assert isinstance(server, ClientStore)


@pytest.mark.parametrize("location", ["", "emoji", "ftp://x", "embedded"])
def test_a_location_without_an_engine(location: str, folder: Path) -> None:
    with pytest.raises(RecipeError, match="names no engine"):
        open_store(location, folder)

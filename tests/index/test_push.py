"""Copying a collection from one engine to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import models as m

from engines import filled, quick_folder
from fake_qdrant import FakeQdrant, Fault
from index_samples import (
    SCHEMA,
    assert_same,
    identity,
    manifest,
    online,
    point,
    random_requests,
    sample_points,
    unit,
)
from persrv.errors import (
    IndexLockedError,
    IndexUnavailableError,
    IndexUnreachableError,
    QueryLimitError,
    RecipeError,
    RequestTooLargeError,
    VectorIndexError,
)
from persrv.index.calls import Retry
from persrv.index.client_store import ClientStore
from persrv.index.columns.store import ColumnStore
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection
from persrv.index.manifest import Manifest, new_build
from persrv.index.push import push
from persrv.index.schema import IMAGE, TEXT, Placement
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


def pushed(source: Collection, server: ClientStore, name: str = "emoji", **changes: Any) -> Manifest:
    """Push to a new build."""
    return push(source, server, name, replace(source.schema, **changes), new_build())


def written(fake: FakeQdrant) -> int:
    """Points in all requests that wrote some, since the last time."""
    count = sum(fake.written)
    fake.written.clear()
    return count


def allow(fake: FakeQdrant, count: int) -> None:
    """Let one request write so many points."""
    fake.strict = m.StrictModeConfig(enabled=True, upsert_max_batchsize=count)


def test_the_copy_is_complete_and_answers_alike(source: Collection, server: ClientStore) -> None:
    progress: list[int] = []
    made = push(source, server, "emoji", source.schema, new_build(), progress.append)
    assert sum(progress) == 300
    assert len(progress) > 1
    origin = source.manifest.build
    assert made == source.manifest.model_copy(update={"build": made.build, "origin": origin})
    assert made.build != origin
    with server.open("emoji") as copy:
        assert copy.manifest == made
        for original, copied in zip(source.scroll(None, [IMAGE, TEXT]), copy.scroll(None, [IMAGE, TEXT]), strict=True):
            assert (original.id, original.payload) == (copied.id, copied.payload)
            assert set(original.vectors) == set(copied.vectors)
        for request in random_requests(seed=5, count=16):
            want = [(str(p.id), p.score) for p in source.query(request)]
            assert_same(copy.query(request), want, request.limit)


def test_a_push_that_broke_off_is_gone_on_with(source: Collection, server: ClientStore, fake: FakeQdrant) -> None:
    first, build = pushed(source, server), new_build()
    allow(fake, 20)
    written(fake)
    fake.faults.append(Fault(503, path="points", after=6))
    fake.faults.extend([Fault(503, path="points")] * 7)
    with pytest.raises(IndexUnreachableError, match="503"):
        push(source, server, "emoji", source.schema, build)
    fake.faults.clear()
    already = written(fake)
    assert 100 <= already < 300
    assert server.manifest("emoji") == first
    assert server.begun(("emoji",), source.manifest.build) == build
    progress: list[int] = []
    second = push(source, server, "emoji", source.schema, build, progress.append)
    # The last batch goes out twice, the second time to wait for it.
    assert written(fake) <= 300 - already + 2 * 20
    assert sum(progress) == 300
    assert server.manifest("emoji") == second
    assert server.begun(("emoji",), source.manifest.build) is None


def test_what_changed_or_left_in_between_is_brought_up_to_date(source: Collection, server: ClientStore) -> None:
    build = new_build()
    stale = source.manifest.model_copy(update={"build": build, "origin": source.manifest.build})
    begun = server.create("emoji", source.schema, stale)
    old = point(1)
    begun.upsert([replace(old, payload={**old.payload, "title": "old"}), point(2), point(1000), point(1001)])
    push(source, server, "emoji", source.schema, build)
    with server.open("emoji") as copy:
        assert copy.count() == 300
        assert copy.retrieve([identity(1)])[0].payload["title"] == "sticker 1 😀"


@pytest.mark.parametrize("count", [7, 100])
def test_a_limit_of_points_is_read_and_kept(
    source: Collection, server: ClientStore, fake: FakeQdrant, count: int
) -> None:
    allow(fake, count)
    pushed(source, server)
    with server.open("emoji") as opened:
        opened.upsert(sample_points(250))
    assert max(fake.written) <= count
    assert fake.refused == 0


def test_a_limit_of_answers_is_kept_when_walking_and_told_when_searching(
    source: Collection, server: ClientStore, fake: FakeQdrant
) -> None:
    pushed(source, server)
    fake.strict = m.StrictModeConfig(enabled=True, max_query_limit=40)
    with server.open("emoji") as opened:
        assert len(list(opened.scroll())) == 300
        request = replace(random_requests(seed=5, count=1)[0], limit=50)
        with pytest.raises(
            QueryLimitError, match=r"at most 40 points at a time, not 50; raise max_query_limit .* to 50"
        ):
            opened.query(request)


def test_a_server_that_takes_one_request_at_a_time_is_asked_one_by_one(
    source: Collection, server: ClientStore, fake: FakeQdrant
) -> None:
    pushed(source, server)
    requests = random_requests(seed=6, count=3)
    with server.open("emoji") as opened:
        expected = opened.query_many(requests)
        fake.strict = m.StrictModeConfig(enabled=True, search_max_batchsize=1)
        assert opened.query_many(requests) == expected


def test_requests_that_are_refused_for_their_size_are_halved(
    source: Collection, server: ClientStore, fake: FakeQdrant
) -> None:
    fake.limit = 20_000
    pushed(source, server)
    fake.limit, fake.proxy_limit = 1 << 30, 9_000
    pushed(source, server)
    assert 0 < fake.refused < 20
    fake.proxy_limit = 1 << 30
    build = server.create("emoji", SCHEMA, manifest(300))
    allow(fake, 30)
    build.upsert(sample_points(300))
    assert build.count() == 300


def test_a_point_that_is_too_large_by_itself_ends_the_push(
    source: Collection, server: ClientStore, fake: FakeQdrant
) -> None:
    build = new_build()
    begun = server.create("emoji", source.schema, source.manifest.model_copy(update={"build": build}))
    fake.proxy_limit = 100
    with pytest.raises(RequestTooLargeError, match="what stands before"):
        begun.upsert(sample_points(3))


def test_a_push_that_is_refused_leaves_nothing_behind(
    source: Collection, server: ClientStore, fake: FakeQdrant
) -> None:
    with pytest.raises(VectorIndexError, match="refuses the request with 400"):
        pushed(source, server, dimension=3)
    assert server.names() == []
    assert fake.local.get_collections().collections == []
    first = pushed(source, server, placement=Placement(3, 2, 2, on_disk=True))
    made = fake.created[fake.local_name("emoji")]
    assert (made.shard_number, made.replication_factor, made.write_consistency_factor) == (3, 2, 2)
    assert made.on_disk_payload
    assert made.vectors[IMAGE].on_disk
    assert made.sparse_vectors[TEXT].index.on_disk
    with pytest.raises(VectorIndexError, match="refuses the request with 400"):
        pushed(source, server, dimension=3)
    assert server.manifest("emoji") == first
    assert len(fake.local.get_collections().collections) == 1


def test_a_copy_that_differs_is_not_published(source: Collection, server: ClientStore, fake: FakeQdrant) -> None:
    fake.spoils = True
    with pytest.raises(VectorIndexError, match=r"the copy's point .* is not the original's; push it again"):
        pushed(source, server)
    assert server.names() == []


def test_an_empty_collection_can_be_pushed(server: ClientStore, folder: Path) -> None:
    with EmbeddedStore(folder) as store:
        empty = store.publish("users", store.create("users", SCHEMA, manifest(0)))
        assert pushed(empty, server, "users").stickers == 0
    with server.open("users") as copy:
        assert copy.query(online([1], unit(np.random.default_rng(0), 0))) == []


# Before the work


def test_a_name_that_is_taken_is_refused(server: ClientStore, fake: FakeQdrant) -> None:
    image = {"image": m.VectorParams(size=2, distance=m.Distance.DOT)}
    fake.local.create_collection("theirs", vectors_config=image)
    alias = m.CreateAlias(collection_name="theirs", alias_name="emoji")
    fake.local.update_collection_aliases([m.CreateAliasOperation(create_alias=alias)])
    for taken in ("theirs", "emoji"):
        with pytest.raises(VectorIndexError, match=f"has something else under the name {taken}; .*--as NAME"):
            server.check_writable(taken)
    server.check_writable("emoji2")
    assert len(fake.local.get_collections().collections) == 1


def test_our_own_name_is_not_taken(source: Collection, server: ClientStore) -> None:
    pushed(source, server)
    server.check_writable("emoji")


def test_a_key_that_may_only_read_is_refused() -> None:
    with FakeQdrant(key="secret", read_key="reader") as fake, connect_server(fake.url, api_key="reader") as store:
        with pytest.raises(IndexUnavailableError, match="lets our key read, but not write"):
            store.check_writable("emoji")
        assert [method for method, _ in fake.requests][-1] == "DELETE"


def test_a_cluster_without_a_majority_is_refused() -> None:
    with FakeQdrant(hosts=["127.0.0.1", "127.0.0.2"]) as fake, connect_server(fake.url) as store:
        store.check_writable("emoji")
        fake.majority = False
        fake.requests.clear()
        with pytest.raises(IndexUnavailableError, match="hears no majority"):
            store.check_writable("emoji")
        assert [path for _, path in fake.requests] == ["/cluster"]


def test_a_build_by_another_process_is_noticed_before_the_work(folder: Path) -> None:
    with EmbeddedStore(folder) as store, EmbeddedStore(folder) as other:
        store.check_writable("emoji")
        made = store.create("emoji", SCHEMA, manifest(1))
        store.check_writable("emoji")
        with pytest.raises(IndexLockedError):
            other.check_writable("emoji")
        made.close()
        other.check_writable("emoji")


def test_open_store_chooses_by_location(folder: Path, fake: FakeQdrant) -> None:
    default = open_store("embedded:", folder)
    assert isinstance(default, ColumnStore)
    assert isinstance(default.engine, EmbeddedStore)
    assert default.folder == default.engine.folder == folder / "index"
    beside = open_store("embedded:elsewhere/here", folder)
    assert isinstance(beside, ColumnStore)
    assert beside.folder == folder / "elsewhere" / "here"
    absolute = open_store(f"embedded:{folder}", Path("/nowhere"))
    assert isinstance(absolute, ColumnStore)
    assert absolute.folder == folder
    assert not (folder / "index").exists()
    with open_store(fake.url, folder, timeout_s=2.5) as server:
        assert isinstance(server, ClientStore)


@pytest.mark.parametrize("location", ["", "emoji", "ftp://x", "embedded", [], ["http://a", "embedded:"]])
def test_a_location_without_an_engine(location: str | list[str], folder: Path) -> None:
    with pytest.raises(RecipeError, match="names no engine"):
        open_store(location, folder)

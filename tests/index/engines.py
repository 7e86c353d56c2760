"""The engines that the contract is checked on."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import UUID

from fake_qdrant import FakeQdrant
from index_samples import SCHEMA, manifest, sample_points
from local_mode import memory_store
from persrv.index.client_store import ClientStore
from persrv.index.embedded import EmbeddedStore
from persrv.index.engine import Collection, Store
from persrv.index.language import Point
from persrv.index.server import connect_server
from sharded import ShardedCollection

SERVER = os.environ.get("PERSRV_TEST_QDRANT_URL", "").split()
"""Addresses of a real server's nodes, if there is one to test on: nothing is skipped where there is none."""

ENGINES = ["embedded", "memory", "rest", *(["server"] if SERVER else [])]
SHARDED = {"2 shards": 2, "4 shards": 4}
"""Embedded shards that stand in for a collection which a cluster spreads over machines."""

COUNT = 300


class Tidy(ClientStore):
    """A store on a real server that removes what the tests put there."""

    def close(self) -> None:
        client = self._calls.nodes.first.client
        for collection in client.get_collections().collections:
            if collection.name.startswith("persrvtest"):
                client.delete_collection(collection.name)
        super().close()


def make_store(engine: str, folder: Path, stack: ExitStack) -> Store:
    if engine == "embedded":
        return stack.enter_context(EmbeddedStore(folder))
    if engine == "memory":
        return stack.enter_context(memory_store())
    if engine == "rest":
        fake = stack.enter_context(FakeQdrant(key="secret"))
        return stack.enter_context(connect_server(fake.url, api_key="secret"))
    return stack.enter_context(Tidy(connect_server(SERVER)._calls))


@contextmanager
def quick_folder() -> Iterator[Path]:
    """An empty folder, in memory where that is possible: creating a shard syncs to disk dozens of times."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def new_name() -> str:
    """A collection name that no other test uses."""
    return f"persrvtest-{uuid.uuid4().hex[:12]}"


def filled(engine: str, folder: Path, stack: ExitStack) -> Collection:
    points = sample_points(COUNT)
    if engine not in SHARDED:
        return _published(make_store(engine, folder, stack), points)
    shards = SHARDED[engine]
    parts = [[point for point in points if UUID(point.id).int % shards == number] for number in range(shards)]
    stores = [make_store("embedded", folder / str(number), stack) for number in range(shards)]
    return ShardedCollection([_published(store, part) for store, part in zip(stores, parts, strict=True)])


def _published(store: Store, points: list[Point]) -> Collection:
    name = new_name()
    build = store.create(name, SCHEMA, manifest(len(points)))
    half = len(points) * 17 // 30
    build.upsert(points[:half])
    build.upsert(points[half:])
    return store.publish(name, build)

"""Collections behind a ``QdrantClient``: one Qdrant collection for each version, an alias for the current one.

The version ``20261104T121314Z-5ae0b7`` of ``emoji`` is the Qdrant collection ``emoji_20261104T121314Z-5ae0b7``; the
alias ``emoji`` points to it. Schema, manifest and the name of the version before stand in the collection's metadata,
where the dashboard shows them. Nothing without that metadata is ever removed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

from qdrant_client import QdrantClient
from qdrant_client import models as m

from persrv.errors import BuildGoneError, NotFoundError, VectorIndexError
from persrv.index.calls import Calls
from persrv.index.client_collection import ClientCollection
from persrv.index.cluster import NodeState, ReplicaState, node_state, replicas
from persrv.index.description import description_of
from persrv.index.descriptions import DESCRIPTION, PREVIOUS, Descriptions
from persrv.index.engine import Collection
from persrv.index.manifest import BUILD_PATTERN, Manifest
from persrv.index.schema import MEANING, MEANING_LINKS, PayloadType, Schema
from persrv.index.verify import verify

_NEVER = "00000000T000000Z-000000"

_INDEXES: dict[PayloadType, m.PayloadSchemaType] = {
    "keyword": m.PayloadSchemaType.KEYWORD,
    "float": m.PayloadSchemaType.FLOAT,
    "integer": m.PayloadSchemaType.INTEGER,
    "bool": m.PayloadSchemaType.BOOL,
    "datetime": m.PayloadSchemaType.DATETIME,
}


class ClientStore:
    """A :class:`persrv.index.engine.Store` behind a client.

    Args:
        calls: Makes the calls; its nodes are closed by :meth:`close`.
        kept: Folder of the descriptions of versions, see :class:`persrv.index.descriptions.Descriptions`.
    """

    def __init__(self, calls: Calls, kept: Path | None = None) -> None:
        self._calls = calls
        self._descriptions = Descriptions(calls, kept)
        self._opened: list[ClientCollection] = []

    def check_writable(self, name: str) -> None:
        """Refuse a build or push in vain, see :meth:`persrv.index.engine.Store.check_writable`."""
        self._calls.check_majority()
        collections = self._calls.read(lambda client: client.get_collections()).collections
        target = self._aliases().get(name)
        taken = name in {collection.name for collection in collections}
        if taken or (target is not None and not self._is_ours(name, target)):
            raise VectorIndexError(
                f"{self._calls.where} has something else under the name {name}",
                "choose another name: in the recipe for a build, by --as NAME for a push",
            )
        # Removing what is not there changes nothing, and asks for the same right as making it.
        self._calls.write(partial(_delete, version=f"{name}_{_NEVER}"))

    def begun(self, names: Sequence[str], origin: str) -> str | None:
        """Return the build of an unfinished copy of ``origin``, the newest of several, ``None`` where there is none.

        Args:
            names: Collections that share a build; the copy is finished when the last one is current.
            origin: The build that is copied.
        """
        finished = {version.removeprefix(f"{names[-1]}_") for version in self._kept(names[-1])}
        collections = self._calls.read(lambda client: client.get_collections()).collections
        ours = {version.name for version in collections for name in names if self._is_ours(name, version.name)}
        manifests = [self._descriptions.read(version)[1] for version in ours]
        found = {manifest.build for manifest in manifests if manifest.origin == origin}
        return max(found - finished, default=None)

    def begun_version(self, name: str, build: str) -> ClientCollection | None:
        """Open the version of a build, published or not, to go on writing it; ``None`` where there is none."""
        version = f"{name}_{build}"
        if not self._calls.read(lambda client: client.collection_exists(version)):
            return None
        return self._keep(version, *self._descriptions.read(version), published=False)

    def discard(self, collection: ClientCollection) -> None:
        """Remove an unpublished version; where the server cannot be reached it stays until the next build or push."""
        collection.close()
        with suppress(VectorIndexError):
            self._calls.write(partial(_delete, version=collection.version))

    def create(self, name: str, schema: Schema, manifest: Manifest) -> ClientCollection:
        """Open a new, empty version, see :meth:`persrv.index.engine.Store.create`."""
        version = f"{name}_{manifest.build}"
        metadata = {DESCRIPTION: description_of(schema, manifest)}
        self._remove_others(name)
        if self._calls.read(lambda client: client.collection_exists(version)):
            raise VectorIndexError(f"build {manifest.build} of {name} exists already", "make a new id with new_build()")
        placement = schema.placement
        sparse, vectors = _vectors(schema)

        def create(client: QdrantClient) -> None:
            # A repeated call may find what the call before made, when only its answer was lost.
            if not client.collection_exists(version):
                client.create_collection(
                    version,
                    vectors_config=vectors,
                    sparse_vectors_config=sparse,
                    shard_number=placement.shards,
                    replication_factor=placement.replication_factor,
                    write_consistency_factor=placement.write_consistency_factor,
                    on_disk_payload=placement.on_disk,
                    metadata=metadata,
                )

        self._calls.write(create)
        for key, kind in schema.payload.items():
            index = partial(_create_index, version=version, key=key, kind=kind)
            self._calls.write(index)
        return self._keep(version, schema, manifest, published=False)

    def publish(self, name: str, collection: Collection, points: int | None = None) -> ClientCollection:
        """Switch to a finished build, see :meth:`persrv.index.engine.Store.publish`."""
        build = collection.manifest.build
        current = self._current(name)
        if (
            not isinstance(collection, ClientCollection)
            or collection.version != f"{name}_{build}"
            or collection.version == current
        ):
            raise VectorIndexError(f"{build} is no unpublished build of {name}", "publish what create() returned, once")
        manifest = verify(collection, points)
        if manifest != collection.manifest:
            metadata = {DESCRIPTION: description_of(collection.schema, manifest)}
            self._calls.write(lambda client: client.update_collection(collection.version, metadata=metadata))
        self._switch(name, collection.version, current)
        self._remove_others(name)
        collection.close()
        return self._keep(collection.version, collection.schema, manifest, published=True)

    def rollback(self, name: str) -> Manifest:
        """Switch to the previous version, see :meth:`persrv.index.engine.Store.rollback`."""
        current = self._current(name)
        if current is None:
            raise _nothing(name, self._calls.where)
        previous = self._descriptions.metadata(current).get(PREVIOUS)
        if not isinstance(previous, str):
            raise NotFoundError(f"{name} has no previous version", f"run persrv build -c {name}")
        _, manifest = self._descriptions.published(previous)
        self._switch(name, previous, current)
        return manifest

    def open(self, name: str, build: str | None = None) -> ClientCollection:
        """Open a version, see :meth:`persrv.index.engine.Store.open`."""
        version = self._current(name) if build is None else f"{name}_{build}"
        if version is None:
            raise _nothing(name, self._calls.where)
        if build is not None and not self._calls.read(lambda client: client.collection_exists(version)):
            raise BuildGoneError(f"there is no build {build} of {name} on {self._calls.where}", "open the current one")
        return self._keep(version, *self._descriptions.published(version), published=True)

    def current(self, name: str) -> str | None:
        """Return the current version's build, see :meth:`persrv.index.engine.Store.current`."""
        version = self._current(name)
        return None if version is None else version.removeprefix(f"{name}_")

    def previous(self, name: str) -> str | None:
        """Return the build before, see :meth:`persrv.index.engine.Store.previous`."""
        current = self._current(name)
        before = self._descriptions.metadata(current).get(PREVIOUS) if current else None
        there = isinstance(before, str) and self._calls.read(lambda client: client.collection_exists(before))
        return before.removeprefix(f"{name}_") if isinstance(before, str) and there else None

    def kept(self, name: str) -> list[str]:
        """Return the builds that are there, see :meth:`persrv.index.engine.Store.kept`."""
        return sorted(build for build in (self.current(name), self.previous(name)) if build)

    def manifest(self, name: str, build: str | None = None) -> Manifest | None:
        """Return a version's manifest, see :meth:`persrv.index.engine.Store.manifest`."""
        version = f"{name}_{build}" if build else self._current(name)
        return None if version is None else self._descriptions.published(version)[1]

    def names(self) -> list[str]:
        """Return the names of published collections, sorted."""
        return sorted(alias for alias, version in self._aliases().items() if _is_version(alias, version))

    def node_states(self) -> list[NodeState]:
        """Look at each node, in the order of the recipe."""
        calls = self._calls
        return [node_state(node.address, node.client, calls.with_key) for node in calls.nodes.all()]

    def replica_states(self, name: str) -> list[ReplicaState]:
        """Return where each copy of each shard of the current version is; empty where there is no version."""
        version = self._current(name)
        return [] if version is None else self._calls.read(partial(replicas, collection=version))

    def close(self) -> None:
        """Close every collection that this store opened, and the client."""
        while self._opened:
            self._opened.pop().close()
        self._calls.nodes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _aliases(self) -> dict[str, str]:
        answer = self._calls.read(lambda client: client.get_aliases())
        return {alias.alias_name: alias.collection_name for alias in answer.aliases}

    def _is_ours(self, name: str, version: str) -> bool:
        return _is_version(name, version) and DESCRIPTION in self._descriptions.metadata(version)

    def _current(self, name: str) -> str | None:
        version = self._aliases().get(name)
        return version if version is not None and _is_version(name, version) else None

    def _switch(self, name: str, version: str, before: str | None) -> None:
        metadata = {PREVIOUS: before}
        self._calls.write(lambda client: client.update_collection(version, metadata=metadata))
        steps: list[m.AliasOperations] = [
            m.CreateAliasOperation(create_alias=m.CreateAlias(collection_name=version, alias_name=name))
        ]
        if before is not None:
            steps.insert(0, m.DeleteAliasOperation(delete_alias=m.DeleteAlias(alias_name=name)))
        self._calls.write(lambda client: client.update_collection_aliases(steps))

    def _kept(self, name: str) -> set[str]:
        """Return the current version and the one before, as far as there are such."""
        current = self._current(name)
        before = self._descriptions.metadata(current).get(PREVIOUS) if current else None
        return {version for version in (current, before) if version}

    def _remove_others(self, name: str) -> None:
        keep = self._kept(name)
        for collection in self._calls.read(lambda client: client.get_collections()).collections:
            version = collection.name
            if version not in keep and self._is_ours(name, version):
                self._calls.write(partial(_delete, version=version))

    def _keep(self, version: str, schema: Schema, manifest: Manifest, *, published: bool) -> ClientCollection:
        opened = ClientCollection(self._calls, version, schema, manifest, published=published)
        self._opened = [*(known for known in self._opened if not known.closed), opened]
        return opened


def _vectors(schema: Schema) -> tuple[dict[str, m.SparseVectorParams] | None, dict[str, m.VectorParams]]:
    """Return the parameters of the sparse vectors and of the dense ones."""
    on_disk = schema.placement.on_disk
    index = m.SparseIndexParams(on_disk=on_disk)
    sparse = {name: m.SparseVectorParams(index=index) for name in schema.sparse_vectors} or None
    links = m.HnswConfigDiff(m=schema.hnsw_m)
    vectors = {
        name: m.VectorParams(size=size, distance=m.Distance.DOT, hnsw_config=links, on_disk=on_disk)
        for name, size in schema.dense.items()
    }
    if schema.meaning:
        vectors[MEANING] = m.VectorParams(
            size=schema.meaning,
            distance=m.Distance.COSINE,
            multivector_config=m.MultiVectorConfig(comparator=m.MultiVectorComparator.MAX_SIM),
            hnsw_config=m.HnswConfigDiff(m=MEANING_LINKS),
            on_disk=on_disk,
        )
    return sparse, vectors


def _create_index(client: QdrantClient, version: str, key: str, kind: PayloadType) -> None:
    client.create_payload_index(version, key, field_schema=_INDEXES[kind], wait=True)


def _delete(client: QdrantClient, version: str) -> None:
    client.delete_collection(version)


def _is_version(name: str, version: str) -> bool:
    return re.fullmatch(f"{re.escape(name)}_{BUILD_PATTERN}", version) is not None


def _nothing(name: str, where: str) -> NotFoundError:
    return NotFoundError(f"there is no index {name} on {where}", f"run persrv build -c {name}, or push one there")

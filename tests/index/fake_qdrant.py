"""A small Qdrant server for tests: REST on 127.0.0.1, bodies read with Qdrant's own models, answers by local mode.

It is strict as Qdrant Cloud is: a filter or formula on a payload key without an index is refused.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from qdrant_client import QdrantClient
from qdrant_client import models as m

from fake_http import Fault, Node, RefusalError

_PAGE = b"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>nginx</body>\r\n</html>\r\n"


class FakeQdrant:
    """A server, or a cluster whose nodes have everything.

    Args:
        key: May do everything; ``""`` lets everybody in.
        read_key: May only read.
        version: What it says of itself.
        hosts: One node listens on each; the first one is :attr:`url`'s.
        tls: Makes the nodes speak TLS.
        limit: Bytes of the largest request.
        proxy_limit: Bytes of the largest request that a proxy before it lets through.
        strict: Limits that every collection is made with.
    """

    def __init__(
        self,
        *,
        key: str = "",
        read_key: str = "",
        version: str = "1.20.1",
        hosts: Sequence[str] = ("127.0.0.1",),
        tls: ssl.SSLContext | None = None,
        limit: int = 32 << 20,
        proxy_limit: int = 1 << 40,
        strict: m.StrictModeConfig | None = None,
    ) -> None:
        self.key = key
        self.read_key = read_key
        self.version = version
        self.limit = limit
        self.proxy_limit = proxy_limit
        self.strict = strict
        self.majority = True
        self.spoils = False
        self.written: list[int] = []
        self.refused = 0
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.local = QdrantClient(":memory:")
        self.indexes: dict[str, set[str]] = {}
        self.created: dict[str, m.CreateCollection] = {}
        self.lock = threading.Lock()
        self.nodes = [Node(self, host, tls) for host in hosts]

    @property
    def url(self) -> str:
        return self.nodes[0].url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self.nodes:
            node.stop()
        self.local.close()

    def next_fault(self, path: str) -> Fault | None:
        if not self.faults or self.faults[0].path not in path:
            return None
        fault = self.faults.popleft()
        if fault.after == 0:
            return fault
        self.faults.appendleft(replace(fault, after=fault.after - 1))
        return None

    def respond(self, node: Node, method: str, path: str, headers: dict[str, str], content: bytes) -> Any:
        """Do what one request asks for: the limits and rights first, then :meth:`answer`."""
        self.requests.append((method, path))
        self.headers.append(headers)
        path = path.partition("?")[0]
        if path == "/":
            return {"title": "qdrant - vector search engine", "version": self.version}
        self.refused += len(content) > min(self.limit, self.proxy_limit)
        if len(content) > self.proxy_limit:
            raise RefusalError(413, body=_PAGE)
        if len(content) > self.limit:
            reason = f"JSON payload ({len(content)} bytes) is larger than allowed (limit: {self.limit} bytes)."
            raise RefusalError(400, reason)
        self._check_rights(method, path, headers.get("api-key", ""))
        try:
            return self.answer(node, method, path, json.loads(content) if content else None)
        except (LookupError, ValidationError, ValueError, AssertionError) as error:
            reason = str(error)
            missing = re.fullmatch(r"Collection (.*) not found", reason)
            if missing:
                raise RefusalError(404, f"Not found: Collection `{missing[1]}` doesn't exist!") from error
            raise RefusalError(409 if "already exists" in reason else 400, reason) from error

    def _check_rights(self, method: str, path: str, key: str) -> None:
        if not self.key or key == self.key:
            return
        if key == "expired":
            raise RefusalError(403, body=b"ExpiredSignature")
        if not key:
            raise RefusalError(401, body=b"Must provide an API key or an Authorization bearer token")
        if key != self.read_key:
            raise RefusalError(401, body=b"Invalid API key or JWT")
        reads = method == "GET" or (
            method == "POST" and re.search(r"/points(/(query|scroll|count|search|facet).*)?$", path)
        )
        if not reads:
            raise RefusalError(403, "Forbidden: Global manage access is required")

    def _check_strict(self, count: int, what: str, allowed: int | None) -> None:
        if allowed is not None and count > allowed:
            raise ValueError(
                f'Bad request: Limit exceeded {count} > {allowed} for "{what}". '
                f'Help: Reduce the "{what}" parameter to or below {allowed}.'
            )

    def answer(self, node: Node, method: str, path: str, body: Any) -> Any:
        """Do what one request asks for and return the ``result`` of its answer."""
        client = self.local
        parts = path.strip("/").split("/")
        if not self.majority and method != "GET" and (len(parts) < 3 or parts[2] != "points"):
            raise RefusalError(
                500, "Service internal error: Failed to propose operation: leader is not established within 10s"
            )
        match [method, *parts]:
            case ["GET", "cluster"]:
                return self._cluster(node)
            case ["GET", "aliases"]:
                return client.get_aliases()
            case ["POST", "collections", "aliases"]:
                return client.update_collection_aliases(m.ChangeAliasesOperation.model_validate(body).actions)
            case ["GET", "collections"]:
                return client.get_collections()
            case ["GET", "collections", name]:
                known = to_jsonable_python(client.get_collection(name))
                known["config"]["strict_mode_config"] = to_jsonable_python(self.strict)
                return known
            case ["GET", "collections", name, "cluster"]:
                return self._shards(node, name)
            case ["GET", "collections", name, "exists"]:
                return {"exists": client.collection_exists(name)}
            case ["PUT", "collections", name]:
                wanted = m.CreateCollection.model_validate(body)
                if name in {alias.alias_name for alias in client.get_aliases().aliases}:
                    raise ValueError(
                        f"Can't create collection with name {name}. Alias with the same name already exists"
                    )
                made = client.create_collection(
                    name,
                    vectors_config=wanted.vectors,
                    sparse_vectors_config=wanted.sparse_vectors,
                    metadata=wanted.metadata,
                )
                self.created[name], self.indexes[name] = wanted, set()
                return made
            case ["PATCH", "collections", name]:
                return client.update_collection(name, metadata=m.UpdateCollection.model_validate(body).metadata)
            case ["DELETE", "collections", name]:
                return client.delete_collection(name)
            case ["PUT", "collections", name, "index"]:
                self.indexes[name].add(m.CreateFieldIndex.model_validate(body).field_name)
                return _DONE
            case ["PUT", "collections", name, "points"]:
                points = m.PointsList.model_validate(body).points
                self._check_strict(len(points), "upsert limit", self.strict and self.strict.upsert_max_batchsize)
                self.written.append(len(points))
                if self.spoils:
                    points = [point.model_copy(update={"payload": {}}) for point in points]
                return client.upsert(name, points)
            case ["POST", "collections", name, "points"]:
                chosen = m.PointRequest.model_validate(body)
                return client.retrieve(name, chosen.ids, chosen.with_payload or False, chosen.with_vector or False)
            case ["POST", "collections", name, "points", "delete"]:
                return client.delete(name, TypeAdapter[Any](m.PointsSelector).validate_python(body))
            case ["POST", "collections", name, "points", "batch"]:
                operations = m.UpdateOperations.model_validate(body).operations
                client.batch_update_points(name, operations)
                return [_DONE] * len(operations)
            case ["POST", "collections", name, "points", "count"]:
                self._check_indexes(name, body)
                return client.count(name, m.CountRequest.model_validate(body).filter, exact=True)
            case ["POST", "collections", name, "points", "scroll"]:
                self._check_indexes(name, body)
                walk = m.ScrollRequest.model_validate(body)
                self._check_strict(walk.limit or 10, "limit", self.strict and self.strict.max_query_limit)
                points, following = client.scroll(
                    name,
                    scroll_filter=walk.filter,
                    limit=walk.limit or 10,
                    offset=walk.offset,
                    with_payload=walk.with_payload or False,
                    with_vectors=walk.with_vector or False,
                )
                return {"points": to_jsonable_python(points), "next_page_offset": following}
            case ["POST", "collections", name, "points", "query"]:
                return self._query(client, name, body)
            case ["POST", "collections", name, "points", "query", "batch"]:
                searches = body["searches"]
                self._check_strict(len(searches), "search limit", self.strict and self.strict.search_max_batchsize)
                return [self._query(client, name, search) for search in searches]
            case _:
                raise LookupError(f"no route {method} {path}")

    def _query(self, client: Any, name: str, body: Any) -> Any:
        self._check_indexes(name, body)
        query = m.QueryRequest.model_validate(body)
        self._check_strict(query.limit or 10, "limit", self.strict and self.strict.max_query_limit)
        return client.query_points(
            name,
            query=query.query,
            prefetch=query.prefetch,
            using=query.using,
            query_filter=query.filter,
            limit=query.limit or 10,
            offset=query.offset,
            with_payload=query.with_payload or False,
            with_vectors=query.with_vector or False,
        )

    def _cluster(self, node: Node) -> Any:
        """What a node says of its cluster; one node alone is none."""
        if len(self.nodes) == 1:
            return {"status": "disabled"}
        gone = {"count": 3, "latest_error": "connection refused", "latest_error_timestamp": "2026-11-27T00:00:00Z"}
        leader = {"leader": 0, "role": "Follower"} if self.majority else {"leader": None, "role": "PreCandidate"}
        return {
            "status": "enabled",
            "peer_id": self.nodes.index(node),
            "peers": {str(number): {"uri": f"{peer.url}/"} for number, peer in enumerate(self.nodes)},
            "raft_info": {"term": 1, "commit": 1, "pending_operations": 0, "is_voter": True, **leader},
            "consensus_thread_status": {"consensus_thread_status": "working", "last_update": "2026-11-27T00:00:00Z"},
            "message_send_failures": {f"{peer.url}/": gone for peer in self.nodes if not peer.running},
        }

    def _shards(self, node: Node, name: str) -> Any:
        """Where a collection's one shard is: on every node."""
        self.local.get_collection(name)
        own = self.nodes.index(node)
        others = [
            {"shard_id": 0, "peer_id": number, "state": "Active" if peer.running else "Dead"}
            for number, peer in enumerate(self.nodes)
            if number != own
        ]
        count = self.local.count(name).count
        local = [{"shard_id": 0, "points_count": count, "state": "Active"}]
        return {"peer_id": own, "shard_count": 1, "local_shards": local, "remote_shards": others, "shard_transfers": []}

    def _check_indexes(self, name: str, body: Any) -> None:
        missing = sorted(set(_keys(body)) - self.indexes.get(self.local_name(name), set()))
        if missing:
            raise ValueError(f"Index required but not found for {missing[0]!r}")

    def local_name(self, name: str) -> str:
        aliases = {alias.alias_name: alias.collection_name for alias in self.local.get_aliases().aliases}
        return aliases.get(name, name)


_DONE = {"operation_id": 0, "status": "completed"}


def _keys(body: Any) -> Iterator[str]:
    """Payload keys that a request filters on, orders by, or reads in a formula."""
    if isinstance(body, dict):
        if isinstance(body.get("key"), str):
            yield body["key"]
        if isinstance(body.get("order_by"), str):
            yield body["order_by"]
        if "formula" in body:
            yield from (name for name in _strings(body["formula"]) if re.fullmatch(r"[a-z_]+", name))
        for name, part in body.items():
            if name != "payload":
                yield from _keys(part)
    elif isinstance(body, list):
        for part in body:
            yield from _keys(part)


def _strings(expression: Any) -> Iterator[str]:
    if isinstance(expression, str):
        yield expression
    elif isinstance(expression, dict) and "key" not in expression:
        for part in expression.values():
            yield from _strings(part)
    elif isinstance(expression, list):
        for part in expression:
            yield from _strings(part)

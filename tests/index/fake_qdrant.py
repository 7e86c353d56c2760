"""A small Qdrant server for tests: REST on 127.0.0.1, bodies read with Qdrant's own models, answers by local mode.

It is strict as Qdrant Cloud is: a filter or formula on a payload key without an index is refused.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python
from qdrant_client import QdrantClient
from qdrant_client import models as m


@dataclass(frozen=True)
class Fault:
    """What the next matching request gets in place of its answer.

    ``cut`` breaks the connection in the middle of the answer; ``lost`` does the work first, then fails.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False
    lost: bool = False
    body: bytes | None = None
    path: str = ""


class FakeQdrant:
    def __init__(self, *, key: str = "", version: str = "1.20.1") -> None:
        self.key = key
        self.version = version
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[str, str]] = []
        self.local = QdrantClient(":memory:")
        self.indexes: dict[str, set[str]] = {}
        self.created: dict[str, m.CreateCollection] = {}
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.local.close()

    def next_fault(self, path: str) -> Fault | None:
        if self.faults and self.faults[0].path in path:
            return self.faults.popleft()
        return None

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Do what one request asks for and return the ``result`` of its answer."""
        client = self.local
        match [method, *path.strip("/").split("/")]:
            case ["GET", "aliases"]:
                return client.get_aliases()
            case ["POST", "collections", "aliases"]:
                return client.update_collection_aliases(m.ChangeAliasesOperation.model_validate(body).actions)
            case ["GET", "collections"]:
                return client.get_collections()
            case ["GET", "collections", name]:
                return client.get_collection(name)
            case ["GET", "collections", name, "exists"]:
                return {"exists": client.collection_exists(name)}
            case ["PUT", "collections", name]:
                wanted = m.CreateCollection.model_validate(body)
                self.created[name], self.indexes[name] = wanted, set()
                return client.create_collection(
                    name,
                    vectors_config=wanted.vectors,
                    sparse_vectors_config=wanted.sparse_vectors,
                    metadata=wanted.metadata,
                )
            case ["PATCH", "collections", name]:
                return client.update_collection(name, metadata=m.UpdateCollection.model_validate(body).metadata)
            case ["DELETE", "collections", name]:
                return client.delete_collection(name)
            case ["PUT", "collections", name, "index"]:
                self.indexes[name].add(m.CreateFieldIndex.model_validate(body).field_name)
                return _DONE
            case ["PUT", "collections", name, "points"]:
                return client.upsert(name, m.PointsList.model_validate(body).points)
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
                self._check_indexes(name, body)
                query = m.QueryRequest.model_validate(body)
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
            case _:
                raise LookupError(f"no route {method} {path}")

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


def _handler(fake: FakeQdrant) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with fake.lock:
                fake.requests.append((self.command, self.path))
                fault = fake.next_fault(path)
                status, result = self._answer(path, content) if fault is None or fault.lost else (fault.status, None)
            headers: dict[str, str] = {}
            said: Any = {"result": to_jsonable_python(result), "status": "ok", "time": 0.0}
            if path == "/":
                said = result
            elif status >= 400:
                said = {"status": {"error": result or "injected"}, "time": 0.0}
            reply = json.dumps(said).encode()
            if fault is not None:
                time.sleep(fault.delay_s)
                status, headers, reply = fault.status, fault.headers, fault.body or reply
            self.close_connection = True
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply[: len(reply) // 2] if fault is not None and fault.cut else reply)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def _answer(self, path: str, content: bytes) -> tuple[int, Any]:
            if path == "/":
                return 200, {"title": "qdrant - vector search engine", "version": fake.version}
            if fake.key and self.headers.get("api-key") != fake.key:
                return 401, "Must provide an API key or an Authorization bearer token"
            try:
                result = fake.answer(self.command, path, json.loads(content) if content else None)
            except (LookupError, ValidationError, ValueError, AssertionError) as error:
                return (404 if re.fullmatch(r"Collection .* not found", str(error)) else 400), str(error)
            return 200, result.model_dump(mode="json") if isinstance(result, BaseModel) else result

        def log_message(self, *args: Any) -> None:
            pass

    return Handler

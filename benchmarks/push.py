"""Copying a collection to a server in bulk: reading it, writing JSON, and sending; microseconds a sticker.

The server is a process that reads requests and says yes, so that the figures are the client's own work; 1,000,000
divided by a figure is stickers a second. ``--size`` is the number of stickers, of 174 numbers each. *Bare upserts* send
requests that were written beforehand, one after the other over one connection: nothing that copies a collection can be
quicker. The client's ``upsert`` builds a model for each point, from the same embedded collection.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

import httpx
import numpy as np
from qdrant_client import QdrantClient
from qdrant_client import models as m

from benchmarks.indexed import BATCH, points, published
from benchmarks.measure import Row, compare, take_turns
from benchmarks.options import Options
from benchmarks.synthetic import stickers
from persrv.catalog.batches import chunks
from persrv.index.address import Address
from persrv.index.calls import Calls, Retry
from persrv.index.client_translator import encode_point
from persrv.index.engine import Collection
from persrv.index.language import Point
from persrv.index.nodes import Node, Nodes
from persrv.index.uploads import UploadLimits, Uploads
from persrv.recipe import Text
from persrv.text.bm25f import SparseVector

STICKERS, TURNS = 20_000, 5

_VERSION = "benchmark_20261127T000000Z-000000"
_DONE = json.dumps({"result": {"operation_id": 0, "status": "completed"}, "status": "ok", "time": 0.0}).encode()


def run(options: Options) -> list[Row]:
    """Copy the same collection in each of the ways, in turns."""
    size, turns = options.size or STICKERS, options.repetitions or TURNS
    made = stickers(size, seed=7)
    with published(points(made, Text()), size) as source, _server() as url, closing(_client(url)) as client:
        calls = Calls(Nodes([Node(Address.read(url), client)]), False, 60.0, Retry())
        bodies = [_body(batch) for batch in chunks(_read(source), BATCH)]
        ways: list[Callable[[], object]] = [
            lambda: Uploads(calls, _VERSION, 1, UploadLimits()).load(_read(source)),
            lambda: _bare(url, bodies),
            lambda: _upserts(client, source),
        ]
        measured = take_turns(turns, *(lambda way=way: _seconds(way) for way in ways))
    (ours, our_work), (bare, _), (upserts, their_work) = (1e6 / size * np.array(times).T for times in measured)
    rate = f"{1e6 / float(np.median(our_work)):,.0f} stickers a second of one core; the aim is 8,000"
    return [
        compare("push", ours, "bare upserts", bare, "µs"),
        compare("push", ours, "QdrantClient.upsert", upserts, "µs"),
        compare("push, processor time", our_work, "QdrantClient.upsert", their_work, "µs", rate),
    ]


def _seconds(way: Callable[[], object]) -> tuple[float, float]:
    """Return the time that passed, and that of this process on a processor: the second hardly depends on the load."""
    started, worked = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - started, time.process_time() - worked


def _read(source: Collection) -> Iterator[Point]:
    for record in source.scroll(with_vectors=source.schema.vectors, batch=BATCH):
        yield Point(record.id, record.vectors, record.payload)


def _bare(url: str, bodies: list[bytes]) -> None:
    with httpx.Client(base_url=url) as connection:
        for body in bodies:
            connection.put(f"/collections/{_VERSION}/points", content=body).raise_for_status()


def _upserts(client: QdrantClient, source: Collection) -> None:
    for batch in chunks(_read(source), BATCH):
        client.upsert(_VERSION, [_model(point) for point in batch], wait=False)


def _body(batch: list[Point]) -> bytes:
    return b'{"points":[' + b",".join(map(encode_point, batch)) + b"]}"


def _model(point: Point) -> m.PointStruct:
    vectors: dict[str, Any] = dict(point.vectors)
    for name, vector in point.vectors.items():
        if isinstance(vector, SparseVector):
            vectors[name] = m.SparseVector(indices=vector.indices, values=vector.values)
    return m.PointStruct(id=point.id, vector=vectors, payload=dict(point.payload))


def _client(url: str) -> QdrantClient:
    limits = httpx.Limits(max_keepalive_connections=4)
    return QdrantClient(url=url, check_compatibility=False, timeout=60, limits=limits)


@contextmanager
def _server() -> Iterator[str]:
    """Run the server in a process of its own, so that it does not share this one's interpreter."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(started: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    started.send(server.server_address[1])
    server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(_DONE)))
        self.end_headers()
        self.wfile.write(_DONE)

    def log_message(self, *args: object) -> None:
        """Say nothing."""

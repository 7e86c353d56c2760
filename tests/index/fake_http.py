"""What the fake server listens on: real sockets with connections that are kept, TLS, faults, and power switches."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from pydantic_core import to_jsonable_python


@dataclass(frozen=True)
class Fault:
    """What the next matching request gets in place of its answer.

    ``cut`` breaks the connection in the middle of the answer; ``lost`` does the work first, then fails; ``after`` lets
    that many matching requests through.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False
    lost: bool = False
    body: bytes | None = None
    path: str = ""
    after: int = 0


class RefusalError(Exception):
    """What the server answers in place of a result; ``body`` as it is, ``reason`` in Qdrant's JSON."""

    def __init__(self, status: int, reason: str = "", body: bytes | None = None) -> None:
        self.status = status
        self.reason = reason
        self.body = body
        super().__init__(status, reason)


class Backend(Protocol):
    """Answers requests; one at a time."""

    lock: threading.Lock

    def next_fault(self, path: str) -> Fault | None: ...

    def respond(self, node: Node, method: str, path: str, headers: dict[str, str], content: bytes) -> Any:
        """Return what stands in ``result``, or raise :class:`RefusalError`."""
        ...


class Node:
    """One address at which the backend answers; it can be stopped, which cuts its connections, and started again.

    Attributes:
        connections: Connections that were opened to it.
        requests: Requests that came to it.
    """

    def __init__(self, backend: Backend, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.requests = 0
        self._backend = backend
        self._host = host
        self._tls = tls
        self._port = 0
        self._server: _Server | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._host}:{self._port}"

    @property
    def running(self) -> bool:
        return self._server is not None

    def start(self) -> None:
        self._server = _Server((self._host, self._port), _handler(self._backend, self), self._tls)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._thread.join()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: Any, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, client = super().get_request()
        if self._tls is not None:
            # The handshake waits for the first read, in the connection's own thread.
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, client

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for connection in list(self._open):
            self.shutdown_request(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or does not speak TLS, is no news."""


def _handler(backend: Backend, node: Node) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave in one piece: in two, the second waits 40 ms on a connection that is kept.
        wbufsize = 1 << 20
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            node.connections += 1

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = {name.lower(): value for name, value in self.headers.items()}
            with backend.lock:
                node.requests += 1
                fault = backend.next_fault(path)
                status, reply = 0, b""
                if fault is None or fault.lost:
                    status, reply = self._respond(path, sent, content)
            headers: dict[str, str] = {}
            if fault is not None:
                time.sleep(fault.delay_s)
                status, headers = fault.status, fault.headers
                reply = fault.body or _json({"status": {"error": "injected"}, "time": 0.0})
                if status == 200 and fault.body is None:
                    reply = _json({"result": None, "status": "ok", "time": 0.0})
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if reply[:1] == b"{" else "text/html")
            self.send_header("Content-Length", str(len(reply)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            cut = fault is not None and fault.cut
            self.close_connection = self.close_connection or cut
            self.wfile.write(reply[: len(reply) // 2] if cut else reply)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

        def _respond(self, path: str, headers: dict[str, str], content: bytes) -> tuple[int, bytes]:
            try:
                result = backend.respond(node, self.command, self.path, headers, content)
            except RefusalError as refusal:
                refused = {"status": {"error": refusal.reason}, "time": 0.0}
                return refusal.status, _json(refused) if refusal.body is None else refusal.body
            whole = result if path == "/" else {"result": result, "status": "ok", "time": 0.0}
            return 200, _json(whole)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def _json(body: Any) -> bytes:
    return json.dumps(to_jsonable_python(body)).encode()

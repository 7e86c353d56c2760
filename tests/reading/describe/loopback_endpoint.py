"""An HTTP server on this machine that answers chat completions as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One HTTP answer.

    Attributes:
        status: HTTP status.
        body: Sent as it is.
        headers: Besides length and type.
        delay: Seconds before anything is sent.
        missing: Bytes that the length promises and that never come.
        drip: Seconds between single bytes.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    missing: int = 0
    drip: float = 0.0


def completion(content: Any, **message: Any) -> Answer:
    """Return a chat completion with this content; ``finish_reason`` may be given."""
    reason = message.pop("finish_reason", "stop")
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": content, **message}}
    return Answer(body=json.dumps({"object": "chat.completion", "choices": [choice]}).encode())


def failed(status: int, message: str = "", **headers: str) -> Answer:
    """Return an error in OpenAI's form."""
    return Answer(status, json.dumps({"error": {"message": message}}).encode(), headers)


@dataclass
class Endpoint:
    """A running server.

    Attributes:
        url: For ``describe.base_url``.
        requests: Every request: path, headers, JSON body, in the order of their arrival.
        most_at_once: Largest number of requests that were being answered at one time.
    """

    url: str
    requests: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    most_at_once: int = 0


@contextmanager
def serving(answer: Callable[[int, dict[str, Any]], Answer]) -> Iterator[Endpoint]:
    """Serve while the block runs.

    Args:
        answer: Called with the request's number, from 0, and its body.
    """
    lock = threading.Lock()
    running = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal running
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                running += 1
                endpoint.most_at_once = max(endpoint.most_at_once, running)
                number = len(endpoint.requests)
                endpoint.requests.append((self.path, dict(self.headers.items()), body))
            try:
                self._send(answer(number, body))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with lock:
                    running -= 1

        def _send(self, given: Answer) -> None:
            time.sleep(given.delay)
            self.send_response(given.status)
            self.send_header("Content-Length", str(len(given.body) + given.missing))
            for name, value in given.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if given.drip:
                for byte in given.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(given.drip)
            else:
                self.wfile.write(given.body)
            if given.missing:
                self.wfile.flush()
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

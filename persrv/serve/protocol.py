"""uvicorn's protocol, with a bound on what comes before a request's body: httptools would keep an endless header."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 65_536
"""Bytes of a request's line and headers; no query that a search takes is a tenth of it."""


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request whose head goes on beyond the bound, and hangs up."""

    _head = 0
    _in_head = False

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request's line and headers are too large.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        self._head, self._in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is over."""
        self._in_head = False
        super().on_headers_complete()

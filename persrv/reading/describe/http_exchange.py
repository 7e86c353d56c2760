"""One JSON request and its answer over HTTP, bounded in time and size, with every fault as a value."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

_LARGEST = 2**20
"""Bytes of an answer. A description has a few hundred; more comes from something else than a model."""
_LONGEST_WAIT = 60.0
_FIRST_WAIT = 0.5


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered.

    Attributes:
        status: The HTTP status.
        content: The JSON value, ``None`` where the body is no JSON.
        retry_after: Seconds that the server asks to wait, 0 where it does not.
    """

    status: int
    content: Any
    retry_after: float

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later: too many requests, a failing server, a garbled answer."""
        return self.status in (408, 409, 429) or self.status >= 500 or (self.status == 200 and self.content is None)

    @property
    def complaint(self) -> str:
        """What the server says is wrong, in one short line, ``""`` where it says nothing."""
        complaint = self.content.get("error", self.content) if isinstance(self.content, dict) else self.content
        complaint = (
            complaint.get("message", complaint.get("detail", complaint)) if isinstance(complaint, dict) else complaint
        )
        return " ".join(str(complaint).split())[:200] if complaint else ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer, each a thing that may pass.

    Attributes:
        reason: For people.
        unreachable: Whether not even a connection came about.
    """

    reason: str
    unreachable: bool = False


def post(client: httpx.Client, url: str, body: dict[str, Any], timeout_s: float) -> Reply | Fault:
    """Send one request.

    Args:
        client: Carries headers and connections.
        url: Where to.
        body: JSON-safe.
        timeout_s: For connecting, and for the whole answer: a server that sends a byte now and then is stopped too.
    """
    deadline = time.monotonic() + timeout_s
    received = bytearray()
    try:
        with client.stream("POST", url, json=body, timeout=timeout_s) as response:
            for part in response.iter_bytes():
                received += part
                if len(received) > _LARGEST:
                    return Fault(f"the answer is larger than {_LARGEST} bytes")
                if time.monotonic() > deadline:
                    return Fault(f"the answer was not complete after {timeout_s:g} s")
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        return Fault(str(error) or "no connection", unreachable=True)
    except httpx.TimeoutException:
        return Fault(f"no answer within {timeout_s:g} s")
    except (httpx.TransportError, httpx.DecodingError) as error:
        return Fault(f"the connection broke: {error}")
    try:
        content = json.loads(received)
    except (ValueError, RecursionError):
        content = None
    return Reply(response.status_code, content, _retry_after(response.headers.get("retry-after", "")))


def wait_before(attempt: int, retry_after: float) -> float:
    """Return seconds to wait before the next attempt: 0.5, 1, 2, … up to 60, or what the server asks, up to 60.

    Args:
        attempt: Attempts that failed so far, >= 1.
        retry_after: What the server asked for, 0 for nothing.
    """
    return min(_LONGEST_WAIT, max(retry_after, _FIRST_WAIT * 2.0 ** min(attempt - 1, 10)))


def _retry_after(header: str) -> float:
    """Return the seconds in a ``Retry-After`` header: a number, or a date (RFC 9110, 10.2.3)."""
    if header.strip().isdecimal():
        return float(header[:9])
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())

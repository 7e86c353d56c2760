"""Kinds of failed calls to a Qdrant server: which may pass, which another node may answer."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator

import httpx
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

Failure = QdrantException | UnexpectedResponse | ResponseHandlingException | json.JSONDecodeError

FAILURES = (QdrantException, UnexpectedResponse, ResponseHandlingException, json.JSONDecodeError)
"""Everything that the client raises when a call fails."""

FULL = "No space left on device"
"""What a server says whose disk is full."""

SHOWN = 300
"""Characters of an answer that are shown."""

_PASSING = (408, 429)
_WITHOUT_MAJORITY = re.compile(r"leader is not established|consensus operation commit failed", re.IGNORECASE)


def may_pass(error: Failure) -> bool:
    """Return whether the same call may succeed a moment later."""
    if isinstance(error, UnexpectedResponse):
        status = error.status_code or 0
        return (status in _PASSING or status >= 500) and FULL not in reason_of(error)
    return not any(isinstance(cause, ssl.SSLError | socket.gaierror) for cause in causes(error))


def without_majority(error: Failure) -> bool:
    """Return whether a node says that the nodes of its cluster do not agree on a change."""
    return isinstance(error, UnexpectedResponse) and bool(_WITHOUT_MAJORITY.search(reason_of(error)))


def no_answer(error: Failure) -> bool:
    """Return whether the call ran out of time."""
    return isinstance(error, ResponseHandlingException) and isinstance(error.source, httpx.ReadTimeout)


def another_may_answer(error: Failure) -> bool:
    """Return whether another node of the same cluster may answer where this one did not."""
    return may_pass(error) or isinstance(error, ResponseHandlingException)


def without_collection(error: Failure) -> bool:
    """Return whether a node does not know the collection: another one may have heard of it already."""
    return isinstance(error, UnexpectedResponse) and error.status_code == 404 and "Collection" in reason_of(error)


def reason_of(error: UnexpectedResponse) -> str:
    """Return what the server says is wrong, cut after 300 characters."""
    try:
        text = json.loads(error.content)["status"]["error"]
    except (ValueError, KeyError, TypeError):
        text = error.content.decode(errors="replace").strip() or error.reason_phrase
    return str(text)[:SHOWN]


def causes(error: Failure) -> Iterator[BaseException]:
    """Yield what led to a failure, the nearest first."""
    cause: BaseException | None = error.source if isinstance(error, ResponseHandlingException) else error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__

"""Calls to a Qdrant server: bounded retries, and its failures in our words."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from persrv.errors import BuildGoneError, IndexUnavailableError, PersrvError, QueryError, VectorIndexError

_Answer = TypeVar("_Answer")
_Failure = QdrantException | UnexpectedResponse | ResponseHandlingException | json.JSONDecodeError

_FAILURES = (QdrantException, UnexpectedResponse, ResponseHandlingException, json.JSONDecodeError)
_TOO_MANY_REQUESTS = 429
_START_IT = "start it (docker compose up -d), or correct [index] location"


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how long a failed call is tried again.

    Every call that we make can be repeated without harm: writes are whole points or whole values by id.

    Attributes:
        attempts: Calls in all, >= 1.
        first_wait_s: Upper bound of the first wait; it doubles from call to call. The wait is drawn between half of
            the bound and the bound, so that many clients do not come back at once.
        longest_wait_s: Bound of every wait; a server that asks for more (``Retry-After``) gets no further call.
        patience_s: No further call is made this many seconds after the first one.
        sleep: Waits for a number of seconds.
    """

    attempts: int = 4
    first_wait_s: float = 0.2
    longest_wait_s: float = 10.0
    patience_s: float = 20.0
    sleep: Callable[[float], None] = time.sleep

    def wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Return how long to wait after a failed attempt, counted from 0, given what the server asked for."""
        bound = min(self.first_wait_s * 2**attempt, self.longest_wait_s)
        drawn = secrets.SystemRandom().uniform(bound / 2, bound)
        return drawn if asked_s is None else asked_s


@dataclass(frozen=True, slots=True)
class Calls:
    """Makes calls to one server.

    Attributes:
        where: The server's address, for the errors' texts.
        timeout_s: Seconds that the client waits for an answer, for the errors' texts.
        retry: When to try again.
    """

    where: str
    timeout_s: float
    retry: Retry

    def read(self, call: Callable[[], _Answer]) -> _Answer:
        """Make a call that asks for something.

        Raises:
            QueryError: The server refuses the request.
            BuildGoneError: The collection is not there (any more).
            IndexUnavailableError: The server cannot be reached, or refuses us.
        """
        return self._make(call, QueryError)

    def write(self, call: Callable[[], _Answer]) -> _Answer:
        """Make a call that changes something.

        Raises:
            VectorIndexError: The server refuses the change.
            BuildGoneError: The collection is not there (any more).
            IndexUnavailableError: The server cannot be reached, or refuses us.
        """
        return self._make(call, VectorIndexError)

    def _make(self, call: Callable[[], _Answer], refused: type[PersrvError]) -> _Answer:
        started, attempt = time.monotonic(), 0
        while True:
            try:
                return call()
            except _FAILURES as error:
                attempt += 1
                wait_s = self.retry.wait_s(attempt - 1, _asked_wait_s(error))
                patient = time.monotonic() - started < self.retry.patience_s
                if (
                    not _may_pass(error)
                    or attempt >= self.retry.attempts
                    or wait_s > self.retry.longest_wait_s
                    or not patient
                ):
                    raise self._explained(error, refused, attempt) from error
            self.retry.sleep(wait_s)

    def _explained(self, error: _Failure, refused: type[PersrvError], attempts: int) -> PersrvError:
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        match error:
            case UnexpectedResponse(status_code=401 | 403):
                return IndexUnavailableError(
                    f"the Qdrant server {self.where} refuses our key: {_reason(error)}",
                    "set QDRANT_API_KEY to the server's key (its read-only key may search, but not write)",
                )
            case UnexpectedResponse(status_code=404):
                return BuildGoneError(
                    f"the Qdrant server {self.where} says: {_reason(error)}", "open the collection again, or build it"
                )
            case ResourceExhaustedResponse():
                return IndexUnavailableError(
                    f"the Qdrant server {self.where} is too busy and asks to wait {error.retry_after_s} s{tried}",
                    "try again later, or raise the server's limits",
                )
            case UnexpectedResponse(status_code=status) if not _may_pass(error):
                return refused(
                    f"the Qdrant server {self.where} refuses the request with {status}: {_reason(error)}",
                    "correct what it names",
                )
            case UnexpectedResponse():
                return IndexUnavailableError(
                    f"the Qdrant server {self.where} failed with {error.status_code}{tried}: {_reason(error)}",
                    "look at its log (docker compose logs qdrant)",
                )
            case ResponseHandlingException(source=httpx.ConnectTimeout() | httpx.ConnectError()):
                return IndexUnavailableError(
                    f"the Qdrant server {self.where} cannot be reached{tried}: {error.source}", _START_IT
                )
            case ResponseHandlingException(source=httpx.TimeoutException()):
                return IndexUnavailableError(
                    f"the Qdrant server {self.where} did not answer within {self.timeout_s:g} s{tried}",
                    "raise [index] timeout_s, or look at the server's load",
                )
            case _:
                source = error.source if isinstance(error, ResponseHandlingException) else error
                return IndexUnavailableError(
                    f"the answer of the Qdrant server {self.where} cannot be read{tried}: {source!r}",
                    "check that the address is a Qdrant server's, and what stands between",
                )


def _may_pass(error: _Failure) -> bool:
    if isinstance(error, UnexpectedResponse):
        status = error.status_code or 0
        return status == _TOO_MANY_REQUESTS or status >= 500
    return True


def _asked_wait_s(error: _Failure) -> float | None:
    return float(error.retry_after_s) if isinstance(error, ResourceExhaustedResponse) else None


def _reason(error: UnexpectedResponse) -> str:
    try:
        said = json.loads(error.content)["status"]["error"]
    except (ValueError, KeyError, TypeError):
        said = error.content.decode(errors="replace").strip() or error.reason_phrase
    return str(said)[:300]

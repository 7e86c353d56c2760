"""Calls to a Qdrant server: bounded retries, and its failures in our words."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from qdrant_client.common.client_exceptions import ResourceExhaustedResponse

from persrv.errors import PersrvError, QueryError, VectorIndexError
from persrv.index.address import Address
from persrv.index.failures import FAILURES, Circumstances, Failure, may_pass

_Answer = TypeVar("_Answer")


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
        address: Where the server is.
        with_key: Whether the client sends a key, for the errors' texts.
        timeout_s: Seconds that the client waits for an answer, for the errors' texts.
        retry: When to try again.
    """

    address: Address
    with_key: bool
    timeout_s: float
    retry: Retry

    @property
    def where(self) -> str:
        """The server's address, for the errors' texts."""
        return self.address.url

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
            except FAILURES as error:
                attempt += 1
                wait_s = self.retry.wait_s(attempt - 1, _asked_wait_s(error))
                patient = time.monotonic() - started < self.retry.patience_s
                if (
                    not may_pass(error)
                    or attempt >= self.retry.attempts
                    or wait_s > self.retry.longest_wait_s
                    or not patient
                ):
                    failed = Circumstances(self.address, self.with_key, self.timeout_s, attempt, refused)
                    raise failed.explain(error) from error
            self.retry.sleep(wait_s)


def _asked_wait_s(error: Failure) -> float | None:
    return float(error.retry_after_s) if isinstance(error, ResourceExhaustedResponse) else None

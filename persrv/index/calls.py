"""Calls to a Qdrant server: which node, bounded retries, and failures in our words."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse

from persrv.errors import IndexUnavailableError, PersrvError, QueryError, VectorIndexError
from persrv.index.cluster import majority_problem
from persrv.index.explanations import Circumstances, no_majority
from persrv.index.failures import (
    FAILURES,
    Failure,
    another_may_answer,
    may_pass,
    no_answer,
    without_collection,
    without_majority,
)
from persrv.index.nodes import Node, Nodes

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how long a failed call is tried again.

    Every call that we make can be repeated without harm: writes are whole points or whole values by id.

    Attributes:
        attempts: Calls to each node, >= 1.
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
    """Makes calls to one server or cluster.

    A node that fails is passed over at once; only when all of them have failed is there a wait. What changes something,
    and what must see the change, goes to the first node that is well; searches go round.

    Attributes:
        nodes: Who answers.
        with_key: Whether the clients send a key, for the errors' texts.
        timeout_s: Seconds that a client waits for an answer, for the errors' texts.
        retry: When to try again.
    """

    nodes: Nodes
    with_key: bool
    timeout_s: float
    retry: Retry

    @property
    def where(self) -> str:
        """The first node's address, for the errors' texts."""
        return self.nodes.first.address.url

    def search(self, call: Callable[[QdrantClient], _Answer]) -> _Answer:
        """Make a call that asks a published version for something, of any node.

        Raises:
            QueryError: The server refuses the request.
            BuildGoneError: The collection is not there (any more).
            IndexUnavailableError: No node can be reached, or they refuse us.
        """
        return self._make(call, QueryError, self.nodes.in_turn, without_collection)

    def read(self, call: Callable[[QdrantClient], _Answer]) -> _Answer:
        """Make a call that asks for something and must see what was written before; errors as :meth:`search`."""
        return self._make(call, QueryError, self.nodes.in_order)

    def write(self, call: Callable[[QdrantClient], _Answer]) -> _Answer:
        """Make a call that changes something.

        Raises:
            VectorIndexError: The server refuses the change.
            BuildGoneError: The collection is not there (any more).
            IndexUnavailableError: No node can be reached, they refuse us, or they do not agree.
        """
        return self._make(call, VectorIndexError, self.nodes.in_order)

    def check_majority(self) -> None:
        """Refuse a cluster in which nothing can be changed.

        Raises:
            IndexUnavailableError: The node that changes would go to hears no majority of the others.
        """
        node = self.nodes.in_order()[0]
        if problem := majority_problem(node.client):
            what, next_step = no_majority(problem)
            raise IndexUnavailableError(f"the Qdrant server {node.address.url} {what}", next_step)

    def _make(
        self,
        call: Callable[[QdrantClient], _Answer],
        refused: type[PersrvError],
        order: Callable[[], list[Node]],
        not_yet_there: Callable[[Failure], bool] = lambda _: False,
    ) -> _Answer:
        started, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            for node in order():
                try:
                    answer = call(node.client)
                except FAILURES as error:
                    failed, at = error, node
                    if not another_may_answer(error) and not not_yet_there(error):
                        break
                    if may_pass(error):
                        self.nodes.failed(node)
                else:
                    self.nodes.answered(node)
                    return answer
            wait_s = self.retry.wait_s(attempt - 1, _asked_wait_s(failed))
            if (
                not may_pass(failed)
                or attempt >= self.retry.attempts
                or wait_s > self.retry.longest_wait_s
                or time.monotonic() - started >= self.retry.patience_s
            ):
                raise self._explained(failed, at, attempt, refused) from failed
            if refused is VectorIndexError and (no_answer(failed) or without_majority(failed)):
                self.check_majority()
            self.retry.sleep(wait_s)

    def _explained(self, error: Failure, node: Node, attempts: int, refused: type[PersrvError]) -> PersrvError:
        found = Circumstances(node.address, self.with_key, self.timeout_s, attempts, refused).explain(error)
        if len(self.nodes) > 1 and isinstance(found, IndexUnavailableError) and another_may_answer(error):
            return type(found)(f"none of {len(self.nodes)} nodes answers; {found.problem}", found.next_step)
        return found


def _asked_wait_s(error: Failure) -> float | None:
    return float(error.retry_after_s) if isinstance(error, ResourceExhaustedResponse) else None

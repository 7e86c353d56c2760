"""The nodes of one server or cluster: any of them answers, and one that fails is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from qdrant_client import QdrantClient

from persrv.index.address import Address

REST_S = 10.0
"""Seconds for which a node that failed is asked only when no other one answers."""


@dataclass(slots=True)
class Node:
    """One node.

    Attributes:
        address: Where it is.
        client: Speaks with it.
        rests_until: Reading of the clock up to which it is left alone.
    """

    address: Address
    client: QdrantClient
    rests_until: float = field(default=0.0, compare=False)


class Nodes:
    """All nodes, in the order of the recipe; safe to share among threads.

    Args:
        nodes: One or more.
        clock: Seconds, as :func:`time.monotonic` counts them.
    """

    def __init__(self, nodes: Sequence[Node], clock: Callable[[], float] = time.monotonic) -> None:
        self._nodes = tuple(nodes)
        self._clock = clock
        self._turn = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._nodes)

    @property
    def first(self) -> Node:
        """The node that is named first."""
        return self._nodes[0]

    def all(self) -> tuple[Node, ...]:
        """Return every node, whatever its state."""
        return self._nodes

    def in_order(self) -> list[Node]:
        """Return whom to ask one after the other: those that are well as they are named, then those that rest."""
        now = self._clock()
        return sorted(self._nodes, key=lambda node: node.rests_until if node.rests_until > now else 0.0)

    def in_turn(self) -> list[Node]:
        """Return whom to ask one after the other, another one first each time, so that the work is shared."""
        with self._lock:
            self._turn = (self._turn + 1) % len(self._nodes)
            turn = self._turn
        nodes = self.in_order()
        now = self._clock()
        well = [node for node in nodes if node.rests_until <= now]
        start = turn % len(well) if well else 0
        return [*well[start:], *well[:start], *nodes[len(well) :]]

    def failed(self, node: Node) -> None:
        """Leave a node alone for a while."""
        node.rests_until = self._clock() + REST_S

    def answered(self, node: Node) -> None:
        """Take a node that answers for well again."""
        node.rests_until = 0.0

    def close(self) -> None:
        """Close every connection."""
        for node in self._nodes:
            node.client.close()

"""qdrant-client's own imitation of a server in memory, as the oracle of the contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from qdrant_client import QdrantClient
from qdrant_client import models as m

from persrv.errors import BuildGoneError, PersrvError
from persrv.index.address import Address
from persrv.index.calls import Calls, Retry
from persrv.index.client_store import ClientStore
from persrv.index.nodes import Node, Nodes

T = TypeVar("T")


class MemoryClient(QdrantClient):
    """Local mode that also takes points as a server does, in the body of a request."""

    def __init__(self) -> None:
        super().__init__(":memory:")

    @property
    def http(self) -> Any:
        return self

    @property
    def client(self) -> Any:
        return self

    def request(self, *, content: bytes = b"", path_params: dict[str, str] | None = None, **_: Any) -> dict[str, Any]:
        if path_params:
            points = m.PointsList.model_validate(json.loads(content)).points
            self.upsert(path_params["collection_name"], points)
        return {}


class MemoryCalls(Calls):
    """Says of local mode's ``ValueError`` what a server would have answered."""

    def _make(self, call: Callable[[QdrantClient], T], refused: type[PersrvError], *_: Any) -> T:
        try:
            return call(self.nodes.first.client)
        except ValueError as error:
            raise (BuildGoneError if str(error).endswith("not found") else refused)(str(error), "see above") from error


def memory_store() -> ClientStore:
    """Return an empty store in memory."""
    nodes = Nodes([Node(Address("memory", "http", "localhost", 0), MemoryClient())])
    return ClientStore(MemoryCalls(nodes, False, 1.0, Retry(attempts=1)))

"""What a server says about its nodes and about where a collection's shards are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_client import QdrantClient

from persrv.errors import IndexUnavailableError
from persrv.index.address import Address
from persrv.index.explanations import Circumstances
from persrv.index.failures import FAILURES

_GLANCE_S = 2.0


@dataclass(frozen=True, slots=True)
class NodeState:
    """One address of the recipe.

    Attributes:
        url: The address.
        version: Of the server there, ``""`` where it does not answer.
        problem: Why it cannot be used fully, ``""`` where all is well.
    """

    url: str
    version: str
    problem: str

    def __str__(self) -> str:
        return f"{self.url}: {self.problem or self.version}"


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """One copy of one shard.

    Attributes:
        collection: The version's own Qdrant collection.
        shard: Its number, from 0.
        node: Where it is: an address within the cluster, ``"this node"`` without a cluster.
        state: In Qdrant's word; ``Active`` is well.
    """

    collection: str
    shard: int
    node: str
    state: str

    def __str__(self) -> str:
        return f"{self.collection}, shard {self.shard} on {self.node}: {self.state}"


def node_state(address: Address, client: QdrantClient, with_key: bool) -> NodeState:
    """Look at one node; it waits a few seconds at most."""
    try:
        answer = client.http.client.request(type_=dict[str, Any], method="GET", url="/", timeout=_GLANCE_S)
    except FAILURES as error:
        failed = Circumstances(address, with_key, _GLANCE_S, 1, IndexUnavailableError)
        return NodeState(address.url, "", failed.explain(error).problem)
    problem = majority_problem(client)
    return NodeState(address.url, str(answer.get("version", "")), f"hears no majority: {problem}" if problem else "")


def majority_problem(client: QdrantClient) -> str:
    """Return why a node cannot change anything, ``""`` where it can, is no part of a cluster, or does not say.

    It waits two seconds at most.
    """
    status = _ask(client, "/cluster")
    if status.get("status") != "enabled":
        return ""
    peers, silent = len(status["peers"]), len(status["message_send_failures"])
    raft = status["raft_info"]
    if (peers - silent) * 2 <= peers:
        return f"{silent} of its {peers} nodes do not answer it"
    if raft["leader"] is None or raft["role"] in ("Candidate", "PreCandidate"):
        return f"its {peers} nodes have no leader"
    return ""


def replicas(client: QdrantClient, collection: str) -> list[ReplicaState]:
    """Return every copy of every shard, by shard and node; empty where the server does not say."""
    status, shards = _ask(client, "/cluster"), _ask(client, f"/collections/{collection}/cluster")
    nodes = {int(peer): str(about["uri"]).rstrip("/") for peer, about in status.get("peers", {}).items()}
    own = nodes.get(shards.get("peer_id", 0), "this node")
    found = [(shard["shard_id"], own, shard["state"]) for shard in shards.get("local_shards", ())]
    found += [
        (shard["shard_id"], nodes.get(shard["peer_id"], str(shard["peer_id"])), shard["state"])
        for shard in shards.get("remote_shards", ())
    ]
    return [ReplicaState(collection, *each) for each in sorted(found)]


def _ask(client: QdrantClient, path: str) -> Mapping[str, Any]:
    """Return what stands in ``result``; as JSON, since the client's models grow with each version."""
    try:
        answer = client.http.client.request(type_=dict[str, Any], method="GET", url=path, timeout=_GLANCE_S)
    except FAILURES:
        return {}
    found = answer.get("result")
    return found if isinstance(found, dict) else {}

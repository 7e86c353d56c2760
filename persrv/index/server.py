"""A Qdrant server or cluster: the connection, its key and its version."""

from __future__ import annotations

import importlib.metadata
import logging
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path

import httpx
from qdrant_client import QdrantClient

from persrv.errors import IndexUnavailableError
from persrv.index.address import KEY_VARIABLE, Address
from persrv.index.calls import Calls, Retry
from persrv.index.client_store import ClientStore
from persrv.index.nodes import Node, Nodes

_KEPT_CONNECTIONS = 20
_CONNECT_S = 2.0
_OLDEST = (1, 17)
_LOG = logging.getLogger(__name__)


def connect_server(
    urls: str | Sequence[str],
    *,
    timeout_s: float = 10.0,
    api_key: str | None = None,
    retry: Retry | None = None,
    kept: Path | None = None,
) -> ClientStore:
    """Connect over REST and check that the server lets us in and speaks our version.

    Args:
        urls: ``http(s)://host[:port][/prefix]``; without a port, Qdrant's 6333. Several are nodes of one cluster, or
            proxies before it: any of them answers.
        timeout_s: Seconds for one answer, rounded up to whole ones.
        api_key: The key; default from ``QDRANT_API_KEY``, none where that is unset or empty.
        retry: When to try again.
        kept: Folder in which descriptions of versions are kept, so that they are read once; ``None`` for nowhere.

    Raises:
        IndexUnavailableError: No node can be reached, the key is refused, or the server is older than 1.17 or newer
            than the installed client by more than one minor version.
    """
    key = os.environ.get(KEY_VARIABLE, "") if api_key is None else api_key
    addresses = [Address.read(url) for url in ([urls] if isinstance(urls, str) else urls)]
    if key:
        for address in addresses:
            address.warn_of_plain_key()
    several = len(addresses) > 1
    nodes = Nodes([Node(address, _client(address, key, math.ceil(timeout_s), several)) for address in addresses])
    calls = Calls(nodes, bool(key), math.ceil(timeout_s), retry or Retry())
    try:
        version = _version(calls.read(lambda client: client.info()).version)
        _check_version(calls.where, version)
        calls.read(lambda client: client.get_aliases())
    except BaseException:
        nodes.close()
        raise
    return ClientStore(calls, kept)


def _client(address: Address, key: str, timeout_s: int, several: bool) -> QdrantClient:
    # A compressed answer leaves Qdrant in pieces, and the second one waits 40 ms for a delayed acknowledgement.
    headers = {"accept-encoding": "identity"}
    # The key goes in as a header: as ``api_key`` the client would warn about plain http even on this machine.
    return QdrantClient(
        url=address.url,
        headers=headers | ({"api-key": key} if key else {}),
        timeout=timeout_s,
        check_compatibility=False,
        # By itself the client opens a connection for each call to localhost.
        limits=httpx.Limits(max_keepalive_connections=_KEPT_CONNECTIONS),
        event_hooks={"request": [_connect_soon] if several else []},
    )


def _connect_soon(request: httpx.Request) -> None:
    """Wait for a connection no longer than this: one of several nodes that is gone must not stop a search for long."""
    timeouts = request.extensions["timeout"]
    timeouts["connect"] = min(timeouts["connect"] or _CONNECT_S, _CONNECT_S)


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _check_version(url: str, server: tuple[int, int]) -> None:
    client = _version(importlib.metadata.version("qdrant-client"))
    shown = ".".join(map(str, server))
    if server < _OLDEST:
        raise IndexUnavailableError(
            f"the Qdrant server {url} is of version {shown}, older than {'.'.join(map(str, _OLDEST))}",
            "upgrade it one minor version at a time (docs/how-to/qdrant-server.md)",
        )
    if server[0] != client[0] or server[1] > client[1] + 1:
        raise IndexUnavailableError(
            f"the Qdrant server {url} is of version {shown}, too new for the installed client "
            f"{'.'.join(map(str, client))}",
            "upgrade persrv and qdrant-client",
        )
    if server[1] < client[1] - 1:
        _LOG.warning("the Qdrant server %s is of version %s; upgrade it, we are tested with newer ones", url, shown)

"""A Qdrant server or cluster: the connection, its key and its version."""

from __future__ import annotations

import importlib.metadata
import ipaddress
import logging
import math
import os
import re
from urllib.parse import urlsplit

from qdrant_client import QdrantClient

from persrv.errors import IndexUnavailableError
from persrv.index.calls import Calls, Retry
from persrv.index.client_store import ClientStore

KEY_VARIABLE = "QDRANT_API_KEY"
"""Environment variable that holds the key: a recipe is shared, a key is not."""

_OLDEST = (1, 17)
_FIRST_WITH_MAX = (1, 20)
_LOG = logging.getLogger(__name__)


def connect_server(
    url: str, *, timeout_s: float = 10.0, api_key: str | None = None, retry: Retry | None = None
) -> ClientStore:
    """Connect over REST and check that the server lets us in and speaks our version.

    Args:
        url: ``http(s)://host[:port][/prefix]``; without a port, Qdrant's 6333.
        timeout_s: Seconds for one answer, rounded up to whole ones.
        api_key: The key; default from ``QDRANT_API_KEY``, none where that is unset or empty.
        retry: When to try again.

    Raises:
        IndexUnavailableError: The server cannot be reached, refuses the key, is older than 1.17, or is newer than the
            installed client by more than one minor version.
    """
    key = os.environ.get(KEY_VARIABLE, "") if api_key is None else api_key
    _check_address(url, bool(key))
    try:
        # The key goes in as a header: as ``api_key`` the client would warn about plain http even on this machine.
        client = QdrantClient(
            url=url,
            headers={"api-key": key} if key else None,
            timeout=math.ceil(timeout_s),
            check_compatibility=False,
        )
    except ValueError as error:
        raise IndexUnavailableError(f"{url} is no server's address: {error}", "correct [index] location") from error
    calls = Calls(url, math.ceil(timeout_s), retry or Retry())
    try:
        version = _version(calls.read(client.info).version)
        _check_version(url, version)
        calls.read(client.get_aliases)
    except BaseException:
        client.close()
        raise
    return ClientStore(client, calls, formula_max=version >= _FIRST_WITH_MAX)


def _check_address(url: str, with_key: bool) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise IndexUnavailableError(f"{url} is no server's address: {error}", "correct [index] location") from error
    if parts.username is not None or parts.password is not None:
        raise IndexUnavailableError(
            f"the server's address (host {host}) carries a password", f"take it out and set {KEY_VARIABLE}"
        )
    if with_key and parts.scheme == "http" and not _is_loopback(host):
        _LOG.warning("the Qdrant key goes to %s unencrypted; use https:// unless the network is yours alone", host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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

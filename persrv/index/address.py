"""A server's address: what it says, and what can be seen of the place without a request."""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from persrv.errors import IndexUnavailableError

KEY_VARIABLE = "QDRANT_API_KEY"
"""Environment variable that holds the key: a recipe is shared, a key is not."""

_PORT = 6333
_GLANCE_S = 2.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where one node of a server is.

    Attributes:
        url: ``http(s)://host[:port][/prefix]``.
        scheme: ``http`` or ``https``.
        host: A name or an IP address.
        port: Qdrant's 6333 where the URL has none.
    """

    url: str
    scheme: str
    host: str
    port: int

    @classmethod
    def read(cls, url: str) -> Self:
        """Read a URL.

        Raises:
            IndexUnavailableError: It is no ``http(s)://`` URL, or carries a password, which is not repeated.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise IndexUnavailableError(f"{url} is no server's address: {error}", "correct [index] location") from error
        if parts.username is not None or parts.password is not None:
            raise IndexUnavailableError(
                f"the server's address (host {host}) carries a password", f"take it out and set {KEY_VARIABLE}"
            )
        if parts.scheme not in ("http", "https") or not host:
            raise IndexUnavailableError(
                f"{url} is no server's address", "write http://host:port or https://host:port in [index] location"
            )
        return cls(url, parts.scheme, host, port or _PORT)

    @property
    def on_this_machine(self) -> bool:
        """Whether it is a loopback address."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def warn_of_plain_key(self) -> None:
        """Say once that a key can be read on its way to another machine."""
        if self.scheme == "http" and not self.on_this_machine:
            _LOG.warning(
                "the Qdrant key goes to %s unencrypted; use https:// unless the network is yours alone", self.host
            )

    def speaks_tls(self) -> bool:
        """Return whether what listens there answers a TLS greeting, whatever its certificate.

        It waits two seconds at most.
        """
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            with (
                socket.create_connection((self.host, self.port), _GLANCE_S) as plain,
                context.wrap_socket(plain, server_hostname=self.host),
            ):
                return True
        except OSError:
            return False

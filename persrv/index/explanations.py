"""What a person is told of a failed call to a Qdrant server: for each cause a sentence, and what to do about it."""

from __future__ import annotations

import json
import re
import socket
import ssl
from dataclasses import dataclass

import httpx
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from persrv.errors import (
    BuildGoneError,
    IndexUnavailableError,
    IndexUnreachableError,
    PersrvError,
    QueryLimitError,
    RequestTooLargeError,
)
from persrv.index.address import KEY_VARIABLE, Address
from persrv.index.failures import (
    FULL,
    SHOWN,
    Failure,
    causes,
    may_pass,
    reason_of,
    without_collection,
    without_majority,
)

_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
_OTHER_NAME = (62, 64)
_EXPIRED = 10
_SENT_PLAIN = re.compile(r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS server", re.IGNORECASE)
_TOO_LARGE = re.compile(
    r"larger than allowed|Limit exceeded .*(upsert|update) limit|payload.* too large", re.IGNORECASE
)
_TOO_MANY = re.compile(r'Limit exceeded (\d+) > (\d+) for "limit"')
_MAY_ONLY_READ = re.compile(r"manage access|write access|only points access", re.IGNORECASE)
_SOME_COLLECTIONS = re.compile(r"global access is required|access to collection", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known about a call that failed.

    Attributes:
        address: Where it went.
        with_key: Whether a key was sent.
        timeout_s: Seconds that the client waited for an answer.
        attempts: Calls made, >= 1.
        refused: Error for a request that the server understood and refuses.
    """

    address: Address
    with_key: bool
    timeout_s: float
    attempts: int
    refused: type[PersrvError]

    def explain(self, error: Failure) -> PersrvError:
        """Return what happened in our words."""
        match error:
            case UnexpectedResponse():
                page = _page(error.content.decode(errors="replace"))
                return self._page(page, error) if page else self._answer(error)
            case ResourceExhaustedResponse():
                return self._unreachable(
                    f"is too busy and asks to wait {error.retry_after_s} s", "try again later, or raise its limits"
                )
            case ResponseHandlingException():
                return self._connection(error)
            case json.JSONDecodeError() if page := _page(error.doc):
                return self._no_server(page)
            case _:
                return self._unreadable(repr(error))

    def _answer(self, error: UnexpectedResponse) -> PersrvError:
        """Explain an answer that is a server's own."""
        status, reason = error.status_code or 0, reason_of(error)
        if status in (401, 403):
            return self._rights(reason)
        if _SENT_PLAIN.search(reason):
            return self._speaks_tls()
        if without_collection(error):
            return BuildGoneError(f"{self._server} says: {reason}", "open the collection again, or build it")
        if status == 404:
            return self._unavailable("knows no such path, so something else answers there", _CORRECT_IT)
        if status == 413 or (status == 400 and _TOO_LARGE.search(reason)):
            return RequestTooLargeError(
                f"{self._server} refuses a request for its size ({status}): {reason}",
                "raise its limits (max_request_size_mb, strict mode; nginx: client_max_body_size)",
            )
        if limited := _TOO_MANY.search(reason):
            wanted, allowed = limited.groups()
            return QueryLimitError(
                f"{self._server} answers with at most {allowed} points at a time, not {wanted}",
                f"raise max_query_limit in the collection's strict mode to {wanted}, or ask for fewer ([ranking] pool)",
                int(allowed),
            )
        if status in range(300, 400):
            target = error.headers.get("location", "another address")
            return self._unavailable(f"sends us on to {target}", "write that address in [index] location")
        if status == 507 or FULL in reason:
            return self._unavailable(f"has no room left on its disk: {reason}", "make room on the server's machine")
        if without_majority(error):
            return self._unavailable(*no_majority(reason))
        if not may_pass(error):
            return self.refused(f"{self._server} refuses the request with {status}: {reason}", "correct what it names")
        return self._unreachable(f"failed with {status}{self._tried}: {reason}", self._look_at_log)

    def _rights(self, reason: str) -> PersrvError:
        if not self.with_key:
            return self._unavailable(f"wants a key: {reason}", f"set {KEY_VARIABLE} to one of its keys")
        if "ExpiredSignature" in reason:
            return self._unavailable(
                f"refuses our token, which has expired: {reason}", f"have a new one made, and set {KEY_VARIABLE} to it"
            )
        if "InvalidSignature" in reason:
            return self._unavailable(
                f"refuses our token, which another key signed: {reason}",
                f"have one made with this server's key, and set {KEY_VARIABLE} to it",
            )
        if _MAY_ONLY_READ.search(reason):
            return self._unavailable(
                f"lets our key read, but not write: {reason}", f"set {KEY_VARIABLE} to the key that may write"
            )
        if _SOME_COLLECTIONS.search(reason):
            return self._unavailable(
                f"gives our token only some collections: {reason}",
                f"set {KEY_VARIABLE} to the read-only key, since each build has a collection of its own",
            )
        return self._unavailable(
            f"refuses our key: {reason}", f"set {KEY_VARIABLE} to one of its keys (the read-only one may only search)"
        )

    def _page(self, page: str, error: UnexpectedResponse) -> PersrvError:
        """Explain a web page, which no Qdrant server sends: a proxy or another program does."""
        status = error.status_code or 0
        if _SENT_PLAIN.search(error.content.decode(errors="replace")):
            return self._speaks_tls()
        if status == 413:
            return RequestTooLargeError(
                f"what stands before {self._server} refuses a request for its size: {page}",
                "raise its limit (nginx: client_max_body_size)",
            )
        if status >= 500:
            return IndexUnreachableError(
                f"what stands before {self._server} answers {page} in its place{self._tried}",
                "start the server behind it, or correct where it passes requests on to",
            )
        if status in (401, 403):
            return IndexUnavailableError(
                f"what stands before {self._server} refuses us: {page}", "let this machine through there"
            )
        return self._no_server(page)

    def _connection(self, error: ResponseHandlingException) -> PersrvError:
        """Explain why there is no answer, or none that can be read."""
        for cause in causes(error):
            match cause:
                case ssl.SSLCertVerificationError():
                    return self._certificate(cause)
                case ssl.SSLError() if cause.reason in _NOT_TLS:
                    return self._unavailable("speaks no TLS", "write http:// in place of https://, or set TLS up there")
                case ssl.SSLError():
                    return self._unavailable(f"and we do not agree on TLS: {cause.reason}", "bring its TLS up to date")
                case socket.gaierror():
                    return self._unavailable(
                        f"cannot be found: no machine is known here as {self.address.host}", "correct [index] location"
                    )
        if self.address.scheme == "http" and self._cut_off(error.source) and self.address.speaks_tls():
            return self._speaks_tls()
        match error.source:
            case httpx.ConnectTimeout() | httpx.ConnectError():
                return self._unreachable(f"cannot be reached{self._tried}: {error.source}", self._start_it)
            case httpx.TimeoutException():
                return self._unreachable(
                    f"did not answer within {self.timeout_s:g} s{self._tried}",
                    "raise [index] timeout_s, or look at the server's load",
                )
            case _:
                return self._unreadable(repr(error.source))

    def _certificate(self, error: ssl.SSLCertVerificationError) -> PersrvError:
        if error.verify_code in _OTHER_NAME:
            return self._unavailable(
                f"has a certificate for another name: {error.verify_message}", "write the name of its certificate"
            )
        if error.verify_code == _EXPIRED:
            return self._unavailable("has a certificate that has expired", "renew it there")
        return self._unavailable(
            f"has a certificate that nobody known here has signed: {error.verify_message}",
            "set SSL_CERT_FILE to the file with the certificate of who signed it",
        )

    def _cut_off(self, source: Exception) -> bool:
        return isinstance(source, httpx.RemoteProtocolError | httpx.ReadError)

    def _speaks_tls(self) -> PersrvError:
        return self._unavailable("speaks TLS", "write https:// in place of http://")

    def _no_server(self, page: str) -> PersrvError:
        return IndexUnavailableError(
            f"at {self.address.url} answers no Qdrant server, but a web page: {page}", _CORRECT_IT
        )

    def _unreadable(self, what: str) -> PersrvError:
        return IndexUnreachableError(
            f"the answer of {self._server} cannot be read{self._tried}: {what[:SHOWN]}",
            "check that the address is a Qdrant server's, and what stands between",
        )

    def _unavailable(self, what: str, next_step: str) -> IndexUnavailableError:
        return IndexUnavailableError(f"{self._server} {what}", next_step)

    def _unreachable(self, what: str, next_step: str) -> IndexUnreachableError:
        return IndexUnreachableError(f"{self._server} {what}", next_step)

    @property
    def _server(self) -> str:
        return f"the Qdrant server {self.address.url}"

    @property
    def _tried(self) -> str:
        return f" ({self.attempts} attempts)" if self.attempts > 1 else ""

    @property
    def _start_it(self) -> str:
        if self.address.on_this_machine:
            return "start it (docker compose up -d), or correct [index] location"
        return f"start it on {self.address.host}, see that no firewall stands between, or correct [index] location"

    @property
    def _look_at_log(self) -> str:
        return "look at its log" + (" (docker compose logs qdrant)" if self.address.on_this_machine else "")


_CORRECT_IT = "correct host, port and path of [index] location"


def no_majority(what: str) -> tuple[str, str]:
    """Return what to say and to do when a node of a cluster cannot change anything for lack of the others."""
    return (
        f"hears no majority of its cluster, so that nothing can be changed: {what}",
        "start the other nodes, or wait until they agree; searches go on meanwhile",
    )


def _page(content: str) -> str:
    """Return the title of a web page, or the first words of one without a title; ``""`` for anything else."""
    if not re.match(r"\s*(<!--.*?-->\s*)*<(!doctype html|html|head)", content[:1000], re.IGNORECASE | re.DOTALL):
        return ""
    titled = re.search(r"<title[^>]*>(.*?)</title>", content, re.IGNORECASE | re.DOTALL)
    words = re.sub(r"<[^>]*>", " ", titled[1] if titled else content)
    return " ".join(words.split())[:80] or "an empty one"

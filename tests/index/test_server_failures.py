"""Each thing that goes wrong between us and a server has its own sentence, and tells of what to do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from fake_qdrant import FakeQdrant, Fault
from index_samples import SCHEMA, manifest, sample_points
from persrv.errors import (
    BuildGoneError,
    IndexUnavailableError,
    PersrvError,
    QueryError,
    RequestTooLargeError,
)
from persrv.index.address import Address
from persrv.index.calls import Retry
from persrv.index.client_store import ClientStore
from persrv.index.server import connect_server

FAR = "http://qdrant.example:6333"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def served(authority: trustme.CA, *names: str, until: datetime | None = None) -> ssl.SSLContext:
    """What a server with a certificate for these names needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_after=until).configure_cert(context)
    return context


@pytest.fixture
def tls(authority: trustme.CA) -> Iterator[FakeQdrant]:
    with FakeQdrant(key="secret", tls=served(authority, "127.0.0.1")) as fake:
        yield fake


@pytest.fixture
def fake() -> Iterator[FakeQdrant]:
    with FakeQdrant(key="secret", read_key="reader") as server:
        yield server


@pytest.fixture
def store(fake: FakeQdrant) -> Iterator[ClientStore]:
    with connect(fake.url) as connected:
        yield connected


def connect(url: str, key: str = "secret") -> ClientStore:
    return connect_server(url, api_key=key, retry=Retry(sleep=lambda _: None))


def refusal(url: str, key: str = "secret") -> str:
    with pytest.raises(IndexUnavailableError) as caught:
        connect(url, key)
    return str(caught.value)


# TLS


def test_a_certificate_of_our_own_authority(
    tls: FakeQdrant, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = refusal(tls.url)
    assert "has a certificate that nobody known here has signed: " in message
    assert message.endswith("set SSL_CERT_FILE to the file with the certificate of who signed it")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with connect(tls.url) as store:
        assert store.names() == []


@pytest.mark.parametrize(
    ("names", "until", "message"),
    [
        (["qdrant.example"], None, "has a certificate for another name: .*write the name of its certificate"),
        (["127.0.0.1"], timedelta(days=-1), "has a certificate that has expired; renew it there"),
    ],
)
def test_certificates_of_others_and_of_yesterday(
    authority: trustme.CA,
    names: list[str],
    until: timedelta | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = served(authority, *names, until=None if until is None else datetime.now(UTC) + until)
    with FakeQdrant(tls=context) as fake, pytest.raises(IndexUnavailableError, match=message):
        connect(fake.url)


def test_http_to_a_port_that_speaks_tls(tls: FakeQdrant) -> None:
    assert refusal(tls.url.replace("https", "http")).endswith("speaks TLS; write https:// in place of http://")


def test_https_to_a_plain_port(fake: FakeQdrant) -> None:
    message = refusal(fake.url.replace("http", "https"))
    assert message.endswith("speaks no TLS; write http:// in place of https://, or set TLS up there")
    assert fake.nodes[0].connections == 1


@pytest.mark.parametrize(
    "message",
    [
        b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        b"Client sent an HTTP request to an HTTPS server.\n",
    ],
    ids=["nginx", "go"],
)
def test_a_proxy_that_notices_by_itself(fake: FakeQdrant, message: bytes) -> None:
    fake.faults.append(Fault(400, body=message))
    assert refusal(fake.url).endswith("speaks TLS; write https:// in place of http://")


# Keys and rights


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (403, b"ExpiredSignature", "refuses our token, which has expired.*have a new one made"),
        (403, b"InvalidSignature", "refuses our token, which another key signed"),
        (401, b"Invalid API key or JWT", "refuses our key: Invalid API key.*set QDRANT_API_KEY"),
        (
            403,
            b'{"status": {"error": "Forbidden: Access to collection emoji_1 is required"}}',
            "gives our token only some collections.*the read-only key",
        ),
        (
            403,
            b'{"status": {"error": "Forbidden: Write access to collection emoji is required"}}',
            "lets our key read, but not write",
        ),
    ],
)
def test_keys_and_tokens(fake: FakeQdrant, store: ClientStore, status: int, body: bytes, message: str) -> None:
    fake.faults.append(Fault(status, body=body))
    with pytest.raises(IndexUnavailableError, match=message):
        store.names()


def test_a_key_that_may_only_read(fake: FakeQdrant) -> None:
    with connect(fake.url, "reader") as reader:
        assert reader.names() == []
        with pytest.raises(IndexUnavailableError, match="lets our key read, but not write: Forbidden: Global manage"):
            reader.create("emoji", SCHEMA, manifest(1))


# What else can stand in an answer


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        (Fault(404), IndexUnavailableError, "knows no such path.*correct host, port and path"),
        (
            Fault(404, body=b'{"status": {"error": "Not found: Collection `emoji` doesn\'t exist!"}}'),
            BuildGoneError,
            "Collection `emoji` doesn't exist!; open the collection again",
        ),
        (
            Fault(404, body=b"<!DOCTYPE html>\n<html><head><title>Not Found</title></head><body>x</body></html>"),
            IndexUnavailableError,
            "answers no Qdrant server, but a web page: Not Found; correct host, port and path",
        ),
        (
            Fault(200, body=b"<!-- a --><HTML><body>Welcome to <b>nginx</b>!</body></HTML>"),
            IndexUnavailableError,
            "but a web page: Welcome to nginx !; correct host",
        ),
        (
            Fault(403, body=b"<html><title>403 Forbidden</title></html>"),
            IndexUnavailableError,
            "what stands before the Qdrant server .* refuses us: 403 Forbidden; let this machine through",
        ),
        (
            Fault(301, {"Location": "https://qdrant.example/"}),
            IndexUnavailableError,
            "sends us on to https://qdrant.example/; write that address",
        ),
        (
            Fault(500, body=b'{"status": {"error": "Service internal error: No space left on device: WAL"}}'),
            IndexUnavailableError,
            "has no room left on its disk: .*; make room on the server's machine",
        ),
        (Fault(507), IndexUnavailableError, "has no room left on its disk: injected"),
        (Fault(413), RequestTooLargeError, "refuses a request for its size .413.*client_max_body_size"),
        (Fault(400), QueryError, "refuses the request with 400: injected; correct what it names"),
    ],
    ids=["path", "gone", "page", "welcome", "page-403", "moved", "disk", "507", "large", "other"],
)
def test_answers(fake: FakeQdrant, store: ClientStore, fault: Fault, kind: type[PersrvError], message: str) -> None:
    fake.faults.extend([fault] * 4)
    with pytest.raises(kind, match=message) as caught:
        store.names()
    assert type(caught.value) is kind
    assert "<" not in str(caught.value)


def test_a_server_that_stands_behind_a_proxy_and_is_not_running(fake: FakeQdrant, store: ClientStore) -> None:
    fake.faults.extend([Fault(502, body=b"<html><head><title>502 Bad Gateway</title></head></html>")] * 4)
    with pytest.raises(IndexUnavailableError, match=r"answers 502 Bad Gateway in its place \(4 attempts\); start the"):
        store.names()


def test_requests_that_are_too_large(fake: FakeQdrant, store: ClientStore) -> None:
    with store.create("emoji", SCHEMA, manifest(1)) as made:
        fake.proxy_limit = 400
        message = "what stands before the Qdrant server .*: 413 Request Entity Too Large; raise its limit"
        with pytest.raises(RequestTooLargeError, match=message):
            made.upsert(sample_points(1))
        fake.proxy_limit, fake.limit = 1 << 30, 400
        with pytest.raises(RequestTooLargeError, match=r"refuses a request for its size \(400\): JSON payload"):
            made.upsert(sample_points(1))


# Advice for the machine that it is about


@pytest.mark.parametrize(("url", "here"), [("http://127.0.0.1:9", True), ("http://127.9.9.9:9", True), (FAR, False)])
def test_docker_compose_is_for_this_machine_alone(url: str, here: bool) -> None:
    assert Address.read(url).on_this_machine is here
    message = refusal(url)
    assert ("docker compose" in message) is here
    assert message.endswith("or correct [index] location") or message.endswith("correct [index] location")


@pytest.mark.parametrize(("url", "port"), [(FAR, 6333), ("https://[::1]/a", 6333), ("http://h:80", 80)])
def test_ports(url: str, port: int) -> None:
    assert Address.read(url).port == port


@pytest.mark.parametrize("url", ["ftp://h", "http://", "localhost:6333", "http://h:port"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(IndexUnavailableError, match="is no server's address"):
        Address.read(url)

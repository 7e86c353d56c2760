"""The real client against a small server: faults, keys, versions, aliases."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from qdrant_client import models as m

from fake_qdrant import FakeQdrant, Fault
from index_samples import SCHEMA, manifest, sample_points, sparse
from persrv.errors import BuildGoneError, IndexUnavailableError, NotFoundError, QueryError, VectorIndexError
from persrv.index.calls import Retry
from persrv.index.client_store import ClientStore
from persrv.index.language import Filter, Matches, Nearest, Request
from persrv.index.schema import STICKER_PAYLOAD, TEXT
from persrv.index.server import connect_server


class Waits(list[float]):
    """Records waits in place of waiting."""

    def retry(self, **changes: float) -> Retry:
        return Retry(sleep=self.append, **changes)  # type: ignore[arg-type]


@pytest.fixture
def fake() -> Iterator[FakeQdrant]:
    with FakeQdrant(key="secret") as server:
        yield server


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def store(fake: FakeQdrant, waits: Waits) -> Iterator[ClientStore]:
    with connect_server(fake.url, api_key="secret", retry=waits.retry()) as connected:
        yield connected


def publish(store: ClientStore, count: int, name: str = "emoji") -> None:
    made = store.create(name, SCHEMA, manifest(count))
    made.upsert(sample_points(count))
    store.publish(name, made).close()


QUERY = Request(Nearest(sparse([3], [1.0]), TEXT), limit=3)


# Layout on the server


def test_a_version_is_a_collection_with_its_provenance_and_the_name_is_an_alias(
    fake: FakeQdrant, store: ClientStore
) -> None:
    for count in (3, 4, 5):
        publish(store, count)
    names = sorted(collection.name for collection in fake.local.get_collections().collections)
    assert len(names) == 2
    current = fake.local_name("emoji")
    assert current in names
    wanted = fake.created[current]
    assert wanted.shard_number == 1
    assert wanted.replication_factor == 1
    assert wanted.vectors["image"].hnsw_config.m == 0
    assert wanted.sparse_vectors["text"].modifier is None
    assert fake.indexes[current] == set(STICKER_PAYLOAD)
    metadata = fake.local.get_collection(current).config.metadata
    assert metadata["persrv"]["manifest"]["stickers"] == 5
    assert {current, metadata["persrv_previous"]} == set(names)


def test_payload_indexes_stand_before_the_first_point(fake: FakeQdrant, store: ClientStore) -> None:
    publish(store, 3)
    paths = [f"{method} {path.partition('?')[0].split('/')[-1]}" for method, path in fake.requests]
    last_index = max(i for i, path in enumerate(paths) if path == "PUT index")
    assert last_index < paths.index("PUT points")


def test_the_alias_is_switched_in_one_request(fake: FakeQdrant, store: ClientStore) -> None:
    publish(store, 3)
    fake.requests.clear()
    publish(store, 4)
    assert sum(path.startswith("/collections/aliases") for _, path in fake.requests) == 1


def test_only_our_own_versions_are_ever_removed(fake: FakeQdrant, store: ClientStore) -> None:
    image = {"image": m.VectorParams(size=2, distance=m.Distance.DOT)}
    strangers = ["emoji", "emoji_backup", "emoji_20200101T000000Z-000000", "emoji_users_20200101T000000Z-000000"]
    for stranger in strangers[1:]:
        fake.local.create_collection(stranger, vectors_config=image)
    for count in (3, 4, 5):
        publish(store, count)
    names = {collection.name for collection in fake.local.get_collections().collections}
    assert set(strangers[1:]) <= names
    assert len(names) == 5


def test_an_alias_of_somebody_else_is_not_ours(fake: FakeQdrant, store: ClientStore) -> None:
    image = {"image": m.VectorParams(size=2, distance=m.Distance.DOT)}
    fake.local.create_collection("theirs", vectors_config=image)
    alias = m.CreateAlias(collection_name="theirs", alias_name="emoji")
    fake.local.update_collection_aliases([m.CreateAliasOperation(create_alias=alias)])
    assert store.names() == []
    with pytest.raises(NotFoundError, match="there is no index emoji on http"):
        store.open("emoji")


def test_a_version_that_was_dropped_meanwhile_is_not_found(fake: FakeQdrant, store: ClientStore) -> None:
    publish(store, 3)
    reader = store.open("emoji")
    publish(store, 4)
    assert len(reader.query(QUERY)) > 0
    publish(store, 5)
    with pytest.raises(BuildGoneError, match="open the collection again"):
        reader.query(QUERY)


def test_strict_servers_refuse_undeclared_keys(store: ClientStore) -> None:
    publish(store, 3)
    with store.open("emoji") as opened, pytest.raises(QueryError, match="Index required but not found for 'title'"):
        opened.count(Filter(must=(Matches("title", ("x",)),)))


def test_uploads_go_in_batches_and_wait_for_the_last(fake: FakeQdrant, store: ClientStore) -> None:
    with store.create("emoji", SCHEMA, manifest(300)) as made:
        fake.requests.clear()
        made.upsert(sample_points(600))
        assert [path.partition("?")[2] for _, path in fake.requests if "points" in path] == [
            "wait=false",
            "wait=false",
            "wait=true",
        ]
        assert made.count() == 600
        made.upsert([])
        made.delete([])


# Faults


@pytest.mark.parametrize(
    "fault",
    [
        Fault(503, path="query"),
        Fault(500, path="query"),
        Fault(429, path="query"),
        Fault(429, {"Retry-After": "Wed, 04 Nov 2026 12:00:00 GMT"}, path="query"),
        Fault(cut=True, path="query"),
        Fault(body=b'{"result": {"poi', path="query"),
        Fault(body=b'{"result": {"points": 3}}', path="query"),
        Fault(502, body=b"<html>bad gateway</html>", path="query"),
    ],
    ids=["503", "500", "429", "429-date", "cut-off", "half-json", "other-json", "proxy"],
)
def test_passing_faults_are_tried_again(fake: FakeQdrant, store: ClientStore, waits: Waits, fault: Fault) -> None:
    publish(store, 5)
    with store.open("emoji") as opened:
        want = opened.query(QUERY)
        fake.faults.extend([fault, fault])
        assert opened.query(QUERY) == want
    assert not fake.faults
    assert 0.1 <= waits[0] <= 0.2 <= waits[1] <= 0.4
    assert len(waits) == 2


def test_faults_that_stay_are_reported_after_a_bounded_number_of_attempts(
    fake: FakeQdrant, store: ClientStore, waits: Waits
) -> None:
    publish(store, 5)
    with store.open("emoji") as opened:
        fake.faults.extend([Fault(503, path="query")] * 9)
        with pytest.raises(IndexUnavailableError, match=r"failed with 503 \(4 attempts\): injected; look at its log"):
            opened.query(QUERY)
    assert len(fake.faults) == 5
    assert len(waits) == 3


def test_retry_after_is_honoured(fake: FakeQdrant, store: ClientStore, waits: Waits) -> None:
    publish(store, 5)
    with store.open("emoji") as opened:
        fake.faults.append(Fault(429, {"Retry-After": "7"}, path="query"))
        assert opened.query(QUERY)
    assert waits == [7.0]


def test_a_retry_after_beyond_our_patience_is_an_error_at_once(
    fake: FakeQdrant, store: ClientStore, waits: Waits
) -> None:
    publish(store, 5)
    with store.open("emoji") as opened:
        fake.faults.append(Fault(429, {"Retry-After": "3600"}, path="query"))
        with pytest.raises(IndexUnavailableError, match="asks to wait 3600 s; try again later"):
            opened.query(QUERY)
    assert waits == []


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (Fault(400, path="query"), QueryError, "refuses the request with 400: injected"),
        (Fault(401, path="query"), IndexUnavailableError, "refuses our key.*QDRANT_API_KEY"),
        (Fault(403, path="query"), IndexUnavailableError, "refuses our key.*QDRANT_API_KEY"),
    ],
)
def test_refusals_are_not_tried_again(
    fake: FakeQdrant, store: ClientStore, waits: Waits, fault: Fault, error: type[Exception], message: str
) -> None:
    publish(store, 5)
    with store.open("emoji") as opened:
        fake.faults.append(fault)
        with pytest.raises(error, match=message):
            opened.query(QUERY)
    assert waits == []


def test_a_refused_write_is_no_query_error(fake: FakeQdrant, store: ClientStore) -> None:
    with store.create("emoji", SCHEMA, manifest(1)) as made:
        fake.faults.append(Fault(422, path="points"))
        with pytest.raises(VectorIndexError, match="refuses the request with 422"):
            made.upsert(sample_points(1))


def test_a_read_only_key_may_not_write(fake: FakeQdrant, store: ClientStore) -> None:
    with store.create("emoji", SCHEMA, manifest(1)) as made:
        fake.key, fake.read_key = "another", "secret"
        with pytest.raises(IndexUnavailableError, match=r"lets our key read, but not write.*the key that may write"):
            made.upsert(sample_points(1))


@pytest.mark.parametrize("path", ["emoji_2", "index", "points", "collections/aliases"])
def test_writes_whose_answer_is_lost_are_repeated_without_harm(fake: FakeQdrant, store: ClientStore, path: str) -> None:
    publish(store, 3)
    made = store.create("emoji", SCHEMA, manifest(4)) if path == "points" else None
    fake.faults.append(Fault(503, path=path, lost=True))
    made = made or store.create("emoji", SCHEMA, manifest(4))
    made.upsert(sample_points(4))
    with store.publish("emoji", made) as published:
        assert published.count() == 4
    assert not fake.faults
    assert store.manifest("emoji") == made.manifest


def test_a_failed_switch_leaves_the_current_version(fake: FakeQdrant, store: ClientStore) -> None:
    publish(store, 3)
    made = store.create("emoji", SCHEMA, manifest(4))
    made.upsert(sample_points(4))
    fake.faults.extend([Fault(503, path="collections/aliases")] * 4)
    with pytest.raises(IndexUnavailableError, match="503"):
        store.publish("emoji", made)
    with store.open("emoji") as opened:
        assert opened.count() == 3
    with store.publish("emoji", made) as published:
        assert published.count() == 4


def test_a_slow_server_runs_into_the_timeout(fake: FakeQdrant) -> None:
    with connect_server(fake.url, api_key="secret", timeout_s=0.3, retry=Retry(attempts=1)) as store:
        publish(store, 3)
        with store.open("emoji") as opened:
            fake.faults.append(Fault(delay_s=1.3, path="query"))
            with pytest.raises(IndexUnavailableError, match=r"did not answer within 1 s; raise \[index\] timeout_s"):
                opened.query(QUERY)


def test_patience_ends_before_the_attempts_do(fake: FakeQdrant, waits: Waits) -> None:
    with connect_server(fake.url, api_key="secret", retry=waits.retry(patience_s=0.0)) as store:
        fake.faults.append(Fault(503, path="aliases"))
        with pytest.raises(IndexUnavailableError, match="503: injected"):
            store.names()
    assert waits == []


# Connecting


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_nobody_listens(waits: Waits) -> None:
    message = r"cannot be reached \(4 attempts\).*docker compose up -d"
    with closed_port() as port, pytest.raises(IndexUnavailableError, match=message):
        connect_server(f"http://127.0.0.1:{port}", retry=waits.retry())
    assert len(waits) == 3


@pytest.mark.parametrize(("key", "message"), [("", "wants a key"), ("wrong", "refuses our key")])
def test_a_wrong_key_is_noticed_when_connecting(fake: FakeQdrant, key: str, message: str) -> None:
    with pytest.raises(IndexUnavailableError, match=rf"{message}.*set QDRANT_API_KEY"):
        connect_server(fake.url, api_key=key)


def test_the_key_comes_from_the_environment(fake: FakeQdrant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "secret")
    with connect_server(fake.url) as store:
        assert store.names() == []


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("1.16.3", "of version 1.16, older than 1.17; upgrade it one minor version at a time"),
        ("1.22.0", r"of version 1\.22, too new for the installed client"),
        ("2.0.0", "too new for the installed client"),
        ("something", "older than 1.17"),
    ],
)
def test_servers_of_other_times_are_refused(version: str, message: str) -> None:
    with FakeQdrant(version=version) as fake, pytest.raises(IndexUnavailableError, match=message):
        connect_server(fake.url)


@pytest.mark.parametrize(
    ("version", "warned"), [("1.17.1", True), ("1.19.0", False), ("1.20.0", False), ("1.21.0-dev", False)]
)
def test_an_old_server_is_warned_about(version: str, warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    with FakeQdrant(version=version) as fake, connect_server(fake.url) as store:
        assert store.names() == []
    assert ("upgrade it" in caplog.text) is warned


@pytest.mark.parametrize(
    ("url", "warned"),
    [("http://qdrant.invalid:6333", True), ("https://qdrant.invalid:6333", False), ("http://localhost:1", False)],
)
def test_a_key_over_plain_http_is_warned_about_except_on_this_machine(
    url: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(IndexUnavailableError, match=r"cannot be (reached|found)"):
        connect_server(url, api_key="secret", retry=Retry(attempts=1))
    assert ("unencrypted" in caplog.text) is warned
    assert "secret" not in caplog.text


@pytest.mark.parametrize("url", ["http://me:pass@127.0.0.1:6333", "http://[::1"])
def test_strange_addresses_are_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(IndexUnavailableError) as caught:
        connect_server(url)
    assert "pass@" not in str(caught.value)

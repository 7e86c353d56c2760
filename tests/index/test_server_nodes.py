"""Several addresses: any node answers, one that fails is left alone for a while, changes go to one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from qdrant_client import QdrantClient

from fake_qdrant import FakeQdrant, Fault
from index_samples import SCHEMA, manifest, sample_points, sparse
from persrv.errors import BuildGoneError, IndexUnavailableError
from persrv.index.address import Address
from persrv.index.calls import Retry
from persrv.index.client_store import ClientStore
from persrv.index.cluster import ReplicaState, majority_problem, replicas
from persrv.index.engine import Collection
from persrv.index.language import Nearest, Request
from persrv.index.nodes import REST_S, Node, Nodes
from persrv.index.schema import TEXT
from persrv.index.server import connect_server

QUERY = Request(query=Nearest(sparse([3], [1.0]), TEXT), limit=3)
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


@pytest.fixture
def fake() -> Iterator[FakeQdrant]:
    with FakeQdrant(hosts=HOSTS) as cluster:
        yield cluster


@pytest.fixture
def store(fake: FakeQdrant) -> Iterator[ClientStore]:
    with connect_server([node.url for node in fake.nodes], retry=Retry(sleep=lambda _: None)) as connected:
        yield connected


@pytest.fixture
def opened(store: ClientStore) -> Collection:
    made = store.create("emoji", SCHEMA, manifest(40))
    made.upsert(sample_points(40))
    return store.publish("emoji", made)


def requests(fake: FakeQdrant) -> list[int]:
    """Requests to each node since the last time."""
    counts = [node.requests for node in fake.nodes]
    for node in fake.nodes:
        node.requests = 0
    return counts


def test_searches_go_round_and_changes_go_to_one(fake: FakeQdrant, opened: Collection) -> None:
    assert requests(fake)[1:] == [0, 0]
    for _ in range(9):
        assert len(opened.query(QUERY)) == 3
    assert requests(fake) == [3, 3, 3]
    for _ in range(3):
        opened.upsert(sample_points(2))
        assert opened.count() == 40
    # One more reads how much a request may carry.
    assert requests(fake) == [7, 0, 0]


@pytest.mark.parametrize("gone", [[0], [1], [0, 2]])
def test_a_search_never_fails_while_a_node_has_the_data(fake: FakeQdrant, opened: Collection, gone: list[int]) -> None:
    for number in gone:
        fake.nodes[number].stop()
    want = opened.query(QUERY)
    for _ in range(10):
        assert opened.query(QUERY) == want
    assert opened.count() == 40
    opened.upsert(sample_points(3))


def test_a_node_that_comes_back_is_asked_again(fake: FakeQdrant, store: ClientStore, opened: Collection) -> None:
    fake.nodes[0].stop()
    for _ in range(6):
        opened.query(QUERY)
    fake.nodes[0].start()
    requests(fake)
    opened.query(QUERY)
    opened.query(QUERY)
    assert requests(fake)[0] == 0
    for node in store._calls.nodes.all():
        node.rests_until -= REST_S
    for _ in range(3):
        opened.query(QUERY)
    assert requests(fake) == [1, 1, 1]


def test_without_any_node_the_error_says_so(fake: FakeQdrant, opened: Collection) -> None:
    for node in fake.nodes:
        node.stop()
    with pytest.raises(IndexUnavailableError, match=r"none of 3 nodes answers; the Qdrant server .* cannot be reached"):
        opened.query(QUERY)


def test_one_node_that_was_named_wrongly_does_no_harm(fake: FakeQdrant) -> None:
    urls = ["http://nobody.example:6333", "https" + fake.nodes[1].url[4:], fake.nodes[0].url]
    with connect_server(urls, retry=Retry(sleep=lambda _: None)) as store:
        assert store.names() == []


def test_a_node_that_has_not_heard_of_a_version_yet_is_passed_over(fake: FakeQdrant, opened: Collection) -> None:
    unknown = Fault(404, body=b'{"status": {"error": "Not found: Collection `emoji_1` doesn\'t exist!"}}', path="query")
    fake.faults.append(unknown)
    assert len(opened.query(QUERY)) == 3
    fake.faults.extend([unknown] * 3)
    with pytest.raises(BuildGoneError, match="open the collection again"):
        opened.query(QUERY)


def test_a_refusal_is_not_asked_for_elsewhere(fake: FakeQdrant, opened: Collection) -> None:
    fake.faults.append(Fault(401, path="query"))
    with pytest.raises(IndexUnavailableError, match="wants a key"):
        opened.query(QUERY)
    assert opened.query(QUERY)


def test_without_a_majority_changes_end_at_once_and_searches_go_on(fake: FakeQdrant, store: ClientStore) -> None:
    made = store.create("emoji", SCHEMA, manifest(3))
    made.upsert(sample_points(3))
    fake.majority = False
    with pytest.raises(
        IndexUnavailableError, match=r"hears no majority of its cluster.*3 nodes have no leader.*searches"
    ):
        store.publish("emoji", made)
    assert len(made.query(QUERY)) <= 3
    fake.majority = True
    store.publish("emoji", made)


@pytest.mark.parametrize(
    ("gone", "majority", "problem"),
    [([], True, ""), ([1], True, ""), ([1, 2], True, "2 of its 3 nodes do not answer it"), ([], False, "no leader")],
)
def test_who_has_a_majority(fake: FakeQdrant, gone: list[int], majority: bool, problem: str) -> None:
    fake.majority = majority
    for number in gone:
        fake.nodes[number].stop()
    client = QdrantClient(url=fake.url, check_compatibility=False)
    assert problem in majority_problem(client)
    assert bool(majority_problem(client)) is bool(problem)
    client.close()


def test_one_node_alone_is_no_cluster() -> None:
    with FakeQdrant() as fake:
        client = QdrantClient(url=fake.url, check_compatibility=False)
        assert majority_problem(client) == ""
        assert replicas(client, "unknown") == []
        client.close()


def test_where_the_replicas_are(fake: FakeQdrant, opened: Collection) -> None:
    fake.nodes[2].stop()
    client = QdrantClient(url=fake.url, check_compatibility=False)
    version = fake.local_name("emoji")
    assert replicas(client, version) == [
        ReplicaState(version, 0, node.url, "Active" if node.running else "Dead") for node in fake.nodes
    ]
    client.close()


def test_the_order_in_which_nodes_are_asked() -> None:
    now = 100.0
    clients = [QdrantClient(":memory:") for _ in range(3)]
    a, b, c = (Node(Address(name, "http", name, 1), client) for name, client in zip("abc", clients, strict=True))
    nodes = Nodes([a, b, c], clock=lambda: now)
    assert nodes.in_order() == [a, b, c]
    assert [nodes.in_turn()[0] for _ in range(4)] == [b, c, a, b]
    nodes.failed(a)
    assert nodes.in_order() == [b, c, a]
    now += 1
    nodes.failed(b)
    assert nodes.in_order() == [c, a, b]
    assert nodes.in_turn() == [c, a, b]
    nodes.answered(b)
    assert nodes.in_order() == [b, c, a]
    now += REST_S
    assert nodes.in_order() == [a, b, c]
    nodes.close()


def test_a_node_that_swallows_connections_is_passed_over_soon(
    fake: FakeQdrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose queue of connections is full answers nothing at all; the call's own time is three minutes."""
    monkeypatch.setattr("persrv.index.server._CONNECT_S", 0.05)
    with socket.socket() as deaf, ExitStack() as waiting:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(8):
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        urls = [f"http://127.0.0.1:{deaf.getsockname()[1]}", fake.url]
        with connect_server(urls, timeout_s=180, retry=Retry(sleep=lambda _: None)) as store:
            assert store.names() == []

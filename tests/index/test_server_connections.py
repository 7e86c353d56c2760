"""Connections to a server are kept, and its answers come in one piece."""

from __future__ import annotations

import pytest

from fake_qdrant import FakeQdrant
from index_samples import SCHEMA, manifest, sample_points
from persrv.index.server import connect_server


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_one_connection_carries_all_calls_and_no_answer_is_compressed(host: str) -> None:
    with FakeQdrant(hosts=[host]) as fake, connect_server(fake.url) as store:
        made = store.create("emoji", SCHEMA, manifest(20))
        made.upsert(sample_points(20))
        with store.publish("emoji", made) as published:
            for _ in range(20):
                assert published.count() == 20
        assert fake.nodes[0].requests > 40
        assert fake.nodes[0].connections == 1
        assert {headers["accept-encoding"] for headers in fake.headers} == {"identity"}

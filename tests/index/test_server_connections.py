"""Connections to a server are kept, and its answers come in one piece."""

from __future__ import annotations

from pathlib import Path

import pytest

from fake_qdrant import FakeQdrant
from index_samples import SCHEMA, manifest, sample_points
from persrv.errors import BuildGoneError
from persrv.index.manifest import new_build
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


def gets(fake: FakeQdrant) -> list[str]:
    """What was read of collections since the last time."""
    found = [path for method, path in fake.requests if method == "GET" and path.startswith("/collections/emoji_")]
    fake.requests.clear()
    return found


def test_what_a_version_is_is_read_once(tmp_path: Path) -> None:
    """By a program that stays open, and by the next one."""
    kept = tmp_path / "versions"
    with FakeQdrant() as fake:
        with connect_server(fake.url, kept=kept) as store:
            for _ in range(6):
                store.publish("emoji", store.create("emoji", SCHEMA, manifest(0)))
                store.publish("emoji_users", store.create("emoji_users", SCHEMA, manifest(0)))
                gets(fake)
                made = store.manifest("emoji")
                assert len(gets(fake)) == 1
                store.manifest("emoji_users")
                gets(fake)
                assert store.manifest("emoji") == store.open("emoji").manifest == made
                assert gets(fake) == []
        assert len(list(kept.glob("emoji_2*"))) == len(list(kept.glob("emoji_users_2*"))) == 4
        with connect_server(fake.url, kept=kept) as store:
            assert store.manifest("emoji") == made
            assert gets(fake) == []
            with pytest.raises(BuildGoneError, match="there is no build"):
                store.open("emoji", new_build())
        (newest,) = kept.glob(f"emoji_{made.build}.json")
        newest.write_text("{")
        with connect_server(fake.url, kept=kept) as store:
            assert store.open("emoji").manifest == made
        with connect_server(fake.url, kept=newest / "no folder") as store:
            assert store.open("emoji").manifest == made

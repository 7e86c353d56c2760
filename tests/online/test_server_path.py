"""The whole path with the index on a server, spoken to by the real client over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from qdrant_client import models as m
from typer.testing import CliRunner

from fake_qdrant import FakeQdrant, Fault
from persrv import Recipe, Retriever, build_collection
from persrv.cli import app
from persrv.errors import IndexUnavailableError
from persrv.indexing.progress import Advance, Silent
from persrv.online.overview import examine, overview
from persrv.recipe.location import IndexSettings
from tiny_collection import Tiny


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeQdrant]:
    with FakeQdrant() as running:
        yield running


def on(tiny: Tiny, url: str) -> Recipe:
    return tiny.recipe.model_copy(update={"index": IndexSettings(location=url)})


def ids(retriever: Retriever, query: str, user: str | None) -> list[str]:
    return [hit.sticker_id for hit in retriever.search(query, user, limit=30)]


def test_a_pushed_collection_answers_like_the_embedded_one(
    tiny: Tiny, server: FakeQdrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    result = CliRunner().invoke(app, ["push", server.url, "-c", str(tiny.file)])
    assert result.exit_code == 0, result.output
    assert "tiny_users" in result.stdout
    questions = [(query, user) for query in ("cat", "happy sad", "下雨", "", "cofee") for user in (None, "ann")]
    with tiny.open() as embedded:
        expected = [ids(embedded, query, user) for query, user in questions]
    with Retriever.open(on(tiny, server.url), home=tiny.home) as remote:
        assert [ids(remote, query, user) for query, user in questions] == expected


def test_a_search_for_somebody_with_earlier_picks_asks_a_server_twice(tiny: Tiny, server: FakeQdrant) -> None:
    """Once for the page, its proof and the person's own stickers, and once for what is shown."""
    recipe = on(tiny, server.url)
    build_collection(recipe, home=tiny.home)
    with Retriever.open(recipe, home=tiny.home) as retriever:
        hits = retriever.search("cat", "ann")
        retriever.record("ann", "cat", hits[1].sticker_id)
        retriever.search("cat", "ann")
        before = len(server.requests)
        assert retriever.search("cat", "ann")[0].explanation.own_picks
        paths = [path.rsplit("/", 1)[-1] for _, path in server.requests[before:] if "_users" not in path]
    # Another thread may bring the pick to others meanwhile.
    assert [path for path in paths if path in ("batch", "query", "points")] == ["batch", "points"]


def test_building_on_a_server_and_picking_there(tiny: Tiny, server: FakeQdrant) -> None:
    recipe = on(tiny, server.url)
    build_collection(recipe, home=tiny.home)
    with Retriever.open(recipe, home=tiny.home) as retriever:
        soft = retriever.search("cat", filters={"style": "soft"})[0]
        retriever.record("cleo", "cat", soft.sticker_id)
        assert retriever.search("rain", "cleo")[0].payload["style"] == "soft"
        assert retriever.similar(soft.sticker_id, by="look", limit=1)[0].payload["style"] == "soft"


def test_a_server_that_fails_now_and_then_is_asked_again(tiny: Tiny, server: FakeQdrant) -> None:
    recipe = on(tiny, server.url)
    build_collection(recipe, home=tiny.home)
    with Retriever.open(recipe, home=tiny.home) as retriever:
        server.faults.append(Fault(status=503))
        assert len(retriever.search("cat")) == 3


def test_a_wrong_key_is_refused_in_one_line(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "wrong-key")
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    with FakeQdrant(key="right-key") as server:
        with pytest.raises(IndexUnavailableError, match="QDRANT_API_KEY"):
            Retriever.open(on(tiny, server.url), home=tiny.home)
        result = CliRunner().invoke(app, ["push", server.url, "-c", str(tiny.file)])
        assert result.exit_code == 7
        assert "QDRANT_API_KEY" in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert "wrong-key" not in result.stderr
        monkeypatch.setenv("QDRANT_API_KEY", "right-key")
        assert CliRunner().invoke(app, ["push", server.url, "-c", str(tiny.file)]).exit_code == 0


class Stages(Silent):
    """Notes the names of stages."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        self.names.append(name)
        with super().stage(name, total) as advance:
            yield advance


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"key": "right"}, "refuses our key"),
        ({"key": "right", "read_key": "wrong"}, "lets our key read, but not write"),
    ],
)
def test_a_build_that_the_server_would_refuse_reads_no_picture(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, keys: dict[str, str], message: str
) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "wrong")
    stages = Stages()
    with FakeQdrant(**keys) as server, pytest.raises(IndexUnavailableError, match=message):
        build_collection(on(tiny, server.url), home=tiny.home, progress=stages)
    assert stages.names == []


def test_a_name_that_is_taken_is_told_before_a_point_is_copied_and_another_can_be_given(
    tiny: Tiny, server: FakeQdrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    server.local.create_collection("tiny", vectors_config={"image": m.VectorParams(size=2, distance=m.Distance.DOT)})
    result = CliRunner().invoke(app, ["push", server.url, "-c", str(tiny.file)])
    assert result.exit_code == 7
    assert "something else under the name tiny" in result.stderr
    assert server.written == []
    result = CliRunner().invoke(app, ["push", server.url, "-c", str(tiny.file), "--as", "others"])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("others_users: ")
    result = CliRunner().invoke(app, ["push", server.url, "-c", str(tiny.file), "--as", "No Name"])
    assert result.exit_code == 3
    assert {name for name in server.created if name.startswith("others_2")}


def test_several_addresses_search_on_when_a_node_is_killed(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    with FakeQdrant(hosts=["127.0.0.1", "127.0.0.2"]) as server:
        urls = [node.url for node in server.nodes]
        result = CliRunner().invoke(app, ["push", *urls, "-c", str(tiny.file)])
        assert result.exit_code == 0, result.output
        recipe = tiny.recipe.model_copy(update={"index": IndexSettings(location=tuple(urls))})
        with Retriever.open(recipe, home=tiny.home) as retriever:
            want = ids(retriever, "cat", "ann")
            server.nodes[0].stop()
            assert [ids(retriever, "cat", "ann") for _ in range(4)] == [want] * 4
            assert retriever.record("cleo", "cat", want[0])
        # What a person is told of it.
        overview_now = overview(recipe, home=tiny.home)
        assert [node.startswith(url) for node, url in zip(overview_now["nodes"], urls, strict=True)] == [True, True]
        assert "cannot be reached" in overview_now["nodes"][0]
        assert overview_now["nodes"][1] == f"{urls[1]}: hears no majority: 1 of its 2 nodes do not answer it"
        assert [copy.rpartition(": ")[2] for copy in overview_now["replicas"]] == ["Dead", "Active"] * 2
        (server_check,) = [check for check in examine(recipe, home=tiny.home) if check.name == "server"]
        assert not server_check.passed
        assert "start what is down" in server_check.finding
        server.nodes[0].start()
        (server_check,) = [check for check in examine(recipe, home=tiny.home) if check.name == "server"]
        assert server_check.passed
        assert server_check.finding.endswith("4 copies of shards are well")


def test_pictures_are_exported_under_the_addresses_that_points_carry(
    tiny: Tiny, server: FakeQdrant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.file.write_text(tiny.file.read_text() + '[index]\nimage_base_url = "http://127.0.0.1:8000/"\n')
    build_collection(tiny.file, home=tiny.home)
    monkeypatch.setenv("PERSRV_HOME", str(tiny.home))
    folder = tmp_path / "pictures"
    (tiny.file.parent / "stickers" / "soft" / "dog.png").unlink()
    result = CliRunner().invoke(app, ["push", server.url, "-c", str(tiny.file), "--pictures", str(folder)])
    assert result.exit_code == 0, result.output
    assert "29 pictures" in result.stderr and "1 are gone" in result.stderr
    with tiny.open() as retriever:
        for hit in retriever.search("cat"):
            name = str(hit.payload["image_url"]).removeprefix("http://127.0.0.1:8000/")
            assert hit.path is not None
            assert (folder / name).read_bytes() == hit.path.read_bytes()

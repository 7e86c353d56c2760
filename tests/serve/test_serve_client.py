"""Clients against a service in a process of its own: they answer as the retriever does."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from copied_drawing import copied_drawing
from persrv import AsyncClient, Client, Retriever
from persrv.cli import app
from persrv.errors import AccessError, MissingExtraError, NotFoundError, PictureError, QueryError, ServiceError
from persrv.online.sticker_commands import AddReport
from persrv.serve import additions as additions_module
from persrv.serve import calls
from running_service import running
from tiny_collection import Tiny

SHARED = (
    "search",
    "similar",
    "record",
    "profile",
    "styles",
    "drop_style",
    "marks",
    "taste_map",
    "picks",
    "forget",
    "export",
    "copies",
    "add",
    "remove",
    "edit",
    "reset",
    "close",
)


@pytest.fixture(scope="module")
def copied(tiny_built: Tiny, module_folder: Path) -> Tiny:
    return tiny_built.copied(module_folder / "tiny")


@pytest.fixture(scope="module")
def answers(copied: Tiny) -> dict[str, object]:
    """What the retriever says, before the service takes the collection."""
    with copied.open() as retriever:
        return _ask(retriever)


@pytest.fixture(scope="module")
def url(copied: Tiny, answers: dict[str, object]) -> Iterator[str]:
    with running(copied) as service:
        yield service.address


def _ask(one: Retriever | Client) -> dict[str, object]:
    found = one.search("cat", "ann", explain=True, filters={"style": ["flat", "line"]})
    profile = one.profile("ann")
    return {
        "cat": [(h.rank, h.sticker_id, h.score, dict(h.payload), h.explanation, h.title) for h in found],
        "facts": (found.query, found.user, found.reason, found.note, found.personal, found.more),
        "corrected": dict(one.search("hapyy").corrections),
        "similar": [(h.sticker_id, h.score) for h in one.similar(found[0].sticker_id, by="look", limit=5)],
        "profile": (profile.sums.tolist(), profile.mass.tolist(), profile.day),
        "styles": one.styles("ann"),
        "taste": one.taste_map("ann", 4),
        "picks": one.picks("ann"),
        "export": one.export("ann"),
        "relevance": [hit.relevance for hit in one.search("happy cat")],
        "nobody": np.shape(one.profile("nobody").sums),
    }


def test_the_client_answers_as_the_retriever_does(url: str, answers: dict[str, object]) -> None:
    with Client(url, collection="tiny") as client:
        assert _ask(client) == answers


@pytest.mark.parametrize("name", SHARED)
def test_signatures_are_the_retrievers(name: str) -> None:
    expected = inspect.signature(getattr(Retriever, name))
    assert inspect.signature(getattr(Client, name)) == expected
    assert inspect.signature(getattr(AsyncClient, name)) == expected
    assert inspect.iscoroutinefunction(getattr(AsyncClient, name))


def test_writes(url: str, copied: Tiny) -> None:
    picture = copied.file.parent / "stickers" / "flat" / "dog.png"
    with Client(url) as client:
        dog = client.similar(picture)[0]
        assert dog.payload["tags"][0] == "dog" and client.similar(picture.read_bytes())[0].sticker_id == dog.sticker_id
        when = datetime(2026, 5, 1, tzinfo=UTC)
        receipt = client.record("zoe", "dog", dog.sticker_id[:12], kind="send", time=when)
        assert (receipt.sticker_id, receipt.new, len(receipt.profile.mass)) == (dog.sticker_id, True, 1)
        assert not client.record("zoe", "dog", dog.sticker_id, kind="send", time=when).new
        assert [(p.query, p.time, p.kind) for p in client.picks("zoe")] == [("dog", when, "send")]
        assert client.edit(dog.sticker_id, "tags", ["hound"], editor="zoe").semantics.tags == ("hound",)
        assert client.search("hound")[0].sticker_id == dog.sticker_id
        assert client.reset(dog.sticker_id, "tags").semantics.tags == ("dog", "狗")
        assert client.forget("zoe") == 1 and client.styles("zoe") == []


NAMES = ("ann/export", "..", "ann?x=1#y", "ann%2Fexport", "ann\\export", "a b", "../ann", "ann/")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_somebody_of_their_own(url: str, name: str) -> None:
    """Names that would be another path, or another's, if they stood in one."""
    with Client(url) as client:
        before = client.export("ann")
        assert client.picks(name) == [] and client.export(name)["user"] == name
        taken = client.search("dog")[0].sticker_id
        client.record(name, "dog", taken)
        assert [pick.sticker_id for pick in client.picks(name)] == [taken] and len(client.styles(name)) == 1
        assert len(client.taste_map(name).points) == len(client.profile(name).mass) == 1
        assert client.drop_style(name, 0) == []
        assert client.marks(name) == {"not_my_style": [taken]}
        assert client.forget(name) == 1 and client.export(name)["picks"] == 0
        assert client.export("ann") == before


def test_commands_know_every_name(url: str, copied: Tiny) -> None:
    def run(*arguments: str) -> dict:
        done = CliRunner().invoke(app, [*arguments, "--url", url, "-c", str(copied.file), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    taken = run("search", "coffee")["hits"][0]["sticker_id"]
    assert run("pick", taken, "--user", "ann/export")["new"]
    assert run("users", "ann/export", "--export")["interactions"][0]["sticker_id"] == taken
    assert run("users", "ann/export", "--forget") == {"user": "ann/export", "deleted": 1}


def test_stickers_come_and_go(url: str, tmp_path: Path) -> None:
    drawing = copied_drawing("olive")
    (tmp_path / "pangolin.png").write_bytes(drawing[0])
    with Client(url) as client:
        report = client.add(
            [tmp_path / "pangolin.png", tmp_path / "gone.png", drawing[1], b"no picture"],
            pack="zoo", tags=["scales"], texts={"name": ["armoured one"], "emoji": ["🦔"]}, language="en", style="flat",
        )  # fmt: skip
        assert [(s.packs, s.semantics.name, s.semantics.tags, s.style) for s in report.stickers] == [
            (("zoo",), ("armoured one",), ("scales",), "flat")
        ] * 2
        assert [skipped.key for skipped in report.skipped] == [str(tmp_path / "gone.png"), "10 bytes"]
        (hit,) = client.search("armoured")
        assert hit.copies == 1
        (other,) = client.copies(hit.sticker_id)
        assert {hit.sticker_id, other.id} == {sticker.id for sticker in report.stickers}
        assert client.remove(other.id).semantics.name == ("armoured one",) and client.copies(hit.sticker_id) == []
        assert client.remove(hit.sticker_id[:12]).id == hit.sticker_id
        with pytest.raises(QueryError):
            client.add([drawing[0]], texts={"colour": ["red"]})
        with pytest.raises(NotFoundError):
            client.remove("f" * 32)
        assert client.add([]) == AddReport((), ())


def test_many_pictures_go_in_several_requests(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(additions_module, "MOST_FILES", 2)
    with Client(url) as client:
        report = client.add([png for colour in ("navy", "gold") for png in copied_drawing(colour)])
        assert len(report.stickers) == 6
        for sticker in report.stickers:
            client.remove(sticker.id)


def test_async_writes(url: str) -> None:
    async def run() -> tuple[int, int, str]:
        async with AsyncClient(url) as client:
            report = await client.add(copied_drawing("purple"), tags=["mauve"])
            copies = await client.copies(report.stickers[0].id)
            for sticker in report.stickers:
                await client.remove(sticker.id)
            return len(report.stickers), len(copies), (await client.export("bo"))["user"]

    assert asyncio.run(run()) == (3, 2, "bo")


def test_async(url: str) -> None:
    async def both() -> list[str | None]:
        async with AsyncClient(url) as client:
            found = await asyncio.gather(client.search("rain", "ann"), client.search("rain", "bo"))
            return [answer[0].payload["style"] for answer in found]

    assert asyncio.run(both()) == ["line", "flat"]


def test_errors_come_back_as_they_were_raised(url: str, tmp_path: Path) -> None:
    with Client(url) as client:
        with pytest.raises(NotFoundError, match="first digits"):
            client.similar("f" * 32)
        with pytest.raises(QueryError, match="openapi"):
            client.search(limit=1000)
        with pytest.raises(PictureError):
            client.similar(b"no picture")
        with pytest.raises(PictureError, match="gone"):
            client.similar(tmp_path / "gone.png")
    with pytest.raises(NotFoundError, match="use one of tiny"), Client(url, collection="moon") as client:
        client.search()
    with pytest.raises(ServiceError, match="persrv serve"), Client("http://127.0.0.1:9") as client:
        client.search()


def test_an_error_keeps_its_class_whatever_its_constructor() -> None:
    missing = calls._error("urn:persrv:error:MissingExtraError", "x needs packages", "run pip")
    assert isinstance(missing, MissingExtraError) and str(missing) == "x needs packages; run pip"
    assert isinstance(calls._error("urn:persrv:error:AccessError", "a", "b"), AccessError)
    assert type(calls._error("about:blank", "a", "b")) is ServiceError


def test_commands_work_while_a_service_holds_the_collection(url: str, copied: Tiny, tmp_path: Path) -> None:
    def run(*arguments: str) -> dict:
        done = CliRunner().invoke(app, [*arguments, "--url", url, "-c", str(copied.file), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    found = run("search", "coffee", "--user", "bo")["hits"][0]["sticker_id"]
    assert run("pick", found, "--user", "yan")["styles"] == 1
    assert run("edit", found, "tags", "mocha")["values"] == ["mocha"]
    assert run("search", "mocha")["hits"][0]["sticker_id"] == found
    assert len(run("similar", found)["hits"]) > 3
    assert run("users", "yan", "--export")["interactions"][0]["sticker_id"] == found
    assert run("users", "yan", "--forget") == {"user": "yan", "deleted": 1}
    picture = tmp_path / "cup.png"
    picture.write_bytes(copied_drawing("maroon")[0])
    (added,) = run("add", str(picture), "--name", "goblet", "--pack", "cups")["added"]
    assert run("search", "goblet")["hits"][0]["sticker_id"] == added
    assert run("remove", added[:12]) == {"removed": added}
    assert run("edit", found, "tags", "--reset")["values"] == ["coffee", "咖啡"]

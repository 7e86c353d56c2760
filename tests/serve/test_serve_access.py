from __future__ import annotations

import json
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from persrv.cli import app
from persrv.errors import AccessError, NotFoundError, RecipeError
from persrv.serve import routes as package
from persrv.serve.app import create_app
from persrv.serve.keys import ADMIN_VARIABLE, KeyRing, add_key, remove_key
from persrv.serve.settings import ServeSettings
from served_tiny import bearer, second, serving
from tiny_collection import Tiny

READS = {("post", "/v1/similar")}
"""Calls that write nothing, although they are no GET."""

OPEN = ("/health", "/ready", "/v1/session")
"""Calls without a key; a session begins with one in its body."""


@pytest.fixture(scope="module")
def keys(own_tiny: Tiny) -> dict[str, str]:
    file = own_tiny.home / "keys.json"
    made = {right: add_key(file, right, right, ()) for right in ("read", "write", "admin")}
    return made | {"other": add_key(file, "other", "admin", ("other",)), "wrong": "w" * 43}


@pytest.fixture(scope="module")
def guarded(own_tiny: Tiny, keys: dict[str, str]) -> Iterator[TestClient]:
    with serving(own_tiny, second(own_tiny)) as opened:
        yield opened


PAGE = {("get", "/"), ("get", "/page/{name}")}
"""Files of the page, which hold nothing of anybody."""


def calls(client: TestClient) -> list[tuple[str, str]]:
    schema = client.get("/openapi.json").json()
    return [(method, path) for path, methods in schema["paths"].items() for method in methods]


def test_every_route_is_a_known_call_or_an_open_one(guarded: TestClient) -> None:
    """A call that is left out of the description would be left out of the tests below."""
    modules = [import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__)]
    routes = {(method.lower(), route.path) for m in modules for route in m.router.routes for method in route.methods}
    assert routes - {*calls(guarded)} == PAGE
    assert {path for _, path in calls(guarded)} >= {*OPEN}


def send(client: TestClient, method: str, path: str, key: str | None) -> int:
    there = path.replace("{user}", "ann").replace("{sticker_id}", "0" * 32)
    headers = bearer(key) if key else {}
    return client.request(method, there, headers=headers, params={"collection": "tiny"}).status_code


def test_every_call_but_health_needs_a_key(guarded: TestClient, keys: dict[str, str]) -> None:
    for method, path in calls(guarded):
        if path in OPEN:
            continue
        assert send(guarded, method, path, None) == 401, (method, path)
        assert send(guarded, method, path, keys["wrong"]) == 401, (method, path)


def test_no_write_with_a_key_for_reading_or_for_another_collection(guarded: TestClient, keys: dict[str, str]) -> None:
    writes = [call for call in calls(guarded) if call[0] != "get" and call not in READS and call[1] not in OPEN]
    assert len(writes) >= 9
    for method, path in writes:
        assert send(guarded, method, path, keys["read"]) == 403, (method, path)
        assert send(guarded, method, path, keys["other"]) == 403, (method, path)
        assert send(guarded, method, path, keys["admin"]) not in (401, 403), (method, path)


def test_a_key_is_for_its_collections(guarded: TestClient, keys: dict[str, str]) -> None:
    seen = guarded.get("/v1/collections", headers=bearer(keys["other"])).json()["collections"]
    assert [collection["name"] for collection in seen] == ["other"]
    refused = guarded.get("/v1/search?collection=tiny&q=cat", headers=bearer(keys["other"]))
    unknown = guarded.get("/v1/search?collection=moon&q=cat", headers=bearer(keys["other"]))
    assert (refused.status_code, unknown.status_code) == (403, 403)  # no way to learn which collections there are
    found = guarded.get("/v1/search?q=cat", headers=bearer(keys["other"]))
    assert "collection=other" in found.json()["hits"][0]["picture"]


def test_a_key_in_the_address_is_for_pictures_only(guarded: TestClient, keys: dict[str, str]) -> None:
    hits = guarded.get("/v1/search?q=cat&collection=tiny", headers={"x-api-key": keys["read"]}).json()["hits"]
    assert guarded.get(f"{hits[0]['thumbnail']}&key={keys['read']}").status_code == 200
    assert guarded.get(f"/v1/search?q=cat&key={keys['read']}").status_code == 401


def test_keys_come_and_go_while_the_service_runs(guarded: TestClient, own_tiny: Tiny) -> None:
    file = own_tiny.home / "keys.json"
    added = add_key(file, "late", "read", ())
    time.sleep(1.1)
    assert guarded.get("/v1/search", headers=bearer(added)).status_code == 200
    remove_key(file, "late")
    time.sleep(1.1)
    assert guarded.get("/v1/search", headers=bearer(added)).status_code == 401


def test_other_addresses_than_this_machines_need_keys(tiny: Tiny) -> None:
    with pytest.raises(AccessError, match="persrv keys add"):
        create_app(ServeSettings.of(collections=(str(tiny.file),), home=tiny.home, host="0.0.0.0"))


def test_keys_are_kept_as_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "deep" / "keys.json"
    made = add_key(file, "chat", "write", ("emoji",))
    assert made not in file.read_text() and file.stat().st_mode & 0o077 == 0
    found = KeyRing.read(file, {}).find(made)
    assert (found.name, found.right, found.collections) == ("chat", "write", ("emoji",))
    assert found.may("read", "emoji") and not found.may("admin", "emoji") and not found.may("read", "mine")
    with pytest.raises(RecipeError, match="already"):
        add_key(file, "chat", "read", ())
    with pytest.raises(NotFoundError, match="keys list"):
        remove_key(file, "nobody")
    assert KeyRing.read(file, {ADMIN_VARIABLE: "a" * 16}).find("a" * 16).may("admin", "emoji")
    with pytest.raises(RecipeError, match="too short"):
        KeyRing.read(file, {ADMIN_VARIABLE: "a" * 15})
    for wrong in ("{", "[1]", json.dumps([{"name": "x"}])):
        file.write_text(wrong)
        with pytest.raises(RecipeError, match="no file of API keys"):
            KeyRing.read(file, {})


def test_the_page_keeps_its_key_in_a_cookie(guarded: TestClient, keys: dict[str, str]) -> None:
    assert guarded.post("/v1/session", json={"key": keys["wrong"]}).status_code == 401
    entered = guarded.post("/v1/session", json={"key": keys["read"]})
    cookie = entered.headers["set-cookie"].lower()
    assert entered.status_code == 204 and "httponly" in cookie and "samesite=strict" in cookie
    assert guarded.get("/v1/search?collection=tiny").status_code == 200
    # The dashboard of a server on this machine is of the same site, and draws pictures with the cookie.
    known = guarded.get("/v1/search?collection=tiny&q=cat").json()["hits"][0]["sticker_id"]
    assert guarded.get(f"/pictures/{known}.png", headers={"sec-fetch-site": "same-site"}).status_code == 200
    guarded.delete("/v1/session")
    assert guarded.get("/v1/search?collection=tiny").status_code == 401


def test_keys_are_made_listed_and_taken_away_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSRV_HOME", str(tmp_path))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["keys", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "there are no keys; persrv keys add NAME makes one" in run("list")
    made = run("add", "bot").split()
    assert run("list").split()[:2] == ["bot", "read"]
    assert not any(secret in (tmp_path / "keys.json").read_text() for secret in made if len(secret) > 20)
    run("remove", "bot")
    assert "there are no keys" in run("list")

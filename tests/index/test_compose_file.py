"""What docker-compose.yml promises: pinned, private, keyed, and healthy only when Qdrant is ready."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from persrv.index.address import KEY_VARIABLE
from repository import ROOT


def read_yaml(text: str) -> Any:
    """Read the part of YAML that the compose file uses: nested mappings, lists of texts, quotes and comments."""
    rows = [
        (len(row) - len(row.lstrip()), row.strip())
        for row in text.splitlines()
        if row.strip() and not row.lstrip().startswith("#")
    ]

    def value(raw: str) -> Any:
        raw = raw if raw[:1] == "[" else re.sub(r'\s+#[^"]*$', "", raw)
        return ast.literal_eval(raw) if raw[:1] in "\"'[" else raw

    def block(start: int, depth: int) -> tuple[Any, int]:
        items: list[Any] = []
        pairs: dict[str, Any] = {}
        while start < len(rows) and rows[start][0] == depth:
            row = rows[start][1]
            start += 1
            if row.startswith("- "):
                items.append(value(row[2:]))
                continue
            key, _, rest = row.partition(":")
            if rest.strip():
                pairs[key] = value(rest.strip())
            elif start < len(rows) and rows[start][0] > depth:
                pairs[key], start = block(start, rows[start][0])
            else:
                pairs[key] = None
        return items or pairs, start

    return block(0, 0)[0]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return read_yaml((ROOT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def qdrant(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]["qdrant"]


def test_the_image_is_pinned_to_the_clients_minor_version(qdrant: dict[str, Any]) -> None:
    pinned = re.fullmatch(r"qdrant/qdrant:v(\d+)\.(\d+)\.\d+-unprivileged", qdrant["image"])
    assert pinned
    client = importlib.metadata.version("qdrant-client").split(".")
    assert pinned[1] == client[0]
    assert abs(int(pinned[2]) - int(client[1])) <= 1


def test_ports_are_open_to_this_machine_only(qdrant: dict[str, Any]) -> None:
    assert qdrant["ports"] == ["127.0.0.1:6333:6333", "127.0.0.1:6334:6334"]


def test_both_keys_are_required_and_named_in_the_example(qdrant: dict[str, Any]) -> None:
    example = re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    assert example[:2] == [(KEY_VARIABLE, ""), ("QDRANT_READ_ONLY_API_KEY", "")]
    for setting, (variable, _) in zip(["API_KEY", "READ_ONLY_API_KEY"], example[:2], strict=True):
        wanted = qdrant["environment"][f"QDRANT__SERVICE__{setting}"]
        assert re.fullmatch(rf"\$\{{{variable}:\?.*copy \.env\.example to \.env.*\}}", wanted)
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_it_says_nothing_home_restarts_and_gives_up_its_rights(qdrant: dict[str, Any]) -> None:
    assert qdrant["environment"]["QDRANT__TELEMETRY_DISABLED"] == "true"
    assert qdrant["restart"] == "unless-stopped"
    assert qdrant["security_opt"] == ["no-new-privileges:true"]
    assert qdrant["cap_drop"] == ["ALL"]


def test_data_lives_in_named_volumes(compose: dict[str, Any], qdrant: dict[str, Any]) -> None:
    mounts = dict(mount.split(":") for mount in qdrant["volumes"])
    assert mounts == {"storage": "/qdrant/storage", "snapshots": "/qdrant/snapshots"}
    assert {"storage", "snapshots"} <= set(compose["volumes"])


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers only ``/readyz`` with a status, anything else with 404; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, False)])
def test_the_health_check_asks_whether_qdrant_is_ready(qdrant: dict[str, Any], status: int, healthy: bool) -> None:
    kind, shell, *arguments = qdrant["healthcheck"]["test"]
    assert (kind, shell) == ("CMD", "bash")
    found = shutil.which("bash")
    assert found
    with answering(status) as port:
        command = [argument.replace("/6333", f"/{port}") for argument in arguments]
        done = subprocess.run([found, *command], capture_output=True, timeout=10, check=False)
    assert (done.returncode == 0) is healthy


def test_the_health_check_fails_where_nobody_listens(qdrant: dict[str, Any]) -> None:
    with answering(200) as port:
        pass
    command = [argument.replace("/6333", f"/{port}") for argument in qdrant["healthcheck"]["test"][2:]]
    done = subprocess.run([shutil.which("bash") or "bash", *command], capture_output=True, timeout=10, check=False)
    assert done.returncode != 0

"""The service as a process of its own: how it starts, stops, and what outlives it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from running_service import running
from tiny_collection import Tiny


def test_every_acknowledged_pick_outlives_a_kill(tiny: Tiny) -> None:
    with running(tiny) as service, httpx.Client(base_url=service.address) as client:
        hits = client.get("/v1/trending").json()["hits"]
        for number, hit in enumerate(hits[:10]):
            body = {"user": "zoe", "query": f"q{number}", "sticker_id": hit["sticker_id"]}
            assert client.post("/v1/share", json=body).status_code == 201
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()
    with running(tiny) as service:
        stored = httpx.get(f"{service.address}/v1/users/zoe/export").json()
    assert [pick["query"] for pick in stored["picks"]] == [f"q{number}" for number in range(10)]
    assert stored["styles"]


def test_a_stop_is_clean(tiny: Tiny) -> None:
    with running(tiny) as service:
        assert httpx.get(f"{service.address}/v1/search?q=cat&user=secret").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait() in (0, -signal.SIGTERM)
        log = service.log.read_text()
    assert '"route": "/v1/search"' in log and "secret" not in log and "cat" not in log.replace("catalog", "")
    with tiny.open() as retriever:
        assert retriever.search("cat")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--host", "0.0.0.0"], 9, "persrv keys add"),
        (["--workers", "2"], 3, "one worker"),
        (["-c", "moon"], 3, "there is no recipe 'moon'"),
        (["--port", "99999"], 3, "port"),
        (["--port", "0", "-c", "emoji"], 6, "emoji was never built"),
    ],
)
def test_what_cannot_be_served_says_why(tiny_built: Tiny, arguments: list[str], code: int, message: str) -> None:
    command = [sys.executable, "-m", "persrv", "serve", "-c", str(tiny_built.file), "--no-open", *arguments]
    environment = os.environ | {"PERSRV_HOME": str(tiny_built.home)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert (done.returncode, done.stderr.count("persrv: ")) == (code, 1), done.stderr
    assert message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("head", [b"GET /health?q=", b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: "])
def test_an_endless_head_is_cut_off(tiny_built: Tiny, head: bytes, tmp_path: Path) -> None:
    with running(tiny_built.copied(tmp_path / "tiny")) as service:
        port = int(service.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as caller:
            caller.sendall(head)
            with pytest.raises(OSError, match=r"reset|[Bb]roken"):
                for _ in range(10_000):
                    caller.sendall(b"a" * 10_000)
        body = b'{"user": "ann", "sticker_id": "' + b"0" * 300_000 + b'"}'
        assert httpx.post(f"{service.address}/v1/share", content=body).status_code == 422
        assert httpx.get(f"{service.address}/v1/search", params={"q": "a" * 40_000}).status_code == 422


def test_a_collection_in_use_names_its_owner(tiny: Tiny) -> None:
    with tiny.open():
        command = [sys.executable, "-m", "persrv", "serve", "-c", str(tiny.file), "--no-open", "--port", "0"]
        environment = os.environ | {"PERSRV_HOME": str(tiny.home)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert f"is in use by process {os.getpid()}" in done.stderr and "Traceback" not in done.stderr

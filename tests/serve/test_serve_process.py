"""The service as a process of its own: how it starts, stops, and what outlives it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tiny_collection import Tiny


@contextmanager
def running(tiny: Tiny, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address; it is killed at the end, where it still runs."""
    command = [sys.executable, "-m", "persrv", "serve", "-r", str(tiny.file), "--port", "0", "--no-open", *arguments]
    environment = os.environ | {"PERSRV_HOME": str(tiny.home)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said + process.stderr.read()
            yield process, found[0]
        finally:
            process.kill()


def test_every_acknowledged_pick_outlives_a_kill(tiny: Tiny) -> None:
    with running(tiny) as (process, address), httpx.Client(base_url=address) as client:
        hits = client.get("/v1/trending").json()["hits"]
        for number, hit in enumerate(hits[:10]):
            body = {"user": "zoe", "query": f"q{number}", "sticker_id": hit["sticker_id"]}
            assert client.post("/v1/share", json=body).status_code == 201
        process.send_signal(signal.SIGKILL)
        process.wait()
    with running(tiny) as (_, address):
        stored = httpx.get(f"{address}/v1/users/zoe/export").json()
    assert [pick["query"] for pick in stored["picks"]] == [f"q{number}" for number in range(10)]
    assert stored["styles"]


def test_a_stop_is_clean(tiny: Tiny) -> None:
    with running(tiny) as (process, address):
        assert httpx.get(f"{address}/v1/search?q=cat&user=secret").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        log = process.stderr.read()
        assert process.wait() in (0, -signal.SIGTERM)
    assert '"route": "/v1/search"' in log and "secret" not in log and "cat" not in log.replace("catalog", "")
    with tiny.open() as retriever:
        assert retriever.search("cat")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--host", "0.0.0.0"], 9, "persrv keys add"),
        (["--workers", "2"], 3, "one worker"),
        (["-r", "moon"], 3, "there is no recipe 'moon'"),
        (["--port", "99999"], 3, "port"),
    ],
)
def test_what_cannot_be_served_says_why(tiny_built: Tiny, arguments: list[str], code: int, said: str) -> None:
    command = [sys.executable, "-m", "persrv", "serve", "-r", str(tiny_built.file), "--no-open", *arguments]
    environment = os.environ | {"PERSRV_HOME": str(tiny_built.home)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert (done.returncode, done.stderr.count("persrv: ")) == (code, 1), done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr

"""Several processes on one server: every one answers, their figures are one, and a stop is clean."""

from __future__ import annotations

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from fake_qdrant import FakeQdrant
from persrv.index.schema import point_id
from persrv.offline import build_collection
from running_service import running
from tiny_collection import Tiny


def test_workers_share_a_server(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "secret")
    with FakeQdrant(key="secret") as fake:
        text = f'{tiny.file.read_text()}\n[index]\nlocation = "{fake.url}"\n'
        tiny.file.write_text(text, encoding="utf-8")
        build_collection(tiny.file, home=tiny.home)
        with running(tiny, "--workers", "2") as service:
            ready(service.address)
            hits = httpx.get(f"{service.address}/v1/search?q=cat").json()["hits"]
            assert len(hits) == 3
            point = httpx.get(f"{service.address}/v1/stickers/{hits[0]['sticker_id']}").json()["point"]
            assert point["dashboard"] == f"{fake.url}/dashboard#/collections/tiny#points"
            assert point["filter"] == f"id:{point_id(hits[0]['sticker_id'])}"
            # Each on a connection of its own, so that both processes get some.
            with ThreadPoolExecutor(8) as callers:
                answers = list(
                    callers.map(lambda i: httpx.get(f"{service.address}/v1/search?q=cat&user=u{i}"), range(40))
                )
            assert {answer.status_code for answer in answers} == {200}
            pick = {"user": "zoe", "query": "cat", "sticker_id": hits[0]["sticker_id"]}
            assert httpx.post(f"{service.address}/v1/share", json=pick).status_code == 201
            for _ in range(8):
                # Whoever answers knows the pick at once, and counts with the others.
                assert httpx.get(f"{service.address}/v1/users/zoe").json()["picks"] == 1
                figures = httpx.get(f"{service.address}/metrics").text
                assert 'persrv_picks_total{collection="tiny"} 1.0' in figures
                answered = re.search(r'persrv_answers_total{collection="tiny",reason="matched"} (\d+)', figures)
                assert answered and int(answered[1]) == 41
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(timeout=60) in (0, -signal.SIGTERM)


def ready(address: str) -> None:
    while True:
        try:
            if httpx.get(f"{address}/ready", timeout=60).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)

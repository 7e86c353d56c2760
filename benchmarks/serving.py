"""A search over HTTP: what the service costs beyond the search itself.

The emoji set is built twice. One copy is served by ``persrv serve`` in a process of its own; the other is open here,
with its engine in a process beside, as in the service. The same six people ask both for the best 20.

* **one connection**: latencies of ``GET /v1/search`` on a kept connection, against ``Retriever.search``.
* **8 and 32 connections**: the time that one search takes of the whole, for as many callers of ``Retriever.search``.

``--size`` is the number of stickers. Callers are threads of this process, whose own work is in the figures of both.
"""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import local
from urllib.parse import urlencode, urlsplit

import numpy as np

from benchmarks.emoji_part import Part, emoji_part, written
from benchmarks.measure import Row, compare, latencies, percentile_rows, seconds, take_turns
from benchmarks.options import Options
from benchmarks.service import service
from persrv.errors import ServiceError
from persrv.offline import build_collection
from persrv.online.retriever import Retriever
from persrv.workspace import Workspace

TURNS, QUERIES = 5, 200
CONNECTIONS = (8, 32)
LIMIT = 20
RIVAL = "Retriever.search"

Asked = tuple[str, str]
"""Who asks, and for what."""


def run(options: Options) -> list[Row]:
    """Build, serve, and measure both in turns.

    Raises:
        PersrvError: The set cannot be used, or the service does not start.
    """
    turns = options.repetitions or TURNS
    with emoji_part(options.pictures_from, options.size) as part, tempfile.TemporaryDirectory() as other:
        file = written(part.recipe, part.folder / f"{part.recipe.name}.toml")
        for home in (part.folder, Path(other)):
            build_collection(file, home=home)
        requests = _asked(part)
        with (
            service(file, Path(other)) as running,
            Retriever.open(file, home=part.folder, engine="process") as retriever,
            closing(_Connections(running.address)) as connections,
        ):
            there = connections.search

            def here(one: Asked) -> int:
                return len(retriever.search(one[1], one[0], limit=LIMIT))

            if differing := [one for one in requests[:50] if here(one) != there(one)]:
                raise ServiceError(f"the service answers {differing[0]} otherwise", "look at its log")
            ours, theirs = latencies(turns, requests, there, here)
            rows = percentile_rows("GET /v1/search, one connection", ours, RIVAL, theirs, _difference(ours, theirs))
            for callers in CONNECTIONS:
                found = take_turns(
                    turns, partial(_together, there, requests, callers), partial(_together, here, requests, callers)
                )
                rows.append(compare(f"GET /v1/search, {callers} connections", found[0], RIVAL, found[1], "ms a search"))
    return rows


def _difference(ours: np.ndarray, theirs: np.ndarray) -> str:
    return f"{(np.median(ours) - np.median(theirs)) * 1000:.2f} ms more at the median"


def _asked(part: Part) -> list[Asked]:
    with Workspace.of(part.recipe, part.folder).catalog() as catalog:
        people = sorted({interaction.user for interaction in catalog.interactions()})
    phrases = sorted({phrase for drawing in part.drawings for phrase in (*drawing["name"], *drawing["tags"])})
    chosen = np.random.default_rng(4).integers(0, len(phrases), QUERIES).tolist()
    return [(people[number % len(people)], phrases[which]) for number, which in enumerate(chosen)]


def _together(search: Callable[[Asked], int], requests: Sequence[Asked], callers: int) -> float:
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(search, requests[:callers]))  # connections and threads are there before the clock runs
        taken = seconds(lambda: list(pool.map(search, requests)))
    return taken / len(requests) * 1000


class _Connections:
    """One kept connection for each thread."""

    def __init__(self, address: str) -> None:
        where = urlsplit(address)
        self._place = where.hostname or "", where.port
        self._own = local()
        self._all: list[http.client.HTTPConnection] = []

    def search(self, one: Asked) -> int:
        """Return how many stickers the service finds."""
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection(*self._place)
            self._all.append(connection)
        connection.request("GET", "/v1/search?" + urlencode({"q": one[1], "user": one[0], "limit": LIMIT}))
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise ServiceError(f"the service answered {answer.status}", "look at its log")
        return len(json.loads(content)["hits"])

    def close(self) -> None:
        """Close them all."""
        for connection in self._all:
            connection.close()

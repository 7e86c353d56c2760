"""Writes points to a server in requests as large as it takes, without a model for each point."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from qdrant_client import QdrantClient

from persrv.errors import RequestTooLargeError
from persrv.index.calls import Calls
from persrv.index.client_translator import encode_point
from persrv.index.language import Point

Advance = Callable[[int], None]
"""Is told the number of points written since the last call."""

WRITERS = 2
_AHEAD = 2
_POINTS, _SIZE = 256, 900_000
_HEAD, _TAIL = b'{"points":[', b"]}"


@dataclass(slots=True)
class UploadLimits:
    """How much one request may carry; halved whenever the server refuses one for its size.

    Attributes:
        points: Largest number of points: Qdrant advises 64 to 256.
        size: Largest number of bytes: nginx as installed lets 1 MB through.
    """

    points: int = _POINTS
    size: int = _SIZE

    def obey(self, strict_mode: Any) -> None:
        """Keep to a collection's ``strict_mode_config``, which may be missing or say nothing of this."""
        allowed = getattr(strict_mode, "upsert_max_batchsize", None)
        if allowed:
            self.points = min(self.points, int(allowed))

    def halve(self, refused: Sequence[bytes]) -> None:
        """Send at most half of what was refused from now on."""
        self.points = max(1, min(self.points, len(refused) // 2))
        self.size = max(1, min(self.size, sum(map(len, refused)) // 2))

    def batches(self, points: Iterable[bytes]) -> Iterator[list[bytes]]:
        """Group encoded points; one that is too large stands alone."""
        batch: list[bytes] = []
        size = 0
        for point in points:
            if batch and (len(batch) >= self.points or size + len(point) > self.size):
                yield batch
                batch, size = [], 0
            batch.append(point)
            size += len(point) + 1
        if batch:
            yield batch


@dataclass(frozen=True, slots=True)
class Uploads:
    """Writes points of one version.

    Attributes:
        calls: Makes the calls.
        version: Name of the version's own Qdrant collection.
        shards: How many it has.
        limits: What a request may carry.
    """

    calls: Calls
    version: str
    shards: int
    limits: UploadLimits

    def write(self, points: Sequence[Point]) -> None:
        """Write points one request after the other; all are applied when it returns."""
        batches = deque(self.limits.batches(map(encode_point, points)))
        while batches:
            batch = batches.popleft()
            self._send(batch, last=not batches)

    def load(self, points: Iterable[Point], advance: Advance | None = None) -> None:
        """Write many points: the next ones are read while two writers send; all are applied when it returns."""
        waiting: deque[Future[int]] = deque()
        last: list[bytes] = []
        with ThreadPoolExecutor(WRITERS, thread_name_prefix="upload") as writers:
            try:
                for batch in self.limits.batches(map(encode_point, points)):
                    while len(waiting) >= WRITERS + _AHEAD:
                        _note(waiting.popleft(), advance)
                    waiting.append(writers.submit(self._send, batch, last=False))
                    last = batch
                while waiting:
                    _note(waiting.popleft(), advance)
            except BaseException:
                for future in waiting:
                    future.cancel()
                raise
        if last:
            # Two writers finish in any order: this one is certainly the last.
            self._send(last, last=True)

    def _send(self, batch: Sequence[bytes], *, last: bool) -> int:
        """Send a batch, in parts where it is refused for its size; return how many points it has."""
        rest = list(batch)
        while rest:
            part = next(self.limits.batches(rest))
            body = _HEAD + b",".join(part) + _TAIL
            # A shard applies writes in their order, so that the last one stands for all of them; several shards do not.
            wait = (last and len(part) == len(rest)) or self.shards > 1
            try:
                self.calls.write(partial(_put, version=self.version, body=body, wait=wait))
            except RequestTooLargeError:
                if len(part) == 1:
                    raise
                self.limits.halve(part)
            else:
                rest = rest[len(part) :]
        return len(batch)


def _put(client: QdrantClient, version: str, body: bytes, wait: bool) -> None:
    client.http.client.request(
        type_=dict[str, Any],
        method="PUT",
        url="/collections/{collection_name}/points",
        path_params={"collection_name": version},
        params={"wait": str(wait).lower()},
        headers={"content-type": "application/json"},
        content=body,
    )


def _note(done: Future[int], advance: Advance | None) -> None:
    count = done.result()
    if advance:
        advance(count)

"""What a service counts, in Prometheus's form."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from persrv.online.answer import Answer

SHARED_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder through which several workers count together; prometheus_client reads it."""

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """The figures of a service; each app has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._builds: dict[str, str] = {}
        self.requests = Counter(
            "persrv_requests", "Requests answered", ("route", "method", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "persrv_request_seconds",
            "From the first byte in to the last byte out",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.stages = Histogram(
            "persrv_stage_seconds",
            "Time in one stage of a request",
            ("stage",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.answers = Counter(
            "persrv_answers", "Answers by why they are what they are", ("collection", "reason"), registry=self.registry
        )
        self.cuts = Counter(
            "persrv_pool_cuts",
            "Answers whose pool of candidates grew to its limit, so that a sticker may be missing",
            ("collection",),
            registry=self.registry,
        )
        self.picks = Counter("persrv_picks", "Picks written down", ("collection",), registry=self.registry)
        self.version = Gauge(
            "persrv_index_info",
            "1 for the build that answers now, 0 for those before",
            ("collection", "build"),
            registry=self.registry,
            multiprocess_mode="max",
        )
        self.stickers = Gauge(
            "persrv_stickers",
            "Stickers in the index",
            ("collection",),
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )

    def answered(self, collection: str, answer: Answer) -> None:
        """Count an answer. Every reason but ``matched`` and ``trending`` is a fallback."""
        self.answers.labels(collection, answer.reason).inc()
        if answer.cut:
            self.cuts.labels(collection).inc()

    def built(self, collection: str, build: str, stickers: int) -> None:
        """Say which build answers now."""
        if collection in self._builds:
            self.version.labels(collection, self._builds[collection]).set(0)
        self._builds[collection] = build
        self.version.labels(collection, build).set(1)
        self.stickers.labels(collection).set(stickers)

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them, those of the other workers with them."""
        if SHARED_VARIABLE not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

"""Runs a stage over what is missing, and stores what an engine makes of it batch by batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.indexing.progress import Progress
from persrv.offline.engines import Engine
from persrv.offline.stage import Result, Stage
from persrv.offline.working import outcomes
from persrv.records import Skipped, Sticker
from persrv.workspace import Workspace

SAMPLE = 8
"""Stickers that are worked on, and thrown away, to estimate a stage that never ran here."""


@dataclass(frozen=True, slots=True)
class StageReport:
    """What a stage did, or would do.

    Attributes:
        name: The stage.
        missing: Stickers without a result when it began.
        done: Stickers that have one now.
        skipped: Those that could not be read; they are tried again at the next run.
        seconds: Time that it took, or is estimated to take.
    """

    name: str
    missing: int
    done: int
    skipped: tuple[Skipped, ...]
    seconds: float


def run_stage(
    stage: Stage[Result],
    workspace: Workspace,
    catalog: Catalog,
    engine: Engine,
    progress: Progress,
    limit: int | None = None,
) -> StageReport:
    """Work on what is missing, in id order, batch by batch.

    Killing it at any moment loses at most the batches in hand. What cannot be read is skipped and reported.

    Args:
        stage: What to do.
        workspace: Of the collection.
        catalog: Says which stickers there are, and keeps the results.
        engine: Where the model works.
        progress: Shows how far it is.
        limit: Largest number of stickers to work on.
    """
    started = time.monotonic()
    missing = stage.missing(catalog)
    skipped: dict[int, tuple[Skipped, ...]] = {}
    done = 0
    wanted = missing if limit is None else missing[:limit]
    with progress.stage(stage.title, len(wanted)) as advance:
        for outcome in engine.outcomes(stage, workspace, _batches(catalog, wanted, stage)):
            if outcome.results:
                stage.store(catalog, outcome.results)
            skipped[outcome.batch] = outcome.skipped
            done += len(outcome.results)
            advance(outcome.stickers)
    seconds = time.monotonic() - started
    if done:
        catalog.note(_rate_key(stage, engine.name), done / seconds)
    in_order = tuple(item for _, items in sorted(skipped.items()) for item in items)
    return StageReport(stage.name, len(missing), done, in_order, seconds)


def estimate_stage(stage: Stage[Result], catalog: Catalog, limit: int | None = None) -> StageReport:
    """Say how much a stage would do and how long it would take on the engine ``local``; nothing is written.

    The rate is that of its last run here, else it is measured on a few stickers.
    """
    missing = stage.missing(catalog)
    wanted = missing if limit is None else missing[:limit]
    if not wanted:
        return StageReport(stage.name, len(missing), 0, (), 0.0)
    rate = catalog.noted(_rate_key(stage, "local"))
    if not isinstance(rate, float):
        sample = wanted[:SAMPLE]
        started = time.monotonic()
        for _ in outcomes(stage, _batches(catalog, sample, stage)):
            pass
        rate = len(sample) / max(time.monotonic() - started, 1e-6)
    return StageReport(stage.name, len(missing), 0, (), len(wanted) / rate)


def _rate_key(stage: Stage[Result], engine: str) -> str:
    return f"rate:{engine}:{stage.name}:{stage.model}"


def _batches(catalog: Catalog, ids: Sequence[str], stage: Stage[Result]) -> Iterator[tuple[int, list[Sticker]]]:
    for number, group in enumerate(chunks(ids, stage.batch)):
        yield number, list(catalog.stickers(group, without=stage.blind_to))

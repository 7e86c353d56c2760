"""Runs a stage over what is missing, reading ahead while the model works."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from persrv.build.progress import Progress
from persrv.build.stage import Item, Result, Stage
from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.errors import PictureError
from persrv.images.decode import open_picture
from persrv.records import Skipped, Sticker

READERS = 2
"""Threads that decode the next batch while the model works on this one."""

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


def run_stage(stage: Stage[Result], catalog: Catalog, progress: Progress, limit: int | None = None) -> StageReport:
    """Work on what is missing, in id order, batch by batch.

    Killing it at any moment loses at most the batch in hand. What cannot be read is skipped and reported.

    Args:
        stage: What to do.
        catalog: Says which stickers there are, and keeps the results.
        progress: Shows how far it is.
        limit: Largest number of stickers to work on.
    """
    started = time.monotonic()
    missing = stage.missing(catalog)
    skipped: list[Skipped] = []
    done = 0
    wanted = missing if limit is None else missing[:limit]
    with progress.stage(stage.title, len(wanted)) as advance:
        for items, unreadable in _opened(catalog, wanted, stage):
            results = stage.work(items) if items else []
            good = [
                (item.sticker_id, result)
                for item, result in zip(items, results, strict=True)
                if not isinstance(result, Skipped)
            ]
            if good:
                stage.store(catalog, good)
            skipped.extend(unreadable)
            skipped.extend(result for result in results if isinstance(result, Skipped))
            done += len(good)
            advance(len(items) + len(unreadable))
    seconds = time.monotonic() - started
    if done:
        catalog.note(_rate_key(stage), done / seconds)
    return StageReport(stage.name, len(missing), done, tuple(skipped), seconds)


def estimate_stage(stage: Stage[Result], catalog: Catalog, limit: int | None = None) -> StageReport:
    """Say how much a stage would do and how long it would take; nothing is written.

    The rate is that of its last run here, else it is measured on a few stickers.
    """
    missing = stage.missing(catalog)
    wanted = missing if limit is None else missing[:limit]
    if not wanted:
        return StageReport(stage.name, len(missing), 0, (), 0.0)
    rate = catalog.noted(_rate_key(stage))
    if not isinstance(rate, float):
        sample = wanted[:SAMPLE]
        started = time.monotonic()
        for items, _ in _opened(catalog, sample, stage):
            stage.work(items)
        rate = len(sample) / max(time.monotonic() - started, 1e-6)
    return StageReport(stage.name, len(missing), 0, (), len(wanted) / rate)


def _rate_key(stage: Stage[Result]) -> str:
    return f"rate:{stage.name}:{stage.model}"


def _opened(catalog: Catalog, ids: Sequence[str], stage: Stage[Result]) -> Iterator[tuple[list[Item], list[Skipped]]]:
    """Yield batches of opened stickers, and of those that cannot be opened, always one batch ahead."""
    with ThreadPoolExecutor(READERS) as readers:
        ahead: list[Future[Item | Skipped]] = []
        for group in chunks(ids, stage.batch):
            stickers = catalog.stickers(group, without=stage.blind_to)
            coming = [readers.submit(_open, sticker) for sticker in stickers]
            if ahead:
                yield _split(ahead)
            ahead = coming
        if ahead:
            yield _split(ahead)


def _split(futures: Sequence[Future[Item | Skipped]]) -> tuple[list[Item], list[Skipped]]:
    opened = [future.result() for future in futures]
    return (
        [item for item in opened if isinstance(item, Item)],
        [item for item in opened if isinstance(item, Skipped)],
    )


def _open(sticker: Sticker) -> Item | Skipped:
    if sticker.path is None:
        return Item(sticker.id, None, None, sticker.semantics)
    try:
        return Item(sticker.id, sticker.path, open_picture(sticker.path), sticker.semantics)
    except PictureError as error:
        return Skipped(str(sticker.path), error.problem)

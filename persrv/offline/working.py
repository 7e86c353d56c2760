"""One machine's share of a stage: pictures are opened ahead while the model works on those before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic

from persrv.errors import PictureError
from persrv.images.decode import open_picture
from persrv.offline.stage import Item, Result, Worker
from persrv.records import Skipped, Sticker

READERS = 2
"""Threads that decode the next batch while the model works on this one."""


@dataclass(frozen=True, slots=True)
class BatchResult(Generic[Result]):
    """What became of one batch.

    Attributes:
        batch: Its number, from 0 in the order in which batches were asked for.
        results: Results by sticker id.
        skipped: Stickers that could not be opened, then those that could not be read.
    """

    batch: int
    results: tuple[tuple[str, Result], ...]
    skipped: tuple[Skipped, ...]

    @property
    def stickers(self) -> int:
        """How many the batch had."""
        return len(self.results) + len(self.skipped)


def outcomes(worker: Worker[Result], batches: Iterable[tuple[int, Sequence[Sticker]]]) -> Iterator[BatchResult[Result]]:
    """Work on batches of stickers in their order, opening the next one meanwhile.

    Args:
        worker: Reads opened stickers.
        batches: Number and stickers of each; drawn from one batch ahead.
    """
    for number, opened in _ahead(batches):
        items = [each for each in opened if isinstance(each, Item)]
        read = worker.work(items) if items else []
        results = [
            (item.sticker_id, result)
            for item, result in zip(items, read, strict=True)
            if not isinstance(result, Skipped)
        ]
        failed = [each for each in (*opened, *read) if isinstance(each, Skipped)]
        yield BatchResult(number, tuple(results), tuple(failed))


def _ahead(batches: Iterable[tuple[int, Sequence[Sticker]]]) -> Iterator[tuple[int, list[Item | Skipped]]]:
    with ThreadPoolExecutor(READERS) as readers:
        before: tuple[int, list[Future[Item | Skipped]]] | None = None
        for number, stickers in batches:
            coming = [readers.submit(_open, sticker) for sticker in stickers]
            if before is not None:
                yield before[0], [future.result() for future in before[1]]
            before = number, coming
        if before is not None:
            yield before[0], [future.result() for future in before[1]]


def _open(sticker: Sticker) -> Item | Skipped:
    if sticker.path is None:
        return Item(sticker.id, None, None, sticker.semantics)
    try:
        return Item(sticker.id, sticker.path, open_picture(sticker.path), sticker.semantics)
    except PictureError as error:
        return Skipped(str(sticker.path), error.problem)

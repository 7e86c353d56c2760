"""Batches made ahead of the device that computes with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import local
from typing import TypeVar

Item = TypeVar("Item")
Batch = TypeVar("Batch")

_AHEAD = 3
"""Batches for each thread that are begun before they are wanted: enough to bridge a slow one, and little memory."""


def prefetched(
    items: Iterable[Item], maker: Callable[[], Callable[[Item], Batch]], threads: int
) -> Generator[Batch, None, None]:
    """Yield one batch an item, in their order, while threads make the next ones.

    Args:
        items: What batches are made of; read a little ahead.
        maker: Returns a function from an item to its batch. Each thread calls it once and has a function of its own,
            since tokenizers must not be shared.
        threads: 0 makes each batch when it is wanted.

    Raises:
        Exception: What making a batch raised, when its turn comes.
    """
    if not threads:
        yield from map(maker(), items)
        return
    own = local()

    def make(item: Item) -> Batch:
        if not hasattr(own, "make"):
            own.make = maker()
        batch: Batch = own.make(item)
        return batch

    rest = iter(items)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="collating")
    try:
        begun: deque[Future[Batch]] = deque(pool.submit(make, item) for item in islice(rest, threads * _AHEAD))
        while begun:
            batch = begun.popleft().result()
            begun.extend(pool.submit(make, item) for item in islice(rest, 1))
            yield batch
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

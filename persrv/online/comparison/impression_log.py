"""Writes impressions down behind the answer: a search neither waits for them nor fails with them."""

from __future__ import annotations

import logging
from collections import deque
from threading import Condition, Thread

from persrv.catalog import Catalog
from persrv.errors import PersrvError
from persrv.records import Impression

MOST_WAITING = 10_000
"""Impressions that wait to be written; beyond them the oldest are lost, some 20 MB of memory."""

_BATCH = 500
_AGAIN_SECONDS = 1.0
_LOG = logging.getLogger(__name__)


class ImpressionLog:
    """Keeps impressions in memory until a thread of its own has written them. Safe for several threads.

    What cannot be written, such as while another process holds the catalog, is tried again every second. What still
    cannot be written at :meth:`close` is lost, and the log of the program says how many.

    Args:
        catalog: Keeps the impressions.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._waiting: deque[Impression] = deque()
        self._in_hand: list[Impression] = []
        self._changed = Condition()
        self._thread: Thread | None = None
        self._closing = False
        self._lost = 0

    def put(self, impression: Impression) -> None:
        """Take an impression; returns at once."""
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(impression)
            if self._thread is None:
                self._thread = Thread(target=self._write, name="persrv impressions", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def settle(self, seconds: float = 10.0) -> bool:
        """Wait until everything is written, but no longer than so many seconds; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._in_hand, timeout=seconds)

    def drop(self, user: str) -> None:
        """Take back what waits of a user; returns when none of it is on its way to the catalog."""
        with self._changed:
            self._waiting = deque(each for each in self._waiting if each.user != user)
            self._changed.wait_for(lambda: all(each.user != user for each in self._in_hand))
            self._waiting = deque(each for each in self._waiting if each.user != user)

    def close(self) -> None:
        """Write what waits, then stop; closing twice is harmless."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        if self._lost:
            _LOG.warning("%d impressions were lost: the catalog could not be written", self._lost)
            self._lost = 0

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    self._thread = None
                    self._changed.notify_all()
                    return
                self._in_hand = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            written = self._written(self._in_hand)
            with self._changed:
                if not written and self._closing:
                    self._lost += len(self._in_hand) + len(self._waiting)
                    self._waiting.clear()
                elif not written:
                    self._waiting.extendleft(reversed(self._in_hand))
                self._in_hand = []
                self._changed.notify_all()
                if not written:
                    self._changed.wait_for(lambda: self._closing, timeout=_AGAIN_SECONDS)

    def _written(self, batch: list[Impression]) -> bool:
        try:
            self._catalog.put_impressions(batch)
        except PersrvError as error:
            _LOG.warning("impressions are not written yet: %s", error)
            return False
        return True

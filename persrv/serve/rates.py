"""How many requests one caller may send: a token bucket each."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

CALLERS = 10_000
"""Buckets kept; the caller who was quiet longest is forgotten first, and begins with a full one."""


class RateLimit:
    """Counts the requests of each caller. Safe for several threads.

    Args:
        rate: Requests a second on average; 0 for any number.
        burst: Requests at once.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def allows(self, caller: str, now: float) -> bool:
        """Count one request, and return whether it may be answered.

        Args:
            caller: Whose.
            now: Seconds of a clock that never goes back.
        """
        if self._rate == 0:
            return True
        with self._lock:
            left, at = self._buckets.get(caller, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._rate)
            allowed = left >= 1
            self._buckets[caller] = (left - 1 if allowed else left, now)
            self._buckets.move_to_end(caller)
            while len(self._buckets) > CALLERS:
                self._buckets.popitem(last=False)
            return allowed

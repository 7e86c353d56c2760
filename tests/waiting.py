"""Waits for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds: far more than anything takes, since other tests run at the same time."""


def until(happened: Callable[[], bool]) -> None:
    """Return as soon as it happened."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, f"it did not happen within {PATIENCE:g} s"
        time.sleep(0.05)

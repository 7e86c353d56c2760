"""How long work tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Shows stages of work."""

    def stage(self, name: str, total: int | None) -> AbstractContextManager[Advance]:
        """Begin a stage; call the result with the number of items done since the last call.

        Args:
            name: What is being done, as a person would say it.
            total: How many items there are, ``None`` where nobody knows.
        """
        ...


class Silent:
    """Shows nothing."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Do nothing with the counts."""
        yield lambda done: None

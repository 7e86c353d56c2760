"""Lets one call be awaited, or used in an ``async with`` block without a second ``await``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    """What has to be closed in the end."""

    async def close(self) -> None:
        """Let go of everything."""


_Opened = TypeVar("_Opened", bound=Closable)


class Opening(Generic[_Opened]):
    """Something that is about to be opened: ``await`` gives it, ``async with`` gives it and closes it again.

    Args:
        opened: Opens it; called once.
    """

    def __init__(self, opened: Callable[[], Coroutine[Any, Any, _Opened]]) -> None:
        self._opened = opened
        self._open: _Opened | None = None

    def __await__(self) -> Generator[Any, None, _Opened]:
        return self._opened().__await__()

    async def __aenter__(self) -> _Opened:
        self._open = await self._opened()
        return self._open

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._open is not None:
            await self._open.close()

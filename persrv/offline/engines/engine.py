"""What an engine is, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from persrv.errors import QueryError
from persrv.offline.engines.local import LocalEngine
from persrv.offline.engines.on_ray import RayEngine
from persrv.offline.stage import Result, Stage
from persrv.offline.working import BatchResult
from persrv.records import Sticker
from persrv.workspace import Workspace


class Engine(Protocol):
    """Opens stickers and has a stage's model read them. Only its caller writes what comes back."""

    @property
    def name(self) -> str:
        """What ``--engine`` calls it."""
        ...

    def outcomes(
        self, stage: Stage[Result], workspace: Workspace, batches: Iterable[tuple[int, Sequence[Sticker]]]
    ) -> Iterator[BatchResult[Result]]:
        """Yield what became of each batch, as it is done, in any order.

        Args:
            stage: What to do.
            workspace: From which another machine makes the stage's worker.
            batches: Number and stickers of each batch.
        """
        ...

    def close(self) -> None:
        """Give back what was started; closing twice is harmless."""
        ...


ENGINES: Mapping[str, Callable[[], Engine]] = MappingProxyType({"local": LocalEngine, "ray": RayEngine})
"""Name to factory."""


def engine_named(name: str) -> Engine:
    """Return an engine with its default settings.

    Raises:
        QueryError: There is none of this name.
        MissingExtraError: Its packages are not installed.
    """
    if name not in ENGINES:
        raise QueryError(f"there is no engine {name!r}", f"use one of {', '.join(sorted(ENGINES))}")
    return ENGINES[name]()

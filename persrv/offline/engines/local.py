"""The engine ``local``: the model works in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from persrv.offline.stage import Result, Stage
from persrv.offline.working import BatchResult, outcomes
from persrv.records import Sticker
from persrv.workspace import Workspace


class LocalEngine:
    """Reads in this process, one batch after the other, opening pictures in threads."""

    name = "local"

    def outcomes(
        self, stage: Stage[Result], workspace: Workspace, batches: Iterable[tuple[int, Sequence[Sticker]]]
    ) -> Iterator[BatchResult[Result]]:
        """Yield the outcomes in the order of their batches."""
        return outcomes(stage, batches)

    def close(self) -> None:
        """Do nothing: nothing was started."""

"""What runs on a cluster's machines: one of these in each Ray actor, so that a model is loaded once for each."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Any

from persrv.errors import PersrvError, RecipeError
from persrv.offline.readers import worker
from persrv.offline.stage import Worker
from persrv.offline.working import outcomes
from persrv.workspace import Workspace

Columns = Mapping[str, Sequence[bytes]]
"""A block of rows as Ray Data hands it over."""


class RayWorker:
    """Reads what comes in rows; a row holds some batches, pickled, and becomes their outcomes.

    An error of persrv is an answer too: raised here, Ray would take it for a fault of the machine, and try again.

    Args:
        workspace: Of the collection, as the driver sees it.
        stage: Name of the stage.
        model: Identity of the driver's model, which this machine's must be.
    """

    def __init__(self, workspace: Workspace, stage: str, model: str) -> None:
        self._workspace = workspace
        self._stage = stage
        self._model = model
        self._made: Worker[Any] | None = None

    def __call__(self, rows: Columns) -> dict[str, list[bytes]]:
        """Return the column ``outcomes`` for the column ``batches``."""
        return {"outcomes": [pickle.dumps(self._answer(row)) for row in rows["batches"]]}

    def _answer(self, row: bytes) -> object:
        try:
            return list(outcomes(self._worker(), pickle.loads(row)))  # noqa: S301  (written by our own driver)
        except PersrvError as error:
            return error

    def _worker(self) -> Worker[Any]:
        if self._made is None:
            made = worker(self._workspace, self._stage)
            if made.model != self._model:
                raise RecipeError(
                    f"{self._stage}: a worker of the cluster has the model {made.model}, the driver {self._model}",
                    "install the same packages and model files on every machine",
                )
            self._made = made
        return self._made

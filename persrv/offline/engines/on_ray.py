"""The engine ``ray``: the model works in the actors of a Ray cluster, through Ray Data.

Only the driver, which is this process, reads and writes the catalog and the vector caches. Workers get stickers and
give back results; the files of pictures must be where the catalog says, on every machine.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from persrv.catalog.batches import chunks
from persrv.errors import MissingExtraError, PersrvError, QueryError
from persrv.offline.engines.ray_worker import RayWorker
from persrv.offline.stage import Result, Stage
from persrv.offline.working import BatchResult
from persrv.records import Sticker
from persrv.workspace import Workspace

AHEAD = 8
"""Most batches that a worker gets at once: within them it opens pictures ahead, and a kill costs no more than them."""

ROWS_EACH = 4
"""Rows that each worker should get at least, so that all have done at about the same time."""

KNOCK_SECONDS = 10.0
"""How long the cluster of ``RAY_ADDRESS`` may take to answer."""


class RayEngine:
    """Reads on the machines of a Ray cluster.

    The cluster is that of this process, where it has begun one, else that of the environment variable
    ``RAY_ADDRESS``, else one is started on this machine and stopped by :meth:`close`.

    Args:
        workers: How many models work at once; ``None`` for as many as the cluster has room for. Each takes a CPU.
        gpus: GPUs that each takes, >= 0; 0.5 lets two share one.

    Raises:
        QueryError: ``workers`` is below 1, or ``gpus`` below 0.
        MissingExtraError: Ray is not installed.
    """

    name = "ray"

    def __init__(self, workers: int | None = None, gpus: float = 0.0) -> None:
        if workers is not None and workers < 1:
            raise QueryError(f"{workers} workers are too few", "give at least 1")
        if not 0 <= gpus < float("inf"):
            raise QueryError(f"a worker cannot take {gpus:g} GPUs", "give 0 or more")
        try:
            import ray.data
        except ImportError as error:
            raise MissingExtraError("reading on many machines", "ray") from error
        self._ray = ray
        self._workers = workers
        self._gpus = gpus
        self._started = False

    def outcomes(
        self, stage: Stage[Result], workspace: Workspace, batches: Iterable[tuple[int, Sequence[Sticker]]]
    ) -> Iterator[BatchResult[Result]]:
        """Yield the outcomes as they come.

        Raises:
            QueryError: The cluster has no room for a single worker.
            PersrvError: What a worker raised; or the cluster failed.
        """
        all_batches = list(batches)
        if not all_batches:
            return
        with _translated():
            self._connect()
            workers = self._fitting()
            together = max(1, min(AHEAD, len(all_batches) // (ROWS_EACH * workers)))
            rows = [{"batches": pickle.dumps(group)} for group in chunks(all_batches, together)]
            with _quiet():
                done = self._ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
                    RayWorker,
                    fn_constructor_args=(workspace, stage.name, stage.model),
                    batch_size=None,
                    compute=self._ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
                    num_cpus=1,
                    num_gpus=self._gpus,
                )
                for row in done.iter_rows():
                    yield from _unpacked(row["outcomes"])

    def close(self) -> None:
        """Stop the cluster that was started here."""
        if self._started:
            self._started = False
            self._ray.shutdown()

    def _connect(self) -> None:
        if self._ray.is_initialized():
            return
        # Ray reports to its makers unless it is told not to, and its C++ part warns on stderr of what Ray Data does.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        address = os.environ.get("RAY_ADDRESS") or "local"
        host, _, port = address.rpartition(":")
        if port.isdigit() and "/" not in host:
            # Ray itself would go on knocking for minutes.
            socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
        with _without_stderr():
            self._ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        self._started = True

    def _fitting(self) -> int:
        """Return the number of workers that run at once.

        A worker that fits nowhere would be waited for without an end.
        """
        has = self._ray.cluster_resources()
        cpus, gpus = int(has.get("CPU", 0)), float(has.get("GPU", 0))
        room = min(cpus, int(gpus / self._gpus)) if self._gpus else cpus
        if room < (self._workers or 1):
            raise QueryError(
                f"the cluster has {cpus} CPUs and {gpus:g} GPUs: too few for {self._workers or 1} workers "
                f"of 1 CPU and {self._gpus:g} GPUs",
                "add machines, or ask for fewer workers or GPUs",
            )
        return self._workers or room


def _unpacked(answer: bytes) -> list[BatchResult[Any]]:
    unpacked = pickle.loads(answer)  # noqa: S301  (written by our own workers)
    if isinstance(unpacked, PersrvError):
        raise unpacked
    return cast("list[BatchResult[Any]]", unpacked)


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Send the process's standard error nowhere: C++ writes to it, and says first of all that it will say nothing."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Ray Data, whose progress would stand between our own."""
    import ray.data

    log = logging.getLogger("ray.data")
    before = log.level
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    log.setLevel(logging.ERROR)
    try:
        with ray.data.DataContext.current(context):
            yield
    finally:
        log.setLevel(before)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn Ray's errors, and those of a worker that are not ours, into :class:`~persrv.errors.PersrvError`."""
    import ray.exceptions

    try:
        yield
    except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
        text = str(error).strip().splitlines()
        raise PersrvError(
            f"the Ray cluster failed: {text[-1] if text else type(error).__name__}",
            "look into Ray's logs, and start the build again: what was read is kept",
        ) from error

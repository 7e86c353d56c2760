"""Builds that are killed at some moment of their work."""

from __future__ import annotations

import multiprocessing
import random
from pathlib import Path

from persrv.offline import build_collection

# Each process is forked from one that has imported everything: a new one would import for longer than it builds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, "onnxruntime", "qdrant_edge", "rapidocr"])


def kill_builds(file: Path, home: Path, times: int, usual_seconds: float) -> None:
    """Begin the build ``times`` times; SIGKILL ends each at a moment drawn from the time that it usually takes.

    The earliest comes first: after a late one, little is left that another could break off.
    """
    chance = random.Random(0)
    killed = 0
    for moment in sorted(chance.uniform(0.05, 1.0) for _ in range(times)):
        process = FORKS.Process(target=build_collection, args=(file,), kwargs={"home": home})
        process.start()
        process.join(moment * usual_seconds)
        process.kill()
        process.join()
        killed += process.exitcode != 0
    assert killed, "every build was done before it was killed"

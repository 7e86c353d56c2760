"""Learns what a search box suggests, that of a large collection in a process of its own.

With 100,000 stickers it is half a minute of work under the interpreter's lock; in a thread of the service it would slow
every search meanwhile.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from threading import Event

from persrv.catalog import Catalog
from persrv.errors import PersrvError, ServiceError
from persrv.serve.suggestions import Suggestions
from persrv.workspace import Workspace

PUBLIC_USERS = 3
"""Different people who must have typed a query before others are shown it."""

_MOST_QUERIES = 50_000
_QUERY_WEIGHT = 3.0
_LOOK_SECONDS = 0.2
_NICENESS = 10


def suggestions_of(catalog: Catalog) -> Suggestions:
    """Return the suggestions of a collection: its names and tags, and queries that several people typed.

    Raises:
        CatalogError: The catalog cannot be read.
    """
    labels = ((phrase, 1.0) for phrase in catalog.labels())
    queries = ((query, _QUERY_WEIGHT * users) for query, users in catalog.public_queries(PUBLIC_USERS, _MOST_QUERIES))
    return Suggestions([*labels, *queries])


def suggestions_of_process(workspace: Workspace, stop: Event) -> Suggestions | None:
    """Return the same, made in a process of its own; ``None`` where ``stop`` was set before it was done.

    Raises:
        ServiceError: The process failed.
    """
    command = [sys.executable, "-m", "persrv.serve.learning"]
    # Our own module by our own interpreter; what it reads and writes is ours.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        given: bytes | None = pickle.dumps(workspace)
        learned: bytes | None = None
        while learned is None and not stop.is_set():
            try:
                learned, _ = process.communicate(given, timeout=_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                given = None  # it has been written
        if learned is None:
            process.kill()
            return None
    if process.returncode:
        raise ServiceError(f"the process that learns suggestions ended with {process.returncode}", "see what it wrote")
    suggestions: Suggestions = pickle.loads(learned)  # noqa: S301
    return suggestions


def main() -> None:
    """Read a workspace from standard input, and write its suggestions to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which ends this process
    if hasattr(os, "nice"):
        os.nice(_NICENESS)  # searches go first
    workspace: Workspace = pickle.load(sys.stdin.buffer)  # noqa: S301
    try:
        with workspace.existing_catalog() as catalog:
            learned = suggestions_of(catalog)
    except PersrvError as error:
        sys.exit(str(error))
    pickle.dump(learned, sys.stdout.buffer)


if __name__ == "__main__":
    main()

"""Each engine behind a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engines import ENGINES, SHARDED, filled, make_store, new_name, quick_folder
from persrv.index.engine import Collection, Store


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that is quick to write to."""
    with quick_folder() as path:
        yield path


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    """An empty store of each engine."""
    with ExitStack() as stack:
        yield make_store(request.param, folder / "index", stack)


@pytest.fixture
def name() -> str:
    """A collection name that no other test uses."""
    return new_name()


@pytest.fixture(scope="module", params=[*ENGINES, *SHARDED])
def sample(request: pytest.FixtureRequest) -> Iterator[Collection]:
    """The sample, published; tests only read it."""
    with ExitStack() as stack:
        yield filled(request.param, stack.enter_context(quick_folder()), stack)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Collection]:
    """The same sample in qdrant-client's own pure-Python imitation of the server."""
    with ExitStack() as stack:
        yield filled("memory", stack.enter_context(quick_folder()), stack)

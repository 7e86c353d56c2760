from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from served_tiny import serving
from tiny_collection import Tiny


@pytest.fixture(scope="module")
def own_tiny(tiny_built: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A copy of the small collection for all tests of a module, which may add to it."""
    return tiny_built.copied(tmp_path_factory.mktemp("served") / "tiny")


@pytest.fixture(scope="module")
def client(own_tiny: Tiny) -> Iterator[TestClient]:
    with serving(own_tiny) as opened:
        yield opened

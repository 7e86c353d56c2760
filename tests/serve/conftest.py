from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from served_tiny import serving
from tiny_collection import Tiny


@pytest.fixture(scope="module")
def own_tiny(tiny_built: Tiny, module_folder: Path) -> Tiny:
    """A copy of the small collection for all tests of a module, which may add to it."""
    return tiny_built.copied(module_folder / "tiny")


@pytest.fixture(scope="module")
def client(own_tiny: Tiny) -> Iterator[TestClient]:
    with serving(own_tiny) as opened:
        yield opened

"""The small collection, served; and a second one beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi.testclient import TestClient

from persrv.offline import build_collection
from persrv.serve.app import create_app
from persrv.serve.settings import ServeSettings
from tiny_collection import Tiny

HERE = "http://127.0.0.1"


@contextmanager
def serving(tiny: Tiny, *more: Path, **settings: object) -> Iterator[TestClient]:
    """A client of the service that runs in this process."""
    collections = (str(tiny.file), *map(str, more))
    app = create_app(ServeSettings.of(collections=collections, home=tiny.home, **settings))
    with TestClient(app, base_url=HERE) as client:
        yield client


def second(tiny: Tiny, name: str = "other", more: str = "") -> Path:
    """Build another collection of the same stickers and people, and return its recipe."""
    file = tiny.file.with_name(f"{name}.toml")
    file.write_text(tiny.file.read_text().replace('name = "tiny"', f'name = "{name}"') + more, encoding="utf-8")
    build_collection(file, home=tiny.home)
    return file


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"authorization": f"Bearer {key}"}

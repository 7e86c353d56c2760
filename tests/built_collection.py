"""Everything that a build has written, for comparing two builds of one recipe."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from persrv.images.duplicates import PerceptualHash
from persrv.workspace import Workspace

EPOCH = datetime.fromtimestamp(0, UTC)


def points(file: Path, home: Path) -> dict[str, Any]:
    """Everything that both collections of the index hold."""
    workspace = Workspace.of(file, home)
    store = workspace.store()
    found = {}
    try:
        for name, vectors in ((workspace.recipe.name, ("image", "text")), (workspace.users_name, ("image",))):
            with store.open(name) as collection:
                for record in collection.scroll(None, vectors):
                    found[f"{name}:{record.id}"] = json.loads(json.dumps(asdict(record)))
    finally:
        store.close()
    return found


def everything(file: Path, home: Path) -> dict[str, Any]:
    """The catalog's stickers and readings, the raw vectors, and the index."""
    workspace = Workspace.of(file, home)
    with workspace.existing_catalog() as catalog:
        stickers = list(catalog.stickers())
        pictured = sorted(catalog.pictured())
        # When something was read is all that two builds may differ in.
        readings = {
            sticker.id: [replace(reading, read_at=EPOCH) for reading in catalog.semantics_sources(sticker.id)]
            for sticker in stickers
        }
        doubts = {sticker.id: catalog.noted(f"ocr-uncertain:{sticker.id}") for sticker in stickers}
    vectors = {}
    for encoder in (workspace.encoder(), PerceptualHash()):
        with workspace.vectors(encoder) as cache:
            assert len(cache) == len(set(cache.missing(pictured)) ^ set(pictured))
            vectors[encoder.name] = {s: cache.get([s]).tobytes() for s in pictured if s in cache}
    return {
        "stickers": stickers,
        "readings": readings,
        "doubts": doubts,
        "vectors": vectors,
        "index": points(file, home),
    }

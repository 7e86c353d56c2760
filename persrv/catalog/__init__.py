"""The SQL truth: stickers, what is said about them, people's edits, interactions; and the vectors cached beside it.

Names are loaded when they are first used: the engine's process only writes files as :mod:`persrv.catalog.durable` does,
and SQLAlchemy would be half of what it imports.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from persrv.catalog.catalog import Catalog
    from persrv.catalog.counts import PickCounts, UserSummary
    from persrv.catalog.edits import EDITABLE, Edit
    from persrv.catalog.identity import content_id, sticker_id_of_key
    from persrv.catalog.interactions import EPOCH, PickReport
    from persrv.catalog.pick_times import counted_time
    from persrv.catalog.placements import Entry
    from persrv.catalog.read_files import READ_BEFORE, KnownFile
    from persrv.catalog.revisions import ADDED
    from persrv.catalog.semantics import Reading
    from persrv.catalog.vectors import VectorCache

_HOMES = {
    "ADDED": "revisions",
    "EDITABLE": "edits",
    "EPOCH": "interactions",
    "READ_BEFORE": "read_files",
    "Catalog": "catalog",
    "Edit": "edits",
    "Entry": "placements",
    "KnownFile": "read_files",
    "PickCounts": "counts",
    "PickReport": "interactions",
    "Reading": "semantics",
    "UserSummary": "counts",
    "VectorCache": "vectors",
    "content_id": "identity",
    "counted_time": "pick_times",
    "sticker_id_of_key": "identity",
}

__all__ = [
    "ADDED",
    "EDITABLE",
    "EPOCH",
    "READ_BEFORE",
    "Catalog",
    "Edit",
    "Entry",
    "KnownFile",
    "PickCounts",
    "PickReport",
    "Reading",
    "UserSummary",
    "VectorCache",
    "content_id",
    "counted_time",
    "sticker_id_of_key",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'persrv.catalog' has no attribute {name!r}")
    found = getattr(import_module(f"persrv.catalog.{_HOMES[name]}"), name)
    globals()[name] = found
    return found

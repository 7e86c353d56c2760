"""The SQL truth: stickers, what is said about them, people's edits, interactions; and the vectors cached beside it."""

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

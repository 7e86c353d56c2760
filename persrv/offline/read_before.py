"""What a build need not read: what earlier ones noted of each source of stickers.

Of a source that says of itself that nothing else matters (``ONLY_SOURCE``), the state of all its files is noted, with
the reports on what could not be used. Of each sticker the catalog has the state of the files that it was read from.
Files that give no sticker, such as a pack's cover, are noted beside.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from persrv.catalog import READ_BEFORE, Catalog
from persrv.catalog.columns import Json
from persrv.offline.loading import Loader
from persrv.offline.sources.known import Known
from persrv.records import Skipped

REPORTED = 1000
"""Reports that are noted at most; a source with more is read each time."""

LEFT_OUT = 100_000
"""Files without a sticker that are noted at most."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """A source that was read to its end.

    Attributes:
        state: Of all its files.
        stickers: How many it had.
        removals: The catalog's, so that a sticker that may come back does.
        skipped: Reports: key and reason.
    """

    state: str
    stickers: int
    removals: str
    skipped: list[list[str]]


class ReadBefore:
    """What is known of one source of stickers, from the beginning of a build to its end.

    Args:
        catalog: Keeps it.
        loader: The source.

    Attributes:
        known: For the loader.
    """

    def __init__(self, catalog: Catalog, loader: Loader) -> None:
        self._catalog = catalog
        self._loader = loader
        self._whole_key = f"{READ_BEFORE}whole:{catalog.collection}:{loader.name}"
        self._rest_key = f"{READ_BEFORE}rest:{catalog.collection}:{loader.name}"
        self._removals = catalog.removals()
        self._state = loader.source_state()
        self._rest = catalog.noted(self._rest_key)
        self._reports: list[Skipped] = []
        self._broken = False
        self.known = Known(loader.reader, catalog.states(loader.name), self._noted_rest())

    def unchanged(self) -> list[Skipped] | None:
        """Return the reports of the last build where nothing of the source has changed since, else ``None``."""
        whole = _whole(self._catalog.noted(self._whole_key))
        stickers = self._catalog.placed(self._loader.name)
        if whole is None or not self._state:
            return None
        if (whole.state, whole.stickers, whole.removals) != (self._state, stickers, self._removals):
            return None
        if not all(_is_as_it_was(*file) for file in self._catalog.files(self._loader.name)):
            return None
        return [Skipped(key, reason) for key, reason in whole.skipped]

    def report(self, skipped: Skipped) -> None:
        """Keep a report of the loader."""
        self._reports.append(skipped)

    def try_again(self) -> None:
        """Keep that a picture could not be read: then its source is read again at the next build."""
        self._broken = True

    def note(self) -> None:
        """Note that the source was read to its end, as it was when this began."""
        states: list[Json] = [*sorted(self.known.left_out)[:LEFT_OUT]]
        rest: Json = {"removals": self._removals, "states": states}
        if rest != (self._rest or {"removals": self._removals, "states": []}):
            self._catalog.note(self._rest_key, rest)
        if not self._state:
            return
        source = self._loader.source
        # What is missing beside a file may come; in a folder it would be noticed.
        absent = bool(self._reports) and source is not None and not source.is_dir() and not self._loader.is_unpacked
        if self._broken or absent or len(self._reports) > REPORTED:
            self._catalog.note(self._whole_key, None)
            return
        stickers = self._catalog.placed(self._loader.name)
        rows = [[item.key, item.reason] for item in self._reports]
        self._catalog.note(self._whole_key, asdict(_Whole(self._state, stickers, self._removals, rows)))

    def _noted_rest(self) -> list[str]:
        if not isinstance(self._rest, dict) or self._rest.get("removals") != self._removals:
            return []
        states = self._rest.get("states")
        return [str(state) for state in states] if isinstance(states, list) else []


def _whole(noted: Any) -> _Whole | None:
    try:
        return _Whole(**noted)
    except TypeError:  # nothing, or another version noted something else
        return None


def _is_as_it_was(path: str, size: int, mtime_ns: int) -> bool:
    try:
        about = Path(path).stat()
    except OSError:
        return False
    return (about.st_size, about.st_mtime_ns) == (size, mtime_ns)

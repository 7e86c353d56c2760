"""What stands in the metadata of a server's versions, read once a version.

A description holds the fitted spaces, some hundred kilobytes, and never changes once its version is published: a
program keeps it in memory, and the next program finds it in a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient

from persrv.errors import VectorIndexError
from persrv.index.calls import Calls
from persrv.index.description import read_description
from persrv.index.manifest import BUILD_PATTERN, Manifest
from persrv.index.schema import Schema
from persrv.index.versions import replace_file

DESCRIPTION, PREVIOUS = "persrv", "persrv_previous"
"""Keys of a version's metadata: what it is, and which version was current before it."""

_FILES = 4
_BUILD = re.compile(f"_{BUILD_PATTERN}$")


class Descriptions:
    """Reads and keeps the descriptions of versions.

    Args:
        calls: Makes the calls.
        folder: Keeps those of published versions for other programs, the newest four of each collection; ``None`` for
            nowhere.
    """

    def __init__(self, calls: Calls, folder: Path | None = None) -> None:
        self._calls = calls
        self._folder = folder
        self._known: dict[str, tuple[Schema, Manifest]] = {}

    def metadata(self, version: str) -> Mapping[str, Any]:
        """Return a version's metadata as it is on the server now.

        Raises:
            BuildGoneError: There is no such version.
        """
        return self._calls.read(partial(_metadata, version=version))

    def read(self, version: str) -> tuple[Schema, Manifest]:
        """Return the layout and provenance of a version that is being written.

        Raises:
            BuildGoneError: There is no such version.
            IndexMismatchError: It was not made by this program, or by one of another time.
        """
        return self._understood(version, self.metadata(version).get(DESCRIPTION))

    def published(self, version: str) -> tuple[Schema, Manifest]:
        """Return the layout and provenance of a version that was published; errors as :meth:`read`."""
        if version not in self._known:
            self._known[version] = self._from_file(version) or self._from_server(version)
        return self._known[version]

    def _from_server(self, version: str) -> tuple[Schema, Manifest]:
        described = self.metadata(version).get(DESCRIPTION)
        found = self._understood(version, described)
        if self._folder is not None:
            # A folder that cannot be written to costs the next program one reading.
            with suppress(OSError, VectorIndexError):
                _write(self._folder, version, described)
        return found

    def _from_file(self, version: str) -> tuple[Schema, Manifest] | None:
        if self._folder is None:
            return None
        try:
            text = (self._folder / f"{version}.json").read_text(encoding="utf-8")
            return self._understood(version, json.loads(text))
        except (OSError, ValueError, VectorIndexError):
            return None

    def _understood(self, version: str, described: object) -> tuple[Schema, Manifest]:
        return read_description(described, f"the collection {version} on {self._calls.where}")


def _metadata(client: QdrantClient, version: str) -> Mapping[str, Any]:
    return client.get_collection(version).config.metadata or {}


def _write(folder: Path, version: str, described: object) -> None:
    """Keep a description, and remove the oldest others of the same collection: builds sort by the second."""
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{version}.json"
    replace_file(written, json.dumps(described, ensure_ascii=False))
    others = [file for file in folder.glob("*.json") if file != written and _name(file.stem) == _name(version)]
    for old in sorted(others)[: -(_FILES - 1)]:
        old.unlink(missing_ok=True)


def _name(version: str) -> str:
    return _BUILD.sub("", version)

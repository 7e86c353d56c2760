"""Near-duplicates of a collection: each picture is compared once, what was found is kept beside the perceptual hashes.

A picture's rough description is stored when its comparison is done, in a vector cache of its own; links go to a file of
lines ``ID ID``. A killed comparison leaves links without descriptions: the next one finds the same links again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

import numpy as np
import portalocker
from numpy.typing import NDArray

from persrv.catalog import VectorCache
from persrv.errors import CatalogError
from persrv.images.duplicates import PerceptualHash
from persrv.images.duplicates.candidates import ROUGH_DIMENSION, candidates
from persrv.images.duplicates.groups import described, links_among, named_groups

_LINK = re.compile(r"[0-9a-f]{32} [0-9a-f]{32}")
_WAIT_SECONDS = 3600.0
"""How long to wait for another process that compares pictures of this collection: the largest take minutes."""


class Duplicates:
    """The near-duplicates among all pictures of a collection's folder that have a perceptual hash.

    Args:
        perceptual_hashes: From :class:`~persrv.images.duplicates.PerceptualHash`.
    """

    def __init__(self, perceptual_hashes: VectorCache) -> None:
        self._hashes = perceptual_hashes
        folder, name = perceptual_hashes.folder, f"{PerceptualHash.name}-{PerceptualHash.revision}"
        self._rough = VectorCache(folder, f"{PerceptualHash.name}-rough", PerceptualHash.revision, ROUGH_DIMENSION)
        self._links = folder / f"{name}.links"
        self._lock = folder / f"{name}.links.lock"

    def groups(self, ids: Sequence[str], advance: Callable[[int], None] | None = None) -> dict[str, str]:
        """Return each near-duplicate's group: the id of the member that was compared first; others are left out.

        Pictures that were not compared yet are compared with all others now, those of one call in the order of their
        ids. A group keeps its name as long as that member is among ``ids``. The cost grows with the new pictures:
        a hundred are compared with half a million others in less than a second.

        Args:
            ids: Sticker ids; those without a perceptual hash have no group.
            advance: Is told how many pictures were described since the last call.

        Raises:
            CatalogError: The files cannot be used, or another process goes on comparing for an hour.
        """
        try:
            with portalocker.Lock(self._lock, "a", timeout=_WAIT_SECONDS):
                hashed = set(ids).difference(self._hashes.missing(ids))
                self._compare(sorted(self._rough.missing(sorted(hashed))), advance)
                known, _ = self._rough.everything()
                present = {sticker_id: place for place, sticker_id in enumerate(known) if sticker_id in hashed}
                links = [
                    (present[one], present[other]) for one, other in self._read() if {one, other} <= present.keys()
                ]
        except OSError as error:
            raise CatalogError(
                f"the links {self._links} cannot be used: {error.strerror}",
                "check the folder, its rights and its space",
            ) from error
        except portalocker.exceptions.BaseLockException as error:
            raise CatalogError(
                f"another process compares the pictures of {self._links.parent}", "let it finish, and try again"
            ) from error
        return named_groups(known, links)

    def _compare(self, new: Sequence[str], advance: Callable[[int], None] | None) -> None:
        if not new:
            return
        known, old = self._rough.everything()
        names = [*known, *new]

        def rows(places: Sequence[int]) -> NDArray[np.float32]:
            return self._hashes.get([names[place] for place in places])

        added = described(range(len(known), len(names)), rows, advance)
        # As the cache will round them, so that whatever was compared first, equal pictures are equal.
        descriptions = np.concatenate([old, added.astype(np.float16)])
        pairs = candidates(descriptions, len(new))
        gone = set(self._hashes.missing(known))
        if gone:
            pairs = pairs[[names[one] not in gone and names[other] not in gone for one, other in pairs.tolist()]]
        self._append([(names[one], names[other]) for one, other in links_among(pairs, rows).tolist()])
        self._rough.append(new, added)

    def _read(self) -> list[tuple[str, str]]:
        if not self._links.exists():
            return []
        lines = self._links.read_text(encoding="ascii", errors="replace").splitlines()
        # A line that a crash cut off is followed by its whole self, from the comparison that came next.
        return [(line[:32], line[33:]) for line in lines if _LINK.fullmatch(line)]

    def _append(self, links: Sequence[tuple[str, str]]) -> None:
        if not links:
            return
        torn = self._links.exists() and not self._links.read_bytes().endswith(b"\n")
        with self._links.open("a", encoding="ascii") as file:
            file.write("\n" * torn + "".join(f"{one} {other}\n" for one, other in links))
            file.flush()
            os.fsync(file.fileno())

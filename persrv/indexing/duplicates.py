"""Near-duplicates of a collection: each picture is compared once, what was found is kept beside the perceptual hashes.

A picture's rough description is stored when its comparison is done, in a vector cache of its own; links go to a file of
lines ``ID ID``. A killed comparison leaves links without descriptions: the next one finds the same links again.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager

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

    Safe for several threads and processes; of processes that compare, one waits for the other.

    Args:
        perceptual_hashes: From :class:`~persrv.images.duplicates.PerceptualHash`.
    """

    def __init__(self, perceptual_hashes: VectorCache) -> None:
        self._hashes = perceptual_hashes
        folder, name = perceptual_hashes.folder, f"{PerceptualHash.name}-{PerceptualHash.revision}"
        self._rough = VectorCache(folder, f"{PerceptualHash.name}-rough", PerceptualHash.revision, ROUGH_DIMENSION)
        self._file = folder / f"{name}.links"
        self._lock_file = folder / f"{name}.links.lock"
        self._thread = threading.RLock()
        self._links: dict[str, set[str]] = {}
        self._read_to = 0

    def groups(self, ids: Sequence[str], advance: Callable[[int], None] | None = None) -> dict[str, str]:
        """Return each near-duplicate's group: the id of the member that was compared first; others are left out.

        Pictures that were not compared yet are compared with all others now, those of one call in the order of their
        ids. The cost grows with the new pictures: a hundred are compared with half a million others in less than a
        second.

        Args:
            ids: Sticker ids, each once; those without a perceptual hash have no group.
            advance: Is told how many pictures were described since the last call.

        Raises:
            CatalogError: The files cannot be used, or another process goes on comparing for an hour.
        """
        self.compare(ids, advance)
        return self.named(set(ids))

    def compare(self, ids: Sequence[str], advance: Callable[[int], None] | None = None) -> None:
        """Compare the pictures that were not compared yet with all others, see :meth:`groups`."""
        new = sorted(set(self._rough.missing(ids)).difference(self._hashes.missing(ids)))
        if not new:
            return
        with self._mapped(), self._thread, portalocker.Lock(self._lock_file, "a", timeout=_WAIT_SECONDS):
            self._compare(self._rough.missing(new), advance)

    def linked(self, ids: Iterable[str]) -> set[str]:
        """Return these stickers and all that are linked with them, directly or by others, listed or not."""
        with self._thread:
            self._read()
            found: set[str] = set()
            waiting = [*ids]
            while waiting:
                if (sticker_id := waiting.pop()) not in found:
                    found.add(sticker_id)
                    waiting += self._links.get(sticker_id, ())
        return found

    def named(self, ids: Set[str]) -> dict[str, str]:
        """Return the groups among some stickers that were compared, as :meth:`groups` does."""
        with self._thread:
            self._read()
            linked = [sticker_id for sticker_id in self._links.keys() & ids if self._links[sticker_id] & ids]
            order = self._rough.in_order(linked)
            place = {sticker_id: number for number, sticker_id in enumerate(order)}
            links = [(place[one], place[other]) for one in order for other in self._links[one] if other in place]
        return named_groups(order, links)

    def forget(self) -> None:
        """Compare all pictures again at the next :meth:`compare`; the files are removed.

        Raises:
            CatalogError: The files cannot be removed.
        """
        with self._mapped(), self._thread, portalocker.Lock(self._lock_file, "a", timeout=_WAIT_SECONDS):
            self._rough.drop(self._rough.everything()[0])
            self._file.unlink(missing_ok=True)
            self._links, self._read_to = {}, 0

    def _compare(self, new: Sequence[str], advance: Callable[[int], None] | None) -> None:
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

    def _read(self) -> None:
        """Take in the links that were written since the last look."""
        with self._mapped():
            if not self._file.exists():
                return
            with self._file.open("rb") as file:
                file.seek(self._read_to)
                whole, _, _ = file.read().rpartition(b"\n")
        if not whole:
            return
        self._read_to += len(whole) + 1
        for line in whole.decode("ascii", "replace").splitlines():
            # A line that a crash cut off is followed by its whole self, from the comparison that came next.
            if _LINK.fullmatch(line):
                one, other = line.split()
                self._links.setdefault(one, set()).add(other)
                self._links.setdefault(other, set()).add(one)

    def _append(self, links: Sequence[tuple[str, str]]) -> None:
        if not links:
            return
        torn = self._file.exists() and not self._file.read_bytes().endswith(b"\n")
        with self._file.open("a", encoding="ascii") as file:
            file.write("\n" * torn + "".join(f"{one} {other}\n" for one, other in links))
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CatalogError(
                f"the links {self._file} cannot be used: {error.strerror}",
                "check the folder, its rights and its space",
            ) from error
        except portalocker.exceptions.BaseLockException as error:
            raise CatalogError(
                f"another process compares the pictures of {self._file.parent}", "let it finish, and try again"
            ) from error

"""Keeps the published index up to the catalog while people search: changes are written behind the answers.

Whatever changes is in the catalog first. A thread of its own brings it into the index a moment later, in small
batches; what others changed, such as a command line while this program has the index open, it finds by itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Condition, RLock, Thread
from typing import TYPE_CHECKING

from persrv.catalog import Catalog
from persrv.errors import BuildGoneError, IndexMismatchError, PersrvError
from persrv.online.current_version import CurrentVersion
from persrv.online.open_version import OpenVersion
from persrv.workspace import Workspace

if TYPE_CHECKING:
    from persrv.images.decode import Picture
    from persrv.index.engine import Collection
    from persrv.indexing.in_place import PublishedIndex, Refreshed
    from persrv.indexing.vector_sources import VectorSources

# What makes points is imported when the first one is made: a search needs none of it.

GATHERED_SECONDS = 0.2
"""How long picks are gathered before their stickers' points are written: a popular sticker is written once for many."""

LOOK_SECONDS = 1.0
"""How often changes by others are looked for: one statement of the catalog."""

SETTLED_SECONDS = 30.0
"""How often what was written is brought to the disk: the engine keeps every thread waiting meanwhile."""

_TOGETHER = 1_000
"""Changes that are read at once."""

_log = logging.getLogger("persrv")


class LiveIndex:
    """The index of an open collection, kept up to the catalog. Safe for several threads.

    Args:
        workspace: The recipe and its folder.
        catalog: Has the truth.
        newest: The version that is open.

    Attributes:
        learning: Held while styles are fitted anew: whoever holds it sees none come that older picks gave.
    """

    def __init__(self, workspace: Workspace, catalog: Catalog, newest: CurrentVersion) -> None:
        self._workspace = workspace
        self._catalog = catalog
        self._newest = newest
        self._opened = ExitStack()
        self.learning = RLock()
        self._making = RLock()
        self._sources: VectorSources | None = None
        self._index: PublishedIndex | None = None
        self._waiting: set[str] = set()
        self._unlearnt: set[str] = set()
        # The build whose profiles have all picks that this program knows of: those before it opened the build count.
        self._learnt = newest.version.manifest.vocabulary
        self._changed = Condition()
        self._closing = False
        self._settled = time.monotonic()
        self._thread: Thread | None = None

    @property
    def pictures(self) -> Path:
        """The folder that holds the pictures of stickers that people added."""
        return self._workspace.folder / "pictures"

    @property
    def place(self) -> str:
        """Where the index is, as the catalog names it."""
        return self._workspace.place

    def start(self) -> None:
        """Bring in what was left when the collection was open last, then go on looking."""
        self._look()
        self._thread = Thread(target=self._run, name="persrv-live-index", daemon=True)
        self._thread.start()

    def look_at(self, pictures: Mapping[str, Picture]) -> None:
        """Encode pictures that the collection has not seen, by sticker id."""
        from persrv.indexing.looking import look_at

        look_at(self._vectors(), pictures)

    def refresh(self, sticker_ids: Iterable[str]) -> Refreshed:
        """Write the points of some stickers now, as the catalog has them.

        A build that cannot be changed in place, since an older persrv or another machine made it, stays as it is until
        the next build.

        Raises:
            VectorIndexError: The index cannot be written; the catalog keeps the change, and it is tried again.
        """
        wanted = [*sticker_ids]

        from persrv.indexing.in_place import Refreshed

        def write(version: OpenVersion) -> Refreshed:
            try:
                index = self._of(version)
            except (BuildGoneError, IndexMismatchError) as error:
                _log.warning("the build %s is not changed in place: %s", version.manifest.build, error)
                return Refreshed()
            done = index.refresh(wanted)
            version.parser.lexicon.words_changed()
            return done

        return self._newest.ask(write)

    def catch_up(self) -> None:
        """Write everything that changed since it was written, see :meth:`refresh`."""
        self._newest.ask(self._catch_up)

    def refresh_kept(self, stickers: Collection, sticker_ids: Iterable[str] | None) -> None:
        """Write the points of some stickers of a version that is kept for a rollback.

        Where that cannot be done, since the version's fit is gone, the points are deleted from it.

        Args:
            stickers: The version.
            sticker_ids: Which; ``None`` for all that changed since they were written.
        """
        from persrv.index.schema import point_id
        from persrv.indexing.in_place import PublishedIndex

        build = stickers.manifest.vocabulary
        wanted = [*(self._changed_in(build) if sticker_ids is None else sticker_ids)]
        if not wanted:
            return
        try:
            PublishedIndex(self._workspace, self._catalog, self._vectors(), stickers, stickers).refresh(wanted)
        except (BuildGoneError, IndexMismatchError) as error:
            _log.warning("the build %s loses %d stickers: %s", stickers.manifest.build, len(wanted), error)
            stickers.delete([point_id(sticker_id) for sticker_id in wanted])

    def learn_later(self, user: str) -> None:
        """Fit a user's profile anew as soon as the index can be written again."""
        with self._changed:
            self._unlearnt.add(user)

    def soon(self, sticker_id: str) -> None:
        """Write a sticker's point within a second."""
        with self._changed:
            self._waiting.add(sticker_id)
            self._changed.notify()

    def close(self) -> None:
        """Write what is waiting, and stop; closing twice is harmless."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._write_waiting()
        self._settle()
        self._opened.close()

    def _run(self) -> None:
        while not self._closing:
            with self._changed:
                called = self._changed.wait_for(lambda: self._waiting or self._closing, LOOK_SECONDS)
            if called and not self._closing:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, GATHERED_SECONDS)
            self._write_waiting()
            if not self._closing:
                self._look()
                self._learn_again()

    def _learn_again(self) -> None:
        with self._changed:
            late, self._unlearnt = self._unlearnt, set()
        if not late:
            return

        from persrv.indexing.progress import Silent
        from persrv.indexing.users import learn_again

        def learn(version: OpenVersion) -> None:
            style = self._workspace.recipe.style
            learn_again(self._catalog, version.stickers, version.users, late, style, Silent())
            version.profiles.read_again(late)

        try:
            with self.learning:
                self._newest.ask(learn)
        except PersrvError as error:
            _log.warning("styles do not follow the picks yet: %s", error)
            with self._changed:
                self._unlearnt |= late

    def _write_waiting(self) -> None:
        with self._changed:
            waiting, self._waiting = self._waiting, set()
        if not waiting:
            return
        try:
            self.refresh(waiting)
        except PersrvError as error:
            _log.warning("stickers changed, and their points could not be written yet: %s", error)

    def _look(self) -> None:
        try:
            self._newest.ask(self._catch_up)
        except PersrvError as error:
            _log.warning("the index does not follow the catalog yet: %s", error)

    def _catch_up(self, version: OpenVersion) -> None:
        try:
            index = self._of(version) if self._behind(version) else None
            if index is None:
                return
            if index.catch_up().written:
                version.parser.lexicon.words_changed()
            if self._catalog.profiles_left() or self._learnt != index.build:
                # A build left profiles to this program; or it was switched to, and moves of the one before are missing.
                self._learn(version, index)
            if time.monotonic() - self._settled > SETTLED_SECONDS:
                index.settle()
                self._settled = time.monotonic()
        except (BuildGoneError, IndexMismatchError) as error:
            _log.info("the build %s is not changed in place: %s", version.manifest.build, error)

    def _learn(self, version: OpenVersion, index: PublishedIndex) -> None:
        """Fit styles anew, at the next look where somebody is being forgotten: nobody waits with a version in hand."""
        if not self.learning.acquire(blocking=False):
            return
        try:
            version.profiles.read_again(index.learn())
            self._learnt = index.build
        finally:
            self.learning.release()

    def _changed_in(self, build: str) -> Iterator[str]:
        """Yield the stickers that changed since a build followed them."""
        ready = self._catalog.ready(self._workspace.recipe.name)
        seen = self._catalog.index_state(build).applied, "g"
        while changed := self._catalog.changed(build, seen, ready, _TOGETHER):
            yield from (sticker_id for _, sticker_id in changed)
            seen = changed[-1]

    def _behind(self, version: OpenVersion) -> bool:
        """Whether there may be something to do: opening the vectors takes time in a large collection."""
        if self._index is not None or self._learnt != version.manifest.vocabulary:
            return True
        if self._catalog.profiles_left():
            return True
        build = version.manifest.vocabulary
        seen = self._catalog.index_state(build).applied, "g"
        return bool(self._catalog.changed(build, seen, self._catalog.ready(self._workspace.recipe.name), 1))

    def _settle(self) -> None:
        try:
            if self._index is not None:
                self._newest.ask(lambda version: self._of(version).settle())
        except PersrvError as error:
            _log.warning("what was written may have to be made again: %s", error)

    def _of(self, version: OpenVersion) -> PublishedIndex:
        from persrv.indexing.in_place import PublishedIndex

        with self._making:
            if self._index is None or not self._index.is_of(version.stickers):
                self._index = PublishedIndex(
                    self._workspace, self._catalog, self._vectors(), version.stickers, version.users
                )
            return self._index

    def _vectors(self) -> VectorSources:
        from persrv.indexing.vector_sources import open_vectors

        with self._making:
            if self._sources is None:
                self._sources = self._opened.enter_context(open_vectors(self._workspace))
            return self._sources

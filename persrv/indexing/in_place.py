"""A published index changed in place: points of changed stickers are written anew, those of removed ones deleted.

The catalog is the truth. It numbers every change; what a build has not followed yet is made again by whoever opens it
next, so that a kill at any moment costs nothing: writing a point twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import RLock

from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.catalog.indexed import IndexedSticker
from persrv.index.engine import Collection
from persrv.index.schema import point_id
from persrv.indexing.duplicates import Duplicates
from persrv.indexing.fit import Fit
from persrv.indexing.making import CollectionPoints
from persrv.indexing.progress import Progress, Silent
from persrv.indexing.users import learn_again
from persrv.indexing.vector_sources import VectorSources
from persrv.workspace import Workspace

TOGETHER = 64
"""Points written at once: few, since an embedded engine keeps every thread waiting meanwhile."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of some stickers.

    Attributes:
        written: Stickers whose points were written.
        removed: Stickers whose points were deleted.
        new: Stickers among the written ones that had no point before.
    """

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    def __add__(self, other: Refreshed) -> Refreshed:
        return Refreshed(self.written + other.written, self.removed + other.removed, self.new + other.new)


class PublishedIndex:
    """One published build, to be changed in place. Safe for several threads.

    Args:
        workspace: The recipe and its folder.
        catalog: Has the stickers.
        sources: Give vectors.
        stickers: The stickers' collection.
        users: The users' collection of the same build.

    Raises:
        BuildGoneError: The catalog does not know the build.
        IndexMismatchError: The build's fit is not here or cannot be read.
    """

    def __init__(
        self,
        workspace: Workspace,
        catalog: Catalog,
        sources: VectorSources,
        stickers: Collection,
        users: Collection,
    ) -> None:
        self.build = stickers.manifest.vocabulary
        self._workspace = workspace
        self._catalog = catalog
        self._stickers = stickers
        self._users = users
        state = catalog.index_state(self.build)
        self.fit = Fit.load(catalog.index_fit(self.build), workspace)
        self._points = CollectionPoints(workspace.recipe, catalog, sources, self.fit)
        self._duplicates = Duplicates(sources.perceptual_hashes)
        self._seen = state.applied, "g"
        self._ready = -1
        # What this process made already of changes that are not followed yet, by sticker.
        self._made: dict[str, int] = {}
        self._lock = RLock()

    def is_of(self, stickers: Collection) -> bool:
        """Whether this is the index that ``stickers`` opens."""
        return self._stickers is stickers

    def refresh(self, sticker_ids: Iterable[str]) -> Refreshed:
        """Make the points of some stickers what the catalog says now; those that it does not list lose theirs.

        Searches see a sticker as it was or as it is, never a mixture.

        Raises:
            VectorIndexError: The index cannot be written; the next :meth:`catch_up` or open tries again.
        """
        done = Refreshed()
        with self._lock:
            for chunk in chunks(sorted(set(sticker_ids)), TOGETHER):
                wanted = chunk
                while wanted:
                    revision = self._catalog.revision()
                    done += self._write(wanted)
                    self._made.update(dict.fromkeys(wanted, revision))
                    # Another process may have written an older state over a newer one meanwhile.
                    wanted = self._catalog.changed_since(revision, wanted)
        return done

    def catch_up(self, progress: Progress | None = None) -> Refreshed:
        """Bring all points up to the catalog that changed since they were made; nothing changed costs two look-ups.

        New stickers that a source is still being read of are left for later.
        """
        done = Refreshed()
        with self._lock, (progress or Silent()).stage("updating stickers", None) as advance:
            ready = self._catalog.ready(self._workspace.recipe.name)
            if ready != self._ready:
                self._ready, self._seen = ready, self._start()
            while changed := self._catalog.changed(self.build, self._seen, ready, TOGETHER):
                done += self.refresh(s for revision, s in changed if self._made.get(s, -1) < revision)
                self._seen = changed[-1]
                advance(len(changed))
        return done

    def settle(self) -> None:
        """Let what was written outlive a power failure, so that nobody has to make it again."""
        with self._lock:
            seen = self._seen[0]
            waiting = self._catalog.first_unready(self.build, self._ready)
            if waiting is not None:
                seen = min(seen, waiting - 1)
            if seen > self._start()[0]:
                self._stickers.flush()
                self._users.flush()
                self._catalog.follow_index(self.build, applied=seen)
                self._made = {sticker: revision for sticker, revision in self._made.items() if revision > seen}

    def _start(self) -> tuple[int, str]:
        return self._catalog.index_state(self.build).applied, "g"

    def learn(self, progress: Progress | None = None) -> list[str]:
        """Fit the profiles anew of everybody with new picks or whose picked stickers came or went; return who."""
        if self._catalog.profiles_left():
            self._catalog.leave_profiles(False)
        last = self._catalog.last_pick()
        waiting = self._catalog.unfitted(self.build)
        names = {*waiting, *self._catalog.users_since(self._catalog.index_state(self.build).fitted)}
        style = self._workspace.recipe.style
        learn_again(self._catalog, self._stickers, self._users, names, style, progress or Silent())
        self._users.flush()
        self._catalog.follow_index(self.build, fitted=last)
        self._catalog.fitted(self.build, waiting)
        return sorted(names)

    def _write(self, sticker_ids: list[str]) -> Refreshed:
        catalog = self._catalog
        known = catalog.indexed(self.build, sticker_ids)
        stickers = [*catalog.stickers(sticker_ids, typed=0)]
        others, groups = self._grouped([sticker.id for sticker in stickers], known)
        known.update(others)
        made = self._points.make([*stickers, *catalog.stickers(others, typed=0)], groups)
        written = [each.indexed.sticker_id for each in made]
        gone = sorted(set(known) - set(written))
        if made:
            self._stickers.upsert([each.point for each in made])
        if gone:
            self._stickers.delete([point_id(sticker_id) for sticker_id in gone])
        new = [sticker_id for sticker_id in written if sticker_id not in known]
        with catalog.transaction():
            catalog.change_indexed(self.build, [each.indexed for each in made], gone, self._workspace.recipe.text)
            catalog.put_unfitted(self.build, catalog.users_of([*gone, *new]))
        return Refreshed(tuple(written), tuple(gone), tuple(new))

    def _grouped(
        self, listed: list[str], known: Mapping[str, IndexedSticker]
    ) -> tuple[dict[str, IndexedSticker], dict[str, str]]:
        """Return the other stickers whose group changes by some, and the groups of all of them.

        A group keeps the name that it has in the index; a new one is named by the member that was compared first.
        """
        self._duplicates.compare(listed)
        linked = self._catalog.indexed(self.build, self._duplicates.linked(listed).difference(listed))
        groups = {sticker_id: known[sticker_id].group for sticker_id in listed if sticker_id in known}
        groups.update((sticker_id, each.group) for sticker_id, each in linked.items())
        named = self._duplicates.named({*listed, *linked})
        kept: dict[str, str] = {}
        for sticker_id, group in named.items():
            if before := groups.get(sticker_id):
                kept[group] = min(before, kept.get(group, before))
        groups.update((sticker_id, kept.get(group, group)) for sticker_id, group in named.items())
        others = {sticker_id: each for sticker_id, each in linked.items() if groups[sticker_id] != each.group}
        return others, groups

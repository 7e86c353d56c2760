"""Compares a published index with what the catalog says that it should hold: points, words, filters, profiles.

The index keeps no check sums, and changes in place: what a disk made of it is found by making everything again.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.index.engine import Collection
from persrv.index.language import Filter, Matches, Nearest, Point, Record, Request, StoredVector
from persrv.index.profile_points import is_whole
from persrv.index.schema import FILTERS, MEANING, STYLE_CLUSTER, TEXT, centroid_id, sticker_id_of
from persrv.indexing.fit import Fit
from persrv.indexing.making import CollectionPoints
from persrv.indexing.progress import Progress
from persrv.indexing.users import learn_stored
from persrv.indexing.vector_sources import VectorSources
from persrv.ranking.profile import StyleProfile
from persrv.text.bm25f import SparseVector
from persrv.workspace import Workspace

BATCH = 256
SAMPLE = 300
"""Words, and values of filters, that are looked up in the index: all of a small collection."""

CLOSE = 1e-4
"""Largest difference of a number: the engine keeps four bytes, and normalises by itself."""


@dataclass
class Findings:
    """What differs.

    Attributes:
        points: Points that were compared.
        waiting: Stickers that changed since their points were made, which are left out.
        differing: Stickers whose points are missing, too many, or not what the catalog says.
        words: Words that find other stickers than they should.
        filters: Filters, ``key=value``, that let other numbers of stickers pass than they should.
        people: Users whose styles are not those of their picks.
    """

    points: int = 0
    waiting: set[str] = field(default_factory=set)
    differing: list[str] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)


def verify_index(
    workspace: Workspace,
    catalog: Catalog,
    sources: VectorSources,
    stickers: Collection,
    users: Collection,
    progress: Progress,
) -> Findings:
    """Make every point of a build again and compare it with what stands in the index; nothing is changed.

    Raises:
        BuildGoneError: The catalog does not know the build.
        IndexMismatchError: The build's fit is not here or cannot be read.
        VectorIndexError: The index cannot be read.
        CatalogError: A vector's check sum is wrong.
    """
    build = stickers.manifest.vocabulary
    state = catalog.index_state(build)
    maker = CollectionPoints(workspace.recipe, catalog, sources, Fit.load(catalog.index_fit(build), workspace))
    found = Findings(waiting=_waiting(workspace, catalog, build, state.applied))
    words, values = _Words(), Counter[tuple[str, str | int | bool]]()
    with progress.stage("comparing points", catalog.count()) as advance:
        for batch in chunks(catalog.stickers(typed=0), BATCH):
            known = catalog.indexed(build, [sticker.id for sticker in batch])
            found.waiting |= {s.id for s in batch if s.id not in known}
            made = maker.make(batch, {sticker_id: each.group for sticker_id, each in known.items()})
            ids = [each.point.id for each in made]
            stored = {record.id: record for record in stickers.retrieve(ids, stickers.schema.vectors)}
            for each in made:
                sticker_id = each.indexed.sticker_id
                if sticker_id in found.waiting:
                    continue
                found.points += 1
                if not same_point(each.point, stored.get(each.point.id)):
                    found.differing.append(sticker_id)
                words.add(sticker_id, each.point.vectors.get(TEXT))
                values.update(_values(each.point.payload))
            advance(len(batch))
    found.differing += _too_many(stickers, catalog, build, found)
    if not found.differing:
        found.words = words.differing(stickers, found.waiting)
        found.filters = _differing_filters(stickers, values, len(found.waiting))
        found.people = sorted(_differing_people(workspace, catalog, stickers, users))
    return found


def same_point(wanted: Point, stored: Record | None) -> bool:
    """Return whether a stored point is the wanted one, but for the rounding of its numbers."""
    if stored is None or wanted.vectors.keys() != stored.vectors.keys() or not _same(wanted.payload, stored.payload):
        return False
    return all(_same_vector(name, vector, stored.vectors[name]) for name, vector in wanted.vectors.items())


def _same_vector(name: str, wanted: StoredVector, stored: StoredVector) -> bool:
    if isinstance(wanted, SparseVector) or isinstance(stored, SparseVector):
        if not (isinstance(wanted, SparseVector) and isinstance(stored, SparseVector)):
            return False
        return _same(dict(zip(*wanted, strict=True)), dict(zip(*stored, strict=True)))
    one, other = np.array(wanted, np.float64), np.array(stored, np.float64)
    if name == MEANING and one.ndim == 2:
        # The engine keeps rows of a cosine at length 1.
        one = one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-12)
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=CLOSE, atol=CLOSE))


def _same(one: object, other: object) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    return one == other


def _waiting(workspace: Workspace, catalog: Catalog, build: str, applied: int) -> set[str]:
    seen, waiting = (applied, "g"), set[str]()
    while changed := catalog.changed(build, seen, catalog.ready(workspace.recipe.name), BATCH):
        waiting.update(sticker_id for _, sticker_id in changed)
        seen = changed[-1]
    return waiting


def _too_many(stickers: Collection, catalog: Catalog, build: str, found: Findings) -> list[str]:
    """Return stickers that have a point and are not listed."""
    if stickers.count() <= found.points:
        return []
    unlisted: list[str] = []
    for batch in chunks(stickers.scroll(batch=BATCH), BATCH):
        ids = [sticker_id_of(record.id) for record in batch]
        listed = {sticker.id for sticker in catalog.stickers(ids, typed=0)}
        unlisted += [sticker_id for sticker_id in ids if sticker_id not in listed and sticker_id not in found.waiting]
    return unlisted


class _Words:
    """The stickers of a sample of words: those with the smallest hashes, so that the whole is walked through once."""

    def __init__(self) -> None:
        self._postings: dict[int, set[str]] = defaultdict(set)
        self._bound = 1 << 32

    def add(self, sticker_id: str, vector: StoredVector | None) -> None:
        if not isinstance(vector, SparseVector):
            return
        for token in vector.indices:
            if _drawn(token) < self._bound:
                self._postings[token].add(sticker_id)
        while len(self._postings) > SAMPLE:
            self._bound = max(_drawn(token) for token in self._postings)
            self._postings = defaultdict(set, {t: s for t, s in self._postings.items() if _drawn(t) < self._bound})

    def differing(self, stickers: Collection, waiting: set[str]) -> list[int]:
        wrong = []
        for token, wanted in sorted(self._postings.items()):
            limit = len(wanted) + len(waiting) + 1
            answer = stickers.query(Request(Nearest(SparseVector([token], [1.0]), TEXT), limit=limit))
            if {sticker_id_of(point.id) for point in answer} - waiting != wanted:
                wrong.append(token)
        return wrong


def _drawn(token: int) -> int:
    return zlib.crc32(token.to_bytes(8, "little"))


def _values(payload: Mapping[str, object]) -> Iterator[tuple[str, str | int | bool]]:
    for key in (*FILTERS, STYLE_CLUSTER, "bucket"):
        value = payload.get(key)
        for each in set(value) if isinstance(value, list) else {value}:
            if isinstance(each, str | int | bool):
                yield key, each


def _differing_filters(stickers: Collection, values: Counter[tuple[str, str | int | bool]], slack: int) -> list[str]:
    wrong = []
    chosen = sorted(values, key=lambda pair: (zlib.crc32(repr(pair).encode()), repr(pair)))[:SAMPLE]
    for key, value in sorted(chosen, key=repr):
        counted = stickers.count(Filter(must=(Matches(key, (value,)),)))
        if abs(counted - values[key, value]) > slack:
            wrong.append(f"{key}={value}")
    return wrong


def _differing_people(workspace: Workspace, catalog: Catalog, stickers: Collection, users: Collection) -> Iterator[str]:
    """Yield users whose styles are not what their picks give, and those who have styles without picks."""
    build = stickers.manifest.vocabulary
    waiting = {*catalog.unfitted(build), *catalog.users_since(catalog.index_state(build).fitted)}
    everybody = {user.user for user in catalog.users()}
    stored: dict[str, list[Record]] = defaultdict(list)
    for record in users.scroll(None, ("image",), batch=BATCH):
        stored[str(record.payload.get("user"))].append(record)
    yield from stored.keys() - everybody
    settled = sorted(everybody - waiting)
    for names in chunks(settled, 100):
        learnt = {user: profile for user, profile, _ in learn_stored(catalog, stickers, names, workspace.recipe.style)}
        for user in names:
            if not _same_profile(user, learnt.get(user), stored.get(user, [])):
                yield user


def _same_profile(user: str, wanted: StyleProfile | None, stored: Sequence[Record]) -> bool:
    if wanted is None or not stored:
        return wanted is None and not stored
    if not all(is_whole(record) for record in stored):
        return False
    rows = sorted(stored, key=lambda record: int(record.payload["state"]["number"]))
    if [record.id for record in rows] != [centroid_id(user, number) for number in range(len(rows))]:
        return False  # nobody looks for a style under another id
    found = np.array([record.dense("image") for record in rows], np.float64)
    one = np.asarray(wanted.centroids, np.float64)
    shares = [float(record.payload["share"]) for record in rows]
    return one.shape == found.shape and bool(
        np.allclose(one, found, atol=1e-3) and np.allclose(wanted.shares, shares, atol=1e-3)
    )

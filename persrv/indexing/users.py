"""The users' collection: every user's picks clustered into styles, all of them at a build, a few in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.index.engine import Collection
from persrv.index.profile_points import StyleExample, nearest_picks, points_of
from persrv.index.schema import centroid_id, point_id, sticker_id_of
from persrv.indexing.progress import Progress
from persrv.ranking.profile import StyleProfile, days_since_epoch
from persrv.recipe import Style

LATEST = 500
"""Picks of one user that are clustered; older ones have long faded, and clustering is quadratic in them."""

MOST_STYLES = 32
"""Largest number of styles that any recipe may give a user."""

_USERS = 100
"""Users whose points are written at once."""

_POINTS = 2_000
"""Points that are deleted at once."""

Learnt = tuple[str, StyleProfile, list[StyleExample]]


def learn_profiles(
    catalog: Catalog,
    rows: Mapping[str, int],
    tastes: NDArray[np.float32],
    style: Style,
    users: Sequence[str] | None = None,
) -> Iterator[Learnt]:
    """Yield users' profiles and the picks that show them, without titles; nothing of a user is held after that.

    Users without a picture among their picks are left out.

    Args:
        catalog: Knows the picks.
        rows: Sticker id to its row in ``tastes``.
        tastes: Unit vectors in the collection's space of style, shape (n, d), zero rows without a picture.
        style: The recipe's ``[style]``.
        users: Only these, at most 500; all where it is ``None``.
    """
    pictured: NDArray[np.bool_] = np.asarray(tastes.any(axis=1))
    wanted = {sticker_id for sticker_id, row in rows.items() if pictured[row]}
    for user, latest in catalog.latest_picks(LATEST, wanted, users):
        vectors = tastes[[rows[sticker_id] for sticker_id, _ in latest]]
        days = np.array([days_since_epoch(time) for _, time in latest])
        profile = StyleProfile.fit(
            vectors, days, most=style.clusters, half_life_days=style.half_life_days, seed=style.seed
        )
        yield user, profile, nearest_picks(profile, vectors, [(sticker_id, "", "") for sticker_id, _ in latest])


def write_profiles(
    learnt: Iterable[Learnt], stickers: Collection, users: Collection, progress: Progress
) -> tuple[int, int]:
    """Write profiles, and return the number of users and of their centroids.

    Args:
        learnt: From :func:`learn_profiles`.
        stickers: Says how the stickers that show a style are called.
        users: Where to.
        progress: Shows how far it is.
    """
    people = centroids = 0
    with progress.stage("learning styles", None) as advance:
        for batch in chunks(learnt, _USERS):
            shown = _captions(stickers, {show.sticker_id for _, _, shows in batch for show in shows})
            points = []
            for user, profile, shows in batch:
                named = [StyleExample(s.sticker_id, *shown[s.sticker_id], cosine=s.cosine) for s in shows]
                points += points_of(user, profile, named)
            users.upsert(points)
            centroids += len(points)
            people += len(batch)
            advance(len(batch))
    return people, centroids


def learn_again(
    catalog: Catalog,
    stickers: Collection,
    users: Collection,
    names: Iterable[str],
    style: Style,
    progress: Progress,
) -> int:
    """Fit some users anew in place, and return how many; those without a picture among their picks lose their profile.

    So does whoever is forgotten between the reading of their picks and the writing of their profile.

    Args:
        catalog: Knows the picks.
        stickers: Has the vectors that profiles lie among.
        users: Where profiles stand.
        names: Whom.
        style: The recipe's ``[style]``.
        progress: Shows how far it is.
    """
    people = 0
    for batch in chunks(sorted(set(names)), _USERS):
        before = catalog.forgettings()
        learnt = learn_stored(catalog, stickers, batch, style)
        write_profiles(learnt, stickers, users, progress)
        kept = {user: len(profile.mass) for user, profile, _ in learnt}
        users.delete([centroid_id(user, n) for user in batch for n in range(kept.get(user, 0), MOST_STYLES)])
        if gone := catalog.forgotten_users(batch, since=before):
            remove_profiles(users, gone)
        people += len(batch)
    return people


def remove_profiles(users: Collection, names: Iterable[str], *, left: bool = True) -> None:
    """Delete some users' profiles: every style that any recipe may have given them, and its bytes.

    Args:
        users: Where profiles stand.
        names: Whose.
        left: Whether bytes of styles may be there that were deleted before. If not, a collection without any style of
            theirs is left as it is, after one look.
    """
    for batch in chunks((centroid_id(user, number) for user in names for number in range(MOST_STYLES)), _POINTS):
        if not left and not users.retrieve(batch, with_payload=False):
            continue
        left = True
        users.delete(batch)
    if left:
        users.purge()


def learn_stored(catalog: Catalog, stickers: Collection, names: Sequence[str], style: Style) -> list[Learnt]:
    """Return some users' profiles, at most 500, fitted among the vectors that stand in the index."""
    rows, tastes = _tastes(stickers, catalog.picked(names))
    return [*learn_profiles(catalog, rows, tastes, style, names)]


def _tastes(stickers: Collection, ids: Sequence[str]) -> tuple[dict[str, int], NDArray[np.float32]]:
    using, dimension = stickers.manifest.taste_vector, stickers.manifest.taste_dimension
    rows: dict[str, int] = {}
    vectors: list[NDArray[np.float32]] = []
    for chunk in chunks(ids, 256):
        for record in stickers.retrieve([point_id(sticker_id) for sticker_id in chunk], with_vectors=(using,)):
            vector = record.dense(using)
            if vector is not None:
                rows[sticker_id_of(record.id)] = len(vectors)
                vectors.append(np.array(vector, np.float32))
    return rows, np.array(vectors, np.float32).reshape(-1, dimension)


def _captions(stickers: Collection, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return sticker id to title and picture URL."""
    found: dict[str, tuple[str, str]] = {}
    for chunk in chunks(sorted(ids), 256):
        found.update((sticker_id, (sticker_id[:8], "")) for sticker_id in chunk)
        for record in stickers.retrieve([point_id(sticker_id) for sticker_id in chunk]):
            payload = record.payload
            found[sticker_id_of(record.id)] = str(payload.get("title", "")), str(payload.get("image_url", ""))
    return found

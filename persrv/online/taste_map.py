"""A person's picks on a plane, so that they can look at their own taste."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from persrv.index.schema import point_id, sticker_id_of
from persrv.online.open_version import OpenVersion
from persrv.records import StyleSummary


@dataclass(frozen=True, slots=True)
class TastePoint:
    """One sticker on the map.

    Attributes:
        sticker_id: Which.
        title: A short text for people.
        x: From 0, left, to 1, right.
        y: From 0, top, to 1, bottom.
        style: Number of the person's style that it belongs to, from 0; ``None`` where they have none.
    """

    sticker_id: str
    title: str
    x: float
    y: float
    style: int | None


@dataclass(frozen=True, slots=True)
class TasteMap:
    """A person's taste on a plane; what is drawn alike lies together.

    Attributes:
        points: Their latest stickers that have a picture, newest first.
        styles: Their styles, in the profile's order.
    """

    points: tuple[TastePoint, ...]
    styles: tuple[StyleSummary, ...]


def taste_map(version: OpenVersion, user: str, sticker_ids: list[str]) -> TasteMap:
    """Return the map of a user's stickers.

    Args:
        version: Knows their vectors and the user's styles.
        user: Whose taste.
        sticker_ids: Their stickers, newest first.

    Raises:
        BuildGoneError: The version is gone.
    """
    using = version.manifest.taste_vector
    records = version.stickers.retrieve([point_id(known) for known in sticker_ids], with_vectors=(using,))
    found = {sticker_id_of(record.id): record for record in records if record.dense(using) is not None}
    shown = [known for known in sticker_ids if known in found]
    profile, examples = version.profiles.get(user)
    styles = tuple(
        StyleSummary(float(share), example.sticker_id, example.title)
        for share, example in zip(profile.shares, examples, strict=True)
    )
    if not shown:
        return TasteMap((), styles)
    vectors = np.array([found[known].dense(using) for known in shown], dtype=np.float64)
    places = flattened(vectors)
    nearest = (vectors @ profile.centroids.T).argmax(axis=1) if len(styles) else None
    points = tuple(
        TastePoint(
            sticker_id=known,
            title=str(found[known].payload.get("title", "")),
            x=float(places[i, 0]),
            y=float(places[i, 1]),
            style=None if nearest is None else int(nearest[i]),
        )
        for i, known in enumerate(shown)
    )
    return TasteMap(points, styles)


def flattened(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places on a plane by the two directions in which the vectors differ most (principal components).

    Args:
        vectors: Shape (n, d), n >= 1.

    Returns:
        Shape (n, 2), within [0, 1]; 0.5 along a direction in which nothing differs. The larger entries of each
        direction are positive, so that the same vectors give the same map everywhere.
    """
    centred = vectors - vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    places = np.full((len(vectors), 2), 0.5)
    for axis in range(min(2, len(sizes))):
        if sizes[axis] <= 1e-9:
            continue
        direction = directions[axis] * np.sign(directions[axis][np.abs(directions[axis]).argmax()])
        along = centred @ direction
        places[:, axis] = (along - along.min()) / np.ptp(along)
    return places

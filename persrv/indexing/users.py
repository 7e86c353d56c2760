"""The users' collection: every user's picks clustered into styles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from persrv.catalog import Catalog
from persrv.index.profile_points import StyleExample, nearest_picks
from persrv.ranking.profile import StyleProfile, days_since_epoch
from persrv.recipe import Style

LATEST = 500
"""Picks of one user that are clustered; older ones have long faded, and clustering is quadratic in them."""


def learn_profiles(
    catalog: Catalog,
    rows: Mapping[str, int],
    styles: NDArray[np.float32],
    shown: Mapping[str, tuple[str, str, str]],
    style: Style,
) -> Iterator[tuple[str, StyleProfile, list[StyleExample]]]:
    """Yield each user's profile and the picks that show it; nothing of a user is held after that.

    Users without a picture among their picks are left out.

    Args:
        catalog: Knows the picks.
        rows: Sticker id to its row in ``styles``.
        styles: Unit vectors in the collection's space of style, shape (n, d), zero rows without a picture.
        shown: Sticker id to (id, title, picture URL).
        style: The recipe's ``[style]``.
    """
    pictured: NDArray[np.bool_] = np.asarray(styles.any(axis=1))
    wanted = {sticker_id for sticker_id, row in rows.items() if pictured[row]}
    for user, latest in catalog.latest_picks(LATEST, wanted):
        vectors = styles[[rows[sticker_id] for sticker_id, _ in latest]]
        days = np.array([days_since_epoch(time) for _, time in latest])
        profile = StyleProfile.fit(
            vectors, days, most=style.clusters, half_life_days=style.half_life_days, seed=style.seed
        )
        yield user, profile, nearest_picks(profile, vectors, [shown[sticker_id] for sticker_id, _ in latest])

"""The users' collection: every user's picks clustered into styles."""

from __future__ import annotations

from collections import defaultdict
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
    """Yield each user's profile and the picks that show it, in the order of the users' names.

    Users without a picture among their picks are left out.

    Args:
        catalog: Knows the picks.
        rows: Sticker id to its row in ``styles``.
        styles: Unit vectors in the collection's space of style, shape (n, d), zero rows without a picture.
        shown: Sticker id to (id, title, picture URL).
        style: The recipe's ``[style]``.
    """
    picks: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for interaction in catalog.interactions():
        if interaction.sticker_id in rows:
            picks[interaction.user].append((interaction.sticker_id, days_since_epoch(interaction.time)))
    for user in sorted(picks):
        latest = [(sticker_id, day) for sticker_id, day in picks[user] if styles[rows[sticker_id]].any()][-LATEST:]
        if not latest:
            continue
        vectors = styles[[rows[sticker_id] for sticker_id, _ in latest]]
        days = np.array([day for _, day in latest])
        profile = StyleProfile.fit(
            vectors, days, most=style.clusters, half_life_days=style.half_life_days, seed=style.seed
        )
        likenesses = nearest_picks(profile, vectors, [shown[sticker_id] for sticker_id, _ in latest])
        yield user, profile, likenesses

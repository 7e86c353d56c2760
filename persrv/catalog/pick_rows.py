"""From a loader's pick to an interaction, and from an interaction to its row."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from persrv.catalog.columns import storable
from persrv.catalog.phrases import fold_query
from persrv.catalog.pick_times import as_dated, counted_time
from persrv.errors import CatalogError, PersrvError
from persrv.records import PICK_KINDS, Interaction, Skipped, SourcePick, check_user


def interaction_row(interaction: Interaction, now: datetime) -> dict[str, Any]:
    """Return a row of ``interactions``; its digest says which ones are the same.

    Raises:
        QueryError: The user's id is refused.
        CatalogError: The time has no zone, or the kind is unknown.
    """
    user, query = check_user(interaction.user), storable(interaction.query)
    if interaction.kind not in PICK_KINDS:
        raise CatalogError(f"{interaction.kind!r} is no kind of interaction", f"use one of {', '.join(PICK_KINDS)}")
    time = counted_time(interaction.time, now)
    # By the time that the source says, so that a pick dated ahead is known again at the next reading.
    dated = time if time is not now else as_dated(interaction.time)
    same = [user, query, interaction.sticker_id, dated.isoformat(timespec="microseconds"), interaction.kind]
    if interaction.pick_id is not None:
        same = [user, interaction.pick_id]
    return {
        "digest": hashlib.sha256(json.dumps(same).encode()).hexdigest()[:32],
        "user": user,
        "query": query,
        "folded_query": fold_query(query),
        "sticker_id": interaction.sticker_id,
        "time": time,
        "kind": interaction.kind,
        "pick_id": interaction.pick_id,
    }


def usable_pick(pick: SourcePick, ids: Mapping[str, str]) -> SourcePick | Skipped:
    """Return a loader's pick with its user's normalised id, or why it cannot be used.

    Args:
        pick: As the loader yields it.
        ids: The loader's key of each sticker that the catalog has, to its id.
    """
    if pick.key not in ids:
        return Skipped(pick.key, "no sticker has this key")
    try:
        user = check_user(pick.user)
        if pick.time is not None:
            counted_time(pick.time, datetime.now(UTC))
    except PersrvError as error:
        return Skipped(pick.key, error.problem)
    return pick if user == pick.user else replace(pick, user=user)


def dated_pick(pick: SourcePick, sticker_id: str, default: datetime, repeated: Counter[tuple[str, ...]]) -> Interaction:
    """Return a loader's pick as an interaction; without a time, its n-th repetition is n microseconds after the first.

    Args:
        pick: A usable one.
        sticker_id: What was picked.
        default: Time of picks without one.
        repeated: Picks without a time so far; this one is counted.
    """
    interaction = Interaction(pick.user, pick.query, sticker_id, pick.time or default, pick.kind)
    if pick.time is not None:
        return interaction
    same = (pick.user, pick.query, sticker_id, pick.kind)
    repeated[same] += 1
    return replace(interaction, time=default + timedelta(microseconds=repeated[same] - 1))

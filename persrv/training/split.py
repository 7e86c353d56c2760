"""Which stickers teach, which choose the best adapter, and which judge it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from persrv.errors import SourceError

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

_SHORTEST = timedelta(minutes=1)
"""Picks closer together than that have no times of their own: their source named none."""


@dataclass(frozen=True, slots=True)
class StickerSplit:
    """The parts.

    Attributes:
        parts: Sticker id to its part.
        cut: Training and validation use picks before this moment, the test those from it on; ``None`` where picks
            have no times.
    """

    parts: Mapping[str, Part]
    cut: datetime | None


def split(
    first: Mapping[str, datetime],
    times: Sequence[datetime],
    groups: Mapping[str, str],
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
) -> StickerSplit:
    """Hold stickers out by time and by sticker.

    The newest ``test`` of the picks lie behind the cut. Stickers that nobody picked before it are the test: new ones,
    as a describer meets them. Of the others a share is kept for validation, chosen by hash; their later picks are used
    by nobody. Near-duplicates go together. Where picks have no times, or no sticker is new, the test is chosen by
    hash too.

    Args:
        first: Sticker id to its first pick.
        times: Of all picks.
        groups: Sticker id to its group of near-duplicates; stickers without one stand alone.
        validation: Share of the groups before the cut, in (0, 1).
        test: Share of the picks behind the cut, in (0, 1).
        seed: Another seed chooses others.

    Returns:
        All three parts hold at least one sticker.

    Raises:
        SourceError: There are fewer than three groups of stickers.
    """
    groups = {sticker_id: groups.get(sticker_id, sticker_id) for sticker_id in first}
    begun: dict[str, datetime] = {}
    for sticker_id, group in groups.items():
        begun[group] = min(first[sticker_id], begun.get(group, first[sticker_id]))
    if len(begun) < 3:
        raise SourceError(
            f"only {len(begun)} different sticker(s) have queries to learn from, and some must be held out",
            "collect picks of at least three stickers",
        )
    order = sorted(begun, key=lambda group: hash_of(group, seed))
    cut = _cut(times, test)
    tested = {group for group in order if cut and begun[group] >= cut}
    if not 0 < len(tested) <= len(order) - 2:
        cut = None
        tested = set(order[-max(1, min(round(test * len(order)), len(order) - 2)) :])
    rest = [group for group in order if group not in tested]
    validated = set(rest[: max(1, min(round(validation * len(rest)), len(rest) - 1))])
    parts: dict[str, Part] = {
        sticker_id: "test" if group in tested else "validation" if group in validated else "train"
        for sticker_id, group in groups.items()
    }
    return StickerSplit(parts, cut)


def _cut(times: Sequence[datetime], test: float) -> datetime | None:
    ordered = sorted(times)
    if not ordered or ordered[-1] - ordered[0] < _SHORTEST:
        return None
    return ordered[min(int(len(ordered) * (1 - test)), len(ordered) - 1)]


def hash_of(group: str, seed: int) -> str:
    """Return hexadecimal digits by which groups or stickers are in a random order, the same on every machine."""
    return hashlib.sha256(f"{seed} {group}".encode()).hexdigest()

"""Which stickers train a describer, which choose its best adapter, and which test it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Literal

from persrv.errors import SourceError

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

SMALLEST = 0.5
"""A part that holds less than this of its asked share judges, or trains, on too little."""


def asked_shares(validation: float, test: float) -> dict[Part, float]:
    """Return the share of the stickers that each part should hold.

    Args:
        validation: Of the stickers outside the test, in (0, 1).
        test: Of all stickers, in (0, 1).
    """
    return {"train": (1 - test) * (1 - validation), "validation": (1 - test) * validation, "test": test}


def too_small(counts: Mapping[Part, int], shares: Mapping[Part, float]) -> list[Part]:
    """Return the parts with fewer stickers than :data:`SMALLEST` of their share of all, or with none."""
    total = sum(counts.values())
    return [part for part in PARTS if counts[part] < max(1.0, SMALLEST * shares[part] * total)]


def split_by_time(
    first: Mapping[str, datetime], cut: datetime, groups: Mapping[str, str], validation: float, seed: int
) -> dict[str, Part] | None:
    """Hold out the stickers that nobody picked before a moment: new ones, as a describer meets them.

    Of the others a share is kept for validation, chosen by hash. Near-duplicates go together.

    Args:
        first: Sticker id to its first pick.
        cut: The moment.
        groups: Sticker id to its group of near-duplicates; stickers without one stand alone.
        validation: Share of the stickers before the cut, in (0, 1).
        seed: Another seed chooses others.

    Returns:
        Sticker id to its part; ``None`` where no sticker is new, or fewer than two groups are not.
    """
    group_of = _grouped(first, groups)
    begun: dict[str, datetime] = {}
    for sticker_id, group in group_of.items():
        begun[group] = min(first[sticker_id], begun.get(group, first[sticker_id]))
    tested = {group for group, when in begun.items() if when >= cut}
    if not tested or len(begun) - len(tested) < 2:
        return None
    return _parts(group_of, tested, validation, seed)


def split_by_sticker(
    stickers: Set[str], groups: Mapping[str, str], validation: float, test: float, seed: int
) -> dict[str, Part]:
    """Hold stickers out by hash. Near-duplicates go together.

    Args:
        stickers: Their ids.
        groups: Sticker id to its group of near-duplicates; stickers without one stand alone.
        validation: Share of the stickers outside the test, in (0, 1).
        test: Share of the stickers, in (0, 1).
        seed: Another seed chooses others.

    Returns:
        Sticker id to its part; each part holds at least one group.

    Raises:
        SourceError: There are fewer than three groups.
    """
    group_of = _grouped(stickers, groups)
    sizes = Counter(group_of.values())
    if len(sizes) < 3:
        raise SourceError(
            f"only {len(sizes)} different sticker(s) have queries to learn from, and some must be held out",
            "collect picks of at least three stickers",
        )
    return _parts(group_of, _chosen(sizes, test, len(sizes) - 2, seed), validation, seed)


def hash_of(group: str, seed: int) -> str:
    """Return hexadecimal digits by which groups or stickers are in a random order, the same on every machine."""
    return hashlib.sha256(f"{seed} {group}".encode()).hexdigest()


def limited(parts: Mapping[str, Part], limit: int, seed: int) -> list[str]:
    """Return sticker ids, at most ``limit`` of them, chosen by hash so that the parts keep their shares.

    Args:
        parts: Sticker id to its part.
        limit: >= 3, so that every part that has a sticker keeps one.
        seed: Another seed chooses others.
    """
    order = {part: sorted((s for s in parts if parts[s] == part), key=lambda s: hash_of(s, seed)) for part in PARTS}
    kept = {part: min(len(order[part]), max(1, int(limit * len(order[part]) / len(parts)))) for part in PARTS}
    # Rounding down leaves some places; training gets them.
    kept["train"] = min(len(order["train"]), limit - kept["validation"] - kept["test"])
    return [sticker_id for part in PARTS for sticker_id in order[part][: kept[part]]]


def _grouped(stickers: Set[str] | Mapping[str, datetime], groups: Mapping[str, str]) -> dict[str, str]:
    return {sticker_id: groups.get(sticker_id, sticker_id) for sticker_id in stickers}


def _parts(group_of: Mapping[str, str], tested: Set[str], validation: float, seed: int) -> dict[str, Part]:
    rest = Counter(group for group in group_of.values() if group not in tested)
    validated = _chosen(rest, validation, len(rest) - 1, seed)
    return {
        sticker_id: "test" if group in tested else "validation" if group in validated else "train"
        for sticker_id, group in group_of.items()
    }


def _chosen(sizes: Mapping[str, int], share: float, most: int, seed: int) -> set[str]:
    """Return groups, at least one and at most ``most``, that together hold about a share of the stickers.

    They are taken in the order of their hashes. One that holds more than is still missing is passed over, so that a
    large group of near-duplicates does not fill a part, unless the groups that fit hold too little.
    """
    order: Sequence[str] = sorted(sizes, key=lambda group: hash_of(group, seed))
    wanted, held = share * sum(sizes.values()), 0
    chosen: set[str] = set()
    for group in order:
        if len(chosen) == most or held >= wanted:
            break
        if held + sizes[group] <= max(wanted, 1):
            chosen.add(group)
            held += sizes[group]
    if len(chosen) < most and held < SMALLEST * wanted:
        chosen.add(min((group for group in order if group not in chosen), key=lambda group: sizes[group]))
    return chosen

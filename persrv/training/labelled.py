"""The stickers that a collection's picks label with queries, before any picture is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from persrv.errors import SourceError
from persrv.records import Interaction
from persrv.training.queries import PickTimes, QueryCounter, TrainingQuery
from persrv.training.split import PARTS, Part, asked_shares, split_by_sticker, split_by_time, too_small

_WITHOUT_PICTURE = "of a sticker without a picture"
_LATE = "after the cut, of stickers known before"


class PickHistory(Protocol):
    """Where picks come from: the catalog."""

    def interactions(
        self, user: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Interaction]:
        """Walk through interactions by time."""
        ...


@dataclass(frozen=True, slots=True)
class LabelledStickers:
    """Stickers and what people typed for them.

    Attributes:
        queries: Sticker id to its queries, by id.
        parts: Sticker id to its part, of the same stickers.
        cut: Where the test begins, ``None`` where the split is by sticker only.
        by_sticker: Why the split is not by time, ``""`` where it is.
        largest_group: Stickers in the largest group of near-duplicates.
        picks: Interactions that were read.
        simulated: Of these, picks that no person made.
        used: Sticker id to the picks that its queries stand on.
        dropped: All other picks, by reason.
    """

    queries: Mapping[str, tuple[TrainingQuery, ...]]
    parts: Mapping[str, Part]
    cut: datetime | None
    by_sticker: str
    largest_group: int
    picks: int
    simulated: int
    used: Mapping[str, int]
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Counted:
    """Queries of one way to split, and what became of the picks."""

    queries: dict[str, tuple[TrainingQuery, ...]]
    used: Counter[str]
    dropped: Counter[str]

    @classmethod
    def of(cls, counter: QueryCounter) -> _Counted:
        return cls(counter.queries(), counter.used, counter.dropped)

    def only(self, stickers: Set[str], reason: str) -> _Counted:
        """Return those of some stickers; the other stickers' picks are dropped for the reason."""
        lost = sum(picks for sticker_id, picks in self.used.items() if sticker_id not in stickers)
        dropped = self.dropped + Counter({reason: lost})
        kept = {sticker_id: queries for sticker_id, queries in self.queries.items() if sticker_id in stickers}
        return _Counted(kept, Counter({s: self.used[s] for s in kept}), dropped)


def labelled_stickers(
    history: PickHistory,
    name: str,
    pictured: Set[str],
    groups_of: Callable[[Set[str]], Mapping[str, str]],
    *,
    min_users: int,
    validation: float,
    test: float,
    seed: int,
) -> LabelledStickers:
    """Read the picks, and split the stickers that they label.

    The newest ``test`` of the picks are cut off, and the stickers that nobody picked before are the test. Where this
    leaves any part less than half of its share, or the picks have no times, stickers are held out by hash, and then
    no pick is lost to the cut.

    Args:
        history: The picks.
        name: The collection's, for messages.
        pictured: Ids of the stickers with a picture.
        groups_of: From ids of stickers to each one's group of near-duplicates; stickers without one stand alone.
        min_users: As :class:`~persrv.training.queries.QueryCounter` takes it.
        validation: Share of the stickers outside the test, in (0, 1).
        test: Share of the picks behind the cut, or of the stickers, in (0, 1).
        seed: Of the choice by hash.

    Raises:
        SourceError: There are no picks, no query may be trained on, or there are too few stickers.
    """
    times = PickTimes.of(history.interactions())
    if not times.first:
        raise SourceError(
            f"nobody has picked anything in {name}", "name [[interactions]] in its recipe and run persrv build"
        )
    counter = QueryCounter(min_users)
    counter.add(history.interactions())
    everything = _Counted.of(counter).only(pictured, _WITHOUT_PICTURE)
    if not everything.queries:
        raise SourceError(
            f"none of the {len(times.sorted_us)} picks in {name} can be trained on ({_listed(everything.dropped)})",
            "collect more, or give a smaller --min-users",
        )
    first = {sticker_id: times.first[sticker_id] for sticker_id in everything.queries}
    groups = groups_of(first.keys())
    sizes = Counter(groups.get(sticker_id, sticker_id) for sticker_id in first)
    cut = times.newest(test)
    counted, parts, reason = None, None, "the picks have no times"
    if cut is not None:
        parts = split_by_time(first, cut, groups, validation, seed)
        reason = f"no sticker is new among the newest {test:.0%} of the picks"
    if cut is not None and parts is not None:
        counted = _by_time(history, parts, cut, min_users)
        parts = {sticker_id: parts[sticker_id] for sticker_id in counted.queries}
        reason = _too_uneven(parts, validation, test)
    if reason or counted is None or parts is None:
        counted, cut = everything, None
        parts = split_by_sticker(first.keys(), groups, validation, test, seed)
    return LabelledStickers(
        queries=counted.queries,
        parts=parts,
        cut=cut,
        by_sticker=reason,
        largest_group=max(sizes.values()),
        picks=len(times.sorted_us),
        simulated=times.simulated,
        used=counted.used,
        dropped=dict(sorted((+counted.dropped).items())),
    )


def _by_time(history: PickHistory, parts: Mapping[str, Part], cut: datetime, min_users: int) -> _Counted:
    """Return the queries that each part may know; a query's users are counted within its part's time."""
    counter = QueryCounter(min_users)
    counter.add(history.interactions(until=cut))
    late = 0
    for pick in history.interactions(since=cut):
        if parts.get(pick.sticker_id, "test") == "test":
            counter.add([pick])
        else:
            late += 1
    counted = _Counted.of(counter)
    counted.dropped[_LATE] += late
    return counted.only(parts.keys(), _WITHOUT_PICTURE)


def _too_uneven(parts: Mapping[str, Part], validation: float, test: float) -> str:
    """Return why a split cannot be used: a part that is too small; ``""`` where all are large enough."""
    counts = {part: sum(one == part for one in parts.values()) for part in PARTS}
    shares = asked_shares(validation, test)
    for part in too_small(counts, shares):
        return (
            f"by time, {part} would hold {counts[part]} of {len(parts)} stickers, less than half of the "
            f"{shares[part]:.0%} asked for"
        )
    return ""


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items())) or "none typed a query"

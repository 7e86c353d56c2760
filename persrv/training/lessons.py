"""What a collection's picks teach, before any picture is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from persrv.catalog import Catalog
from persrv.errors import SourceError
from persrv.images.duplicates import PerceptualHash, duplicate_groups
from persrv.training.queries import LearntQuery, QueryCounter, first_picks
from persrv.training.split import Part, split
from persrv.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LabelledStickers:
    """Stickers and what people typed for them.

    Attributes:
        queries: Sticker id to its queries, by id.
        parts: Sticker id to its part.
        cut: Where the test begins, ``None`` where the split is by sticker only.
        picks: Interactions that were read.
        simulated: Of these, picks that no person made.
        dropped: Picks that teach nothing, by reason.
    """

    queries: Mapping[str, tuple[LearntQuery, ...]]
    parts: Mapping[str, Part]
    cut: datetime | None
    picks: int
    simulated: int
    dropped: Mapping[str, int]


def lessons(
    workspace: Workspace, catalog: Catalog, min_users: int, validation: float, test: float, seed: int
) -> LabelledStickers:
    """Read the picks.

    Args:
        workspace: The collection, for its perceptual hashes.
        catalog: Its catalog.
        min_users: As :class:`~persrv.training.queries.QueryCounter` takes it.
        validation: As :func:`~persrv.training.split.split` takes it.
        test: Likewise.
        seed: Likewise.

    Raises:
        SourceError: There are no picks, no query may be learnt, or there are too few stickers.
    """
    name = workspace.recipe.name
    first, times, simulated = first_picks(catalog.interactions())
    if not times:
        raise SourceError(
            f"nobody has picked anything in {name}", "name [[interactions]] in its recipe and run persrv build"
        )
    usable = QueryCounter(min_users)
    usable.add(catalog.interactions())
    everything = usable.learnt()
    listed = catalog.pictured()
    kept = {sticker_id: when for sticker_id, when in first.items() if sticker_id in everything and sticker_id in listed}
    if not kept:
        raise SourceError(
            f"none of the {len(times)} picks in {name} teaches anything ({_listed(usable.dropped)})",
            "collect more, or give a smaller --min-users",
        )
    made = split(kept, times, _groups(workspace, kept), validation, test, seed)
    if made.cut is None:
        chosen, dropped = everything, dict(usable.dropped)
    else:
        chosen, dropped = _by_time(catalog, made.parts, made.cut, min_users)
    return LabelledStickers(
        {sticker_id: queries for sticker_id, queries in chosen.items() if sticker_id in kept},
        made.parts,
        made.cut,
        len(times),
        simulated,
        dict(sorted(dropped.items())),
    )


def _by_time(
    catalog: Catalog, parts: Mapping[str, Part], cut: datetime, min_users: int
) -> tuple[dict[str, tuple[LearntQuery, ...]], dict[str, int]]:
    """Return the queries that each part may know; a query's users are counted within its part's time."""
    counter = QueryCounter(min_users)
    counter.add(catalog.interactions(until=cut))
    late = 0
    for pick in catalog.interactions(since=cut):
        if parts.get(pick.sticker_id) == "test":
            counter.add([pick])
        else:
            late += 1
    queries = counter.learnt()
    dropped = dict(counter.dropped)
    if late:
        dropped["after the cut, of stickers known before"] = late
    return queries, dropped


def _groups(workspace: Workspace, stickers: Mapping[str, datetime]) -> dict[str, str]:
    with workspace.vectors(PerceptualHash()) as perceptual_hashes:
        printed = sorted(sticker_id for sticker_id in stickers if sticker_id in perceptual_hashes)
        return duplicate_groups(printed, perceptual_hashes.get)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items())) or "none typed a query"

"""Catches answers that were learnt: what an index was built from is compared with what was held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

from persrv.catalog.phrases import fold_query
from persrv.errors import QueryError
from persrv.lab.evaluation.splits import PickSplit
from persrv.records import Interaction

_NAMED = 3
"""Leaks that an error names."""


def check_picks(split: PickSplit, learnt: Iterable[Interaction]) -> None:
    """Check that no held-out pick is among those that were learnt from.

    Args:
        split: What was held back.
        learnt: Every pick that the index was built from, as its catalog lists them.

    Raises:
        QueryError: A held-out pick was learnt; the text names some.
    """
    held = {_identity(pick) for pick in split.held_out}
    leaked = list(islice((pick for pick in learnt if _identity(pick) in held), _NAMED))
    if leaked:
        named = ", ".join(f"{pick.user!r} picked {pick.sticker_id[:8]} for {pick.query!r}" for pick in leaked)
        raise QueryError(f"held-out picks are in the index: {named}", "build it from the training picks alone")


def check_counts(split: PickSplit, counted: Mapping[str, int]) -> None:
    """Check that utility counts nothing but training picks; this finds an index that is older than the split.

    Args:
        split: What was held back.
        counted: Sticker id to the number of picks that its point carries; stickers without picks may be missing.

    Raises:
        QueryError: A sticker carries another number.
    """
    expected = Counter(pick.sticker_id for pick in split.train)
    for sticker_id in sorted(expected.keys() | counted.keys()):
        found = counted.get(sticker_id, 0)
        if found != expected[sticker_id]:
            raise QueryError(
                f"sticker {sticker_id[:8]} counts {found} picks, training has {expected[sticker_id]}",
                "build the index from the training picks alone",
            )


def _identity(pick: Interaction) -> tuple[str, str, str, str]:
    return pick.user, fold_query(pick.query), pick.sticker_id, pick.time.isoformat()

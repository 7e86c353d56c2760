"""A person's own earlier picks and marks in an answer: their stickers are ranked apart, weighed, and put in.

The stickers that somebody picked before are at most :data:`persrv.catalog.own_picks.MOST_OWN`, so that all of them
that match are fetched with their scores, and left out of the others. The two lists together are exactly what one
formula over all stickers gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from persrv.catalog.own_picks import OwnPick
from persrv.online.page import Ranked, once_each
from persrv.ranking.formula import order
from persrv.ranking.repeats import RepeatWeights

STAND_INS = 20
"""Own stickers that stand in where nothing matches, at most."""

CLOSE = 0.01
"""Share of the best score from which a favourite matches: less is a small word of a long query. Its style may be far
from the person's other ones, so that the share is small."""


@dataclass(frozen=True)
class OwnStickers:
    """The stickers that somebody picked or marked before, for one query.

    Attributes:
        picks: Sticker id to what it is to them.
        weights: What earlier picks are worth.
        own: How far that counts, >= 0; at 0 nothing does.
        styled: Whether the person has styles.
    """

    picks: Mapping[str, OwnPick] = field(default_factory=dict)
    weights: RepeatWeights = field(default_factory=RepeatWeights)
    own: float = 0.0
    styled: bool = True

    @cached_property
    def factors(self) -> dict[str, float]:
        """Sticker id to what its score is multiplied by; a hidden sticker's stays."""
        if not self.own or not self.picks:
            return {}
        found = self.weights.factors([pick.strengths for pick in self.picks.values()], self.own, styled=self.styled)
        hidden = {sticker_id for sticker_id, pick in self.picks.items() if pick.mark == "hidden"}
        return {i: 1.0 if i in hidden else float(factor) for i, factor in zip(self.picks, found, strict=True)}

    @cached_property
    def stand_ins(self) -> list[str]:
        """The stickers that the person picks most, favourites first; none that is hidden or counts against."""
        kept = [i for i, factor in self.factors.items() if factor >= 1.0 and self.picks[i].mark != "hidden"]
        return sorted(kept, key=lambda i: (_LEADS.get(self.picks[i].mark, 0), -sum(self.picks[i].strengths), i))

    def merged(self, others: Ranked, mine: Ranked) -> tuple[Ranked, dict[str, float]]:
        """Return all stickers in their final order, and what the scores of the person's own were multiplied by.

        A favourite that matches comes before what is none, and a pin before that.

        Args:
            others: Stickers that the person never picked, best first.
            mine: All of the person's own that match.
        """
        factors = np.array([self.factors[sticker_id] for sticker_id in mine.ids])
        scores = mine.scores * factors if len(factors) else mine.scores
        best = max([*others.scores[:1], *(scores.max(initial=0.0),)])
        for at, sticker_id in enumerate(mine.ids):
            if scores[at] >= CLOSE * best:
                scores[at] -= best * _LEADS.get(self.picks[sticker_id].mark, 0)
        groups, cut = others.groups + mine.groups, others.cut or mine.cut
        joined = Ranked(others.ids + mine.ids, np.concatenate([others.scores, scores]), groups, cut)
        used = np.divide(scores, mine.scores, out=np.ones_like(scores), where=mine.scores > 0)
        ordered = joined.at(once_each(order(joined.scores, joined.ids), joined.groups))
        return ordered, dict(zip(mine.ids, used.tolist(), strict=True))


_LEADS = {"pin": -2, "favourite": -1}


def in_order(ranked: Ranked, ids: Sequence[str]) -> Ranked:
    """Return the stickers of a ranking that are among some, in the order of those."""
    at = {sticker_id: position for position, sticker_id in enumerate(ranked.ids)}
    return ranked.at([at[sticker_id] for sticker_id in ids if sticker_id in at])

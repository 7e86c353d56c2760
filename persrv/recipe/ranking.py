"""How the answer is ranked, and how two rankings are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from persrv.recipe.section import Fraction, Name, NotNegative, Positive, Section


class UtilityWeights(Section):
    """How the three parts of utility are computed and added; the weights are normalised to sum 1."""

    popularity: NotNegative = 0.4
    cross_user: NotNegative = 0.4
    query: NotNegative = 0.2
    prior: NotNegative = 1.0
    half_life_days: Positive | None = None

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.popularity + self.cross_user + self.query <= 0:
            raise ValueError("at least one of popularity, cross_user and query must be above 0")
        return self


class Style(Section):
    """What says how stickers are drawn, and how a user's picks become style centroids.

    ``encoder = ""`` takes the vectors of ``[image]``. With ``apart`` what a sticker's words predict of its look is
    taken out, so that two pictures are alike when they are drawn alike, whatever they show.
    """

    encoder: str = ""
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    model_folder: Path | None = None
    apart: bool = True
    clusters: int = Field(default=5, ge=1, le=32)
    half_life_days: Positive | None = 45.0
    seed: int = 0


class Rating(Section):
    """Whether stickers are shown that somebody called unsafe; those that nobody rated always are.

    ``unsafe_for`` names users who see them even so. A search that asks for a rating gets it.
    """

    unsafe: bool = False
    unsafe_for: tuple[str, ...] = ()

    def shows_unsafe(self, user: str | None) -> bool:
        """Return whether a user, ``None`` for nobody in particular, sees unsafe stickers."""
        return self.unsafe or (user is not None and user in self.unsafe_for)


class Ranking(Section):
    """The weights of the answer.

    ``(bm25f + omega * a * words) * (1 + delta * a * exact) * (1 + beta * utility) * (1 + gamma * style)``, where
    ``exact`` and ``words`` are what people picked for the query and for its words, and ``a`` how far that counts for
    somebody with styles, see :mod:`persrv.ranking.affinity`.

    ``own`` is how far a person's own earlier picks count, by weights that each build learns, see
    :mod:`persrv.ranking.repeats`; 0 leaves them out, 1 takes the weights as they are. After ``own_half_life_days`` a
    pick counts half as much in that.

    ``gamma`` stays within [0, 1]: style lies in [-1, 1], and a larger one would turn scores negative, where more text
    would count for less.
    """

    beta: NotNegative = 0.5
    gamma: Fraction = 1.0
    omega: NotNegative = 2.0
    delta: NotNegative = 4.0
    own: NotNegative = 1.0
    own_half_life_days: Positive | None = 365.0
    pool: int = Field(default=500, ge=1, le=10_000)


class Variant(Section):
    """How the other ranking of a comparison differs from ``[ranking]``; what is left out is the same."""

    beta: NotNegative | None = None
    gamma: Fraction | None = None
    own: NotNegative | None = None
    pool: int | None = Field(default=None, ge=1, le=10_000)


class Compare(Section):
    """Two rankings compared on the people who search; ``name = ""`` compares nothing.

    ``interleave`` shows each user both rankings in one answer, ``ab`` each user one of them. With ``ab`` a user's
    searches are counted for ``window_days``, from the first one on.
    """

    name: Literal[""] | Name = ""
    method: Literal["interleave", "ab"] = "interleave"
    b: Variant = Variant()
    window_days: Positive = 7.0

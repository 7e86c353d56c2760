"""How far a collection may go from the fit of its index before it is fitted anew.

Three things that points take from the collection move as it changes, and each has a bound. What a page moves by at the
bounds is measured in docs/decisions/0031-change-in-place.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

LENGTHS = 0.1
"""Largest change of a field's average length, as a logarithm: a tenth. It moves a value of BM25F by at most ``b`` times
as much, so by less than 8 % in a field with the usual ``b = 0.75``."""

COUNT = 0.25
"""Largest change of the number of stickers, as a logarithm: a space fitted on four fifths of a collection is near that
of all of it."""

PICKS = math.log(2.5)
"""Largest growth of the number of picks, as a logarithm: by the scale of utility, which grows with the logarithm of
counts, a sticker picked a thousand times is worth an eighth more at most before the scale is taken anew."""


def growth(fitted: int, now: int) -> float:
    """Return the change of a number of stickers as a logarithm, >= 0."""
    return abs(math.log((now + 1) / (fitted + 1)))


def drift_of_lengths(fitted: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Return the largest change of a field's average length as a logarithm, >= 0.

    A field that nobody had when the fit was made counts as average whatever its length, which is no drift; neither is
    a field that nobody has any more.
    """
    both = fitted.keys() & now.keys()
    return max((abs(math.log(now[field] / fitted[field])) for field in both), default=0.0)

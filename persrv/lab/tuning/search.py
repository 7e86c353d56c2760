"""Coordinate search: one weight after the other, in a seeded order, keeping what is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from persrv.indexing.progress import Advance
from persrv.lab.tuning.knobs import proposals

LEAST = 1e-6
"""A smaller gain is none: it comes from the order of sums."""

Values = dict[str, float]


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where a search ended.

    Attributes:
        values: Key to value.
        objective: What they reach.
        trials: Settings that were tried, the first included.
        settled: Whether no single change helps any more; else the trials were used up.
    """

    values: Values
    objective: float
    trials: int
    settled: bool


def coordinate_search(
    start: Mapping[str, float],
    objective: Callable[[Values], float],
    *,
    trials: int,
    seed: int = 0,
    keys: Sequence[str] | None = None,
    advance: Advance = lambda done: None,
) -> Optimum:
    """Climb from a start: for each key in turn the best of its proposals is kept, until a whole round helps nothing.

    Args:
        start: Key to present value.
        objective: What to make large; deterministic.
        trials: How often ``objective`` may be called, >= 1.
        seed: Of the order in which keys are tried, drawn anew each round.
        keys: Which to change; default all.
        advance: Called after each trial.
    """
    known: dict[tuple[tuple[str, float], ...], float] = {}

    def tried(values: Values) -> float | None:
        key = tuple(sorted(values.items()))
        if key not in known:
            if len(known) >= trials:
                return None
            known[key] = objective(values)
            advance(1)
        return known[key]

    random = np.random.default_rng(seed)
    names = sorted(start if keys is None else keys)
    values = dict(start)
    reached = tried(values) or 0.0
    while True:
        before = reached
        for name in (names[at] for at in random.permutation(len(names))):
            base = values
            for proposal in proposals(name, base[name]):
                candidate = base | {name: proposal}
                value = tried(candidate)
                if value is None:
                    return Optimum(values, reached, len(known), settled=False)
                if value > reached + LEAST:
                    values, reached = candidate, value
        if reached <= before:
            return Optimum(values, reached, len(known), settled=True)

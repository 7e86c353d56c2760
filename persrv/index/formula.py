"""What a scoring formula consists of, independent of the engine that computes it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from persrv.errors import QueryError
from persrv.index.language import (
    AbsoluteValue,
    Division,
    Expression,
    Formula,
    PayloadNumber,
    Power,
    PrefetchScore,
    Product,
    Sum,
)

KNOWN_FORMULAS = 256
"""Formulas that are kept checked and translated: most searches of a collection have one of a few."""


def operands(expression: Expression) -> tuple[Expression, ...]:
    """Return the expressions directly inside one, in the order in which they are written."""
    match expression:
        case Sum(parts) | Product(parts):
            return parts
        case Division(left, right):
            return left, right
        case AbsoluteValue(part) | Power(part):
            return (part,)
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Go through an expression and everything inside it, what is around a part before the part."""
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += operands(part)


def defaults(expression: Expression) -> dict[str, float]:
    """Return the value of each variable for points that lack it, as Qdrant takes it."""
    found: dict[str, float] = {}
    for part in walk(expression):
        match part:
            case PrefetchScore(number, default):
                found[f"$score[{number}]"] = default
            case PayloadNumber(key, default):
                found[key] = default
    return found


@lru_cache(maxsize=KNOWN_FORMULAS)
def check_formula(formula: Formula, prefetches: int) -> None:
    """Refuse what Edge and the server refuse with a poor text or not before the first point lacks a value.

    Args:
        formula: What scores.
        prefetches: Number of prefetches whose scores it can read.

    Raises:
        QueryError: No prefetch to score, a score of a prefetch that is not there, or a number that is not finite.
    """
    if prefetches == 0:
        raise QueryError("the formula has no prefetch to score", "give at least one prefetch")
    for part in walk(formula.expression):
        match part:
            case PrefetchScore(number, default):
                if not 0 <= number < prefetches:
                    raise QueryError(
                        f"the formula reads the score of prefetch {number}, but has only {prefetches} prefetches",
                        "count them from 0",
                    )
                _check_number(f"the default of prefetch {number}", default)
            case PayloadNumber(key, default):
                _check_number(f"the default of {key}", default)
            case Power(exponent=value):
                _check_number("an exponent", value)
            case Division(by_zero=value):
                _check_number("the value of a division by 0", value)
            case float() | int():
                _check_number("a constant in the formula", part)


def _check_number(what: str, value: float) -> None:
    if not math.isfinite(value):
        raise QueryError(f"{what} is {value}", "use a finite number")

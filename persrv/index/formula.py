"""What a scoring formula consists of, independent of the engine that computes it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from qdrant_client import models as m

from persrv.errors import QueryError

_SCORE = re.compile(r"\$score(?:\[(\d+)\])?")


def operands(expression: m.Expression) -> list[m.Expression]:
    """Return the expressions directly inside one, in the order in which they are written."""
    match expression:
        case m.MultExpression(mult=parts) | m.SumExpression(sum=parts):
            return parts
        case m.MaxExpression(max=parts) | m.MinExpression(min=parts):
            return parts
        case m.NegExpression(neg=part) | m.AbsExpression(abs=part) | m.SqrtExpression(sqrt=part):
            return [part]
        case m.ExpExpression(exp=part) | m.LnExpression(ln=part) | m.Log10Expression(log10=part):
            return [part]
        case m.AcoshExpression(acosh=part):
            return [part]
        case m.DivExpression(div=division):
            return [division.left, division.right]
        case m.PowExpression(pow=power):
            return [power.base, power.exponent]
        case (
            m.LinDecayExpression(lin_decay=decay)
            | m.ExpDecayExpression(exp_decay=decay)
            | m.GaussDecayExpression(gauss_decay=decay)
        ):
            return [decay.x] if decay.target is None else [decay.x, decay.target]
        case _:
            return []


def walk(expression: m.Expression) -> Iterator[m.Expression]:
    """Go through an expression and everything inside it, outermost first."""
    yield expression
    for part in operands(expression):
        yield from walk(part)


def check_formula(query: m.FormulaQuery, prefetches: int) -> None:
    """Refuse what Edge and the server refuse with a poor text or not before the first point lacks a value.

    Args:
        query: The formula with its defaults.
        prefetches: Number of prefetches whose scores it can read.

    Raises:
        QueryError: No prefetch to score, a score of a prefetch that is not there, a variable without default, a number
            that is not finite, or a maximum of nothing.
    """
    defaults = query.defaults or {}
    if prefetches == 0:
        raise QueryError("the formula has no prefetch to score", "give at least one prefetch")
    for key, value in defaults.items():
        _check_number(f"default of {key}", value)
    for part in walk(query.formula):
        match part:
            case str():
                _check_variable(part, defaults, prefetches)
            case m.DatetimeKeyExpression(datetime_key=key):
                _check_variable(key, defaults, prefetches)
            case float() | int():
                _check_number("constant in the formula", part)
            case m.MaxExpression(max=[]) | m.MinExpression(min=[]):
                raise QueryError(f"{type(part).__name__} has no operand", "give it at least one")


def _check_variable(variable: str, defaults: Mapping[str, object], prefetches: int) -> None:
    score = _SCORE.fullmatch(variable)
    number = int(score[1] or 0) if score else None
    if number is not None and number >= prefetches:
        raise QueryError(
            f"the formula reads {variable}, but has only {prefetches} prefetches", "count the scores from $score[0]"
        )
    names = {variable, "$score", "$score[0]"} if number == 0 else {variable}
    if not names & set(defaults):
        raise QueryError(f"the formula reads {variable} without a default", f"add defaults={{{variable!r}: 0.0}}")


def _check_number(what: str, value: object) -> None:
    if isinstance(value, float | int) and not math.isfinite(value):
        raise QueryError(f"{what} is {value}", "use a finite number")

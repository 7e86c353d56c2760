"""Formulas of ``qdrant_client.models`` as those of Qdrant Edge."""

from __future__ import annotations

import qdrant_edge as edge
from qdrant_client import models as m

from persrv.index.edge_filter import to_edge_condition, untranslatable
from persrv.index.formula import operands


def to_edge_formula(query: m.FormulaQuery) -> edge.Formula:
    """Translate a formula with its defaults.

    Raises:
        QueryError: An expression that this engine is not asked for (geographic distance), by name.
    """
    return edge.Formula(_expression(query.formula), defaults=query.defaults or {})


def _expression(expression: m.Expression) -> edge.Expression:
    make = edge.Expression
    parts = [_expression(part) for part in operands(expression)]
    match expression:
        case str():
            return make.Variable(expression)
        case float() | int():
            return make.Constant(float(expression))
        case m.DatetimeExpression(datetime=time):
            return make.Datetime(time)
        case m.DatetimeKeyExpression(datetime_key=key):
            return make.DatetimeKey(key)
        case m.MultExpression():
            return make.Mult(parts)
        case m.SumExpression():
            return make.Sum(parts)
        case m.MaxExpression():
            return make.Max(parts)
        case m.MinExpression():
            return make.Min(parts)
        case m.NegExpression():
            return make.Neg(parts[0])
        case m.AbsExpression():
            return make.Abs(parts[0])
        case m.SqrtExpression():
            return make.Sqrt(parts[0])
        case m.ExpExpression():
            return make.Exp(parts[0])
        case m.LnExpression():
            return make.Ln(parts[0])
        case m.Log10Expression():
            return make.Log10(parts[0])
        case m.AcoshExpression():
            return make.Acosh(parts[0])
        case m.DivExpression(div=division):
            return make.Div(parts[0], parts[1], division.by_zero_default)
        case m.PowExpression():
            return make.Pow(parts[0], parts[1])
        case m.LinDecayExpression(lin_decay=decay):
            return _decay(edge.DecayKind.Lin, decay, parts)
        case m.ExpDecayExpression(exp_decay=decay):
            return _decay(edge.DecayKind.Exp, decay, parts)
        case m.GaussDecayExpression(gauss_decay=decay):
            return _decay(edge.DecayKind.Gauss, decay, parts)
        case m.GeoDistance():
            raise untranslatable(expression)
        case _:
            return make.Condition(to_edge_condition(expression))


def _decay(kind: edge.DecayKind, decay: m.DecayParamsExpression, parts: list[edge.Expression]) -> edge.Expression:
    target = None if decay.target is None else parts[1]
    return edge.Expression.Decay(kind, parts[0], target, decay.midpoint, decay.scale)

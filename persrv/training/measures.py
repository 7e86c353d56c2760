"""How well a description says what people type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from persrv.reading.describe.describer import Description
from persrv.text import normalise, tokenize
from persrv.training.queries import TrainingQuery


@dataclass(frozen=True, slots=True)
class Measures:
    """One sticker's figures, each in [0, 1].

    Attributes:
        keyword_recall: Share of what people typed, each query counted by its users, that is one of the keywords.
        keyword_precision: Share of the keywords that somebody typed; 0 without keywords.
        word_recall: Share of the different words typed that stand in keywords or description.
    """

    keyword_recall: float
    keyword_precision: float
    word_recall: float


def measure(description: Description | None, queries: Sequence[TrainingQuery]) -> Measures:
    """Compare what a model said with what people typed; spelling is folded as the search folds it.

    Args:
        description: ``None`` where the answer could not be read; that counts as saying nothing.
        queries: At least one.
    """
    if description is None:
        return Measures(0.0, 0.0, 0.0)
    keywords = {normalise(keyword) for keyword in description.keywords}
    typed = {normalise(query.text): query.users for query in reversed(queries)}
    found = sum(users for text, users in typed.items() if text in keywords)
    described = {token for phrase in (*description.keywords, description.description) for token in tokenize(phrase)}
    words = {token for query in queries for token in tokenize(query.text)}
    return Measures(
        found / sum(typed.values()),
        len(keywords & typed.keys()) / len(keywords) if keywords else 0.0,
        len(words & described) / len(words) if words else 0.0,
    )

"""Asks several systems the same questions and lines the answers up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from persrv.indexing.progress import Progress, Silent
from persrv.lab.evaluation.intervals import Gain, holm
from persrv.lab.evaluation.results import EvaluationQuery, Judged, gain, judge
from persrv.lab.evaluation.systems import System

DEPTH = 50
"""Answers asked for: the largest cutoff."""

Answers = Mapping[str, Sequence[Judged]]
"""System's name to its judged answers, one a question."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One system against another.

    Attributes:
        better: The system whose gain it is.
        worse: What it is compared with.
        gain: Of the mean over groups.
        p: The sign-flip test's p-value, corrected for all comparisons made together.
    """

    better: str
    worse: str
    gain: Gain
    p: float


def ask(systems: Sequence[System], questions: Sequence[EvaluationQuery], progress: Progress | None = None) -> Answers:
    """Ask every system every question.

    Args:
        systems: With different names.
        questions: In any order; the answers keep it.
        progress: Shows how far it is.
    """
    answers: dict[str, list[Judged]] = {}
    with (progress or Silent()).stage("asking", len(systems) * len(questions)) as advance:
        for system in systems:
            answers[system.name] = []
            for question in questions:
                ranking = system.rank(question.query, question.user, DEPTH)
                answers[system.name].append(judge(question, ranking))
                advance(1)
    return answers


def compare(answers: Answers, pairs: Sequence[tuple[str, str]], metric: str, *, seed: int = 0) -> list[Compared]:
    """Return the gain of each pair's first system over its second, p-values corrected by Holm's method.

    Raises:
        QueryError: The metric was not measured.
    """
    gains = [gain(answers[better], answers[worse], metric, seed=seed) for better, worse in pairs]
    corrected = holm({f"{at:06}": found.p for at, found in enumerate(gains)}).values()
    return [Compared(*pair, found, p) for pair, found, p in zip(pairs, gains, corrected, strict=True)]

"""Two small learners of a ranking: logistic regression and boosted trees (LambdaMART)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from persrv.errors import MissingExtraError, MissingLibraryError, QueryError
from persrv.lab.learned.features import FEATURES, Candidates, Parts, RankingExamples
from persrv.ranking.formula import order

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]
"""From features, shape (m, 11), to scores, shape (m,)."""

PartScore = Callable[[Parts], Floats]
"""From the candidates of one question to scores, shape (m,)."""

TREES, LEAVES, RATE, FEWEST = 100, 7, 0.05, 20
"""Of LambdaMART: small, since some hundred questions are all there is to learn from."""


@dataclass(frozen=True, slots=True)
class LearnedRanking:
    """A learnt ranking.

    Attributes:
        score: What it is ordered by.
        weights: Feature to what it counts: a standardised coefficient, or its share of the trees' gain.
    """

    score: Score
    weights: dict[str, float]

    def of_parts(self, parts: Parts) -> Floats:
        """Return the scores of one question's candidates, shape (m,)."""
        return self.score(parts.features)


@dataclass(frozen=True, slots=True)
class Learned:
    """A system that orders the formula's candidates by another score.

    Attributes:
        name: What reports call it.
        candidates: Of the collection as it is when asked.
        score: Learnt before.
    """

    name: str
    candidates: Candidates
    score: PartScore

    def rank(self, query: str, user: str, k: int) -> list[str]:
        """Return the ids of the ``k`` best candidates; equal scores are ordered by id."""
        parts = self.candidates.of(query, user)
        if not len(parts.rows):
            return []
        ids = [self.candidates.view.material.ids[row] for row in parts.rows]
        return [ids[at] for at in order(self.score(parts), ids)[:k]]


def logistic(known: RankingExamples) -> LearnedRanking:
    """Fit a logistic regression of being picked on standardised features, with an L2 penalty of 1.

    Args:
        known: At least one question.

    Raises:
        QueryError: There is nothing to learn from.
        MissingExtraError: scikit-learn is not installed.
    """
    _check(known)
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtraError("learning to rank", "evaluate") from error
    middle, spread = known.features.mean(axis=0), known.features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    fitted = LogisticRegression(max_iter=1000).fit((known.features - middle) / spread, known.picked)
    slopes = np.asarray(fitted.coef_[0], dtype=np.float64)
    weights = dict(zip(FEATURES, slopes.tolist(), strict=True))
    return LearnedRanking(lambda features: np.asarray((features - middle) / spread @ slopes), weights)


def boosted_trees(known: RankingExamples, rising: Collection[str] = (), seed: int = 0) -> LearnedRanking:
    """Fit LambdaMART: boosted trees whose gradients are those of nDCG (Burges, MSR-TR-2010-82).

    Args:
        known: At least one question.
        rising: Features that may never lower the score, other things equal.
        seed: >= 0.

    Raises:
        QueryError: There is nothing to learn from, or ``rising`` names an unknown feature.
        MissingExtraError: LightGBM is not installed.
        MissingLibraryError: This machine has no OpenMP library.
    """
    _check(known)
    if unknown := sorted(set(rising) - set(FEATURES)):
        raise QueryError(f"there is no feature {unknown[0]!r}", f"use some of {', '.join(FEATURES)}")
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("learning to rank", "evaluate") from error
    except OSError as error:
        raise MissingLibraryError(
            f"LightGBM cannot be loaded: {error}",
            "install OpenMP: apt-get install libgomp1, dnf install libgomp, or brew install libomp",
        ) from error
    settings = {
        "objective": "lambdarank",
        "num_leaves": LEAVES,
        "learning_rate": RATE,
        "min_data_in_leaf": FEWEST,
        "monotone_constraints": [int(name in rising) for name in FEATURES],
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    table = lightgbm.Dataset(known.features, known.picked.astype(np.int64), group=known.sizes)
    fitted = lightgbm.train(settings, table, TREES)
    gains = np.asarray(fitted.feature_importance("gain"), dtype=np.float64)
    weights = dict(zip(FEATURES, (gains / max(float(gains.sum()), 1e-12)).tolist(), strict=True))
    return LearnedRanking(
        lambda features: np.asarray(fitted.predict(features, num_threads=1), dtype=np.float64), weights
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Let matrix products use one thread meanwhile: with several, the last bit of a sum depends on their number.

    Raises:
        MissingExtraError: scikit-learn, which brings threadpoolctl, is not installed.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("learning to rank", "evaluate") from error
    with threadpool_limits(limits=1):
        yield


def shuffled(known: RankingExamples, seed: int = 0) -> RankingExamples:
    """Return the lessons with picks given to any candidate of their question: there is nothing in them to learn."""
    random = np.random.default_rng(seed)
    picked, ends = known.picked.copy(), np.cumsum(known.sizes)
    for start, end in zip(ends - known.sizes, ends, strict=True):
        picked[start:end] = random.permutation(picked[start:end])
    return replace(known, picked=picked)


def _check(known: RankingExamples) -> None:
    if not len(known.sizes):
        raise QueryError("no question has its answer among the candidates", "learn from more picks")

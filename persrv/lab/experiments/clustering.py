"""How should a user's picks be clustered, and into how many styles?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persrv.errors import MissingExtraError
from persrv.lab.evaluation import results
from persrv.lab.evaluation.compare import Answers, Compared, compare
from persrv.lab.evaluation.systems import System, ours
from persrv.lab.evaluation.view import View, seen
from persrv.lab.experiments.bench import METRIC, PEOPLE, Bench, ExperimentSettings, World
from persrv.lab.reports.report import Plot, Report, Table, gained, sentences, spread, verdict
from persrv.ranking.clustering import choose_labels, spherical_kmeans
from persrv.ranking.profile import StyleProfile

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Cluster = Callable[[Floats, int, int], Labels]
"""From unit vectors, shape (m, d), a number of clusters and a seed to labels, shape (m,); -1 belongs nowhere."""

MOST = 10
CHOSEN, ONE = "spherical k-means, k by silhouette", "k = 1"


def run(bench: Bench, settings: ExperimentSettings) -> Report:
    """Fit every user's profile in every way; everything else stays as it is."""
    methods = _methods()
    answers = bench.ask_all(bench.worlds(settings), lambda world: _systems(world, methods))
    found = {name: results.mean_interval(judged, METRIC, seed=settings.seed) for name, judged in answers.items()}
    rivals = [name for name in answers if name not in (CHOSEN,)]
    compared = compare(answers, [(CHOSEN, name) for name in rivals], METRIC, seed=settings.seed)
    best = max(found, key=lambda name: found[name].mean)
    return Report(
        "clustering",
        "Clustering of picks: method and number of styles",
        "",
        (
            *PEOPLE,
            "Each method groups the style vectors of a user's training picks; a style's centroid is the direction of "
            "its members' sum, its weight their number over the largest. No pick fades, so that only the clustering "
            "differs. HDBSCAN (at least three members) finds the number of styles itself; who has no cluster gets one "
            "style.",
        ),
        (
            Table("Every method", ("method", METRIC), tuple((name, spread(one)) for name, one in found.items())),
            gained(compared, "The silhouette's choice over the others", METRIC),
        ),
        (_plot(answers, methods, settings.seed),),
        (
            f"Best on average: {best} ({found[best].mean:.4f}); persrv's default has {found[CHOSEN].mean:.4f}.",
            f"{_tally(compared)}.",
            *sentences([one for one in compared if one.worse in (ONE, "HDBSCAN")], METRIC),
        ),
        {"k": f"1 to {MOST}"},
    )


def _tally(compared: Sequence[Compared]) -> str:
    verdicts = Counter(verdict(one) for one in compared)
    summary = ", ".join(f"{verdicts[name]} times {name}" for name in ("better", "worse", "no difference shown"))
    return f"{CHOSEN}, against the other {len(compared)}: {summary}"


def _methods() -> dict[str, Cluster]:
    try:
        from sklearn import cluster, mixture
    except ImportError as error:
        raise MissingExtraError("comparing clusterings", "evaluate") from error

    def kmeans(make: Callable[..., Any], vectors: Floats, k: int, seed: int) -> Labels:
        return np.asarray(make(n_clusters=k, n_init=4, random_state=seed).fit_predict(vectors), dtype=np.int64)

    def gaussians(vectors: Floats, k: int, seed: int) -> Labels:
        # A user has fewer picks than dimensions: one variance a cluster is all that can be fitted.
        model = mixture.GaussianMixture(k, covariance_type="spherical", random_state=seed, reg_covar=1e-4)
        return np.asarray(model.fit_predict(vectors), dtype=np.int64)

    def tree(vectors: Floats, k: int, seed: int) -> Labels:
        model = cluster.AgglomerativeClustering(k, metric="cosine", linkage="average")
        return np.asarray(model.fit_predict(vectors), dtype=np.int64)

    return {
        "k-means": partial(kmeans, cluster.KMeans),
        "spherical k-means": lambda vectors, k, seed: spherical_kmeans(vectors, np.ones(len(vectors)), k, seed)[0],
        "mini-batch k-means": partial(kmeans, partial(cluster.MiniBatchKMeans, batch_size=256)),
        "Gaussian mixture": gaussians,
        "agglomerative": tree,
    }


def _density(vectors: Floats, k: int, seed: int) -> Labels:
    from sklearn.cluster import HDBSCAN

    if len(vectors) < 3:
        return np.zeros(len(vectors), dtype=np.int64)
    return np.asarray(HDBSCAN(min_cluster_size=3, copy=True).fit_predict(vectors), dtype=np.int64)


def _by_silhouette(vectors: Floats, k: int, seed: int) -> Labels:
    return choose_labels(vectors, np.ones(len(vectors)), k, seed)


def _systems(world: World, methods: Mapping[str, Cluster]) -> list[System]:
    view = world.view
    found: list[System] = [
        ours(view, name=CHOSEN, profiles=_profiles(view, _by_silhouette, view.style.clusters, world.seed)),
        ours(view, name="HDBSCAN", profiles=_profiles(view, _density, 0, world.seed)),
        ours(view, name=ONE, profiles=_profiles(view, lambda v, k, s: np.zeros(len(v), np.int64), 1, world.seed)),
    ]
    for name, method in methods.items():
        for k in range(2, MOST + 1):
            found.append(ours(view, name=f"{name}, k = {k}", profiles=_profiles(view, method, k, world.seed)))
    return found


def _profiles(view: View, method: Cluster, k: int, seed: int) -> dict[str, StyleProfile]:
    fitted = {}
    for user, picks in view.history.items():
        vectors, _ = seen(view.material, view.material.style_vectors, picks)
        distinct = len(np.unique(vectors, axis=0)) if len(vectors) else 0
        if distinct:
            labels = method(vectors, min(k, distinct), seed) if distinct > 1 else np.zeros(len(vectors), np.int64)
            fitted[user] = profile_of_clusters(vectors, labels)
    return fitted


def profile_of_clusters(vectors: Floats, labels: Labels) -> StyleProfile:
    """Return the profile whose styles are the clusters, largest first; where nothing has one, all are one style.

    Args:
        vectors: Unit rows, shape (m, d), m >= 1.
        labels: Shape (m,), -1 for rows that belong nowhere.
    """
    known = labels if (labels >= 0).any() else np.zeros_like(labels)
    names = [name for name in np.unique(known) if name >= 0]
    groups = sorted((vectors[known == name] for name in names), key=len, reverse=True)
    return StyleProfile(np.stack([group.sum(axis=0) for group in groups]), np.array([float(len(g)) for g in groups]), 0)


def _plot(answers: Answers, methods: Mapping[str, Cluster], seed: int) -> Plot:
    steps = range(1, MOST + 1)
    found = {name: results.mean_interval(judged, METRIC, seed=seed).mean for name, judged in answers.items()}
    curves = {name: [found[ONE if k == 1 else f"{name}, k = {k}"] for k in steps] for name in methods}
    for level in (CHOSEN, "HDBSCAN"):
        curves[level] = [found[level]] * MOST
    return Plot("How many styles", "k", METRIC, tuple(str(k) for k in steps), curves)

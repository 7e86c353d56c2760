from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import silhouette_score

from persrv.ranking.clustering import RESTARTS, choose_labels, silhouette, spherical_kmeans
from persrv.ranking.profile import unit

E = np.eye(4)
rows = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (n, 4), elements=st.floats(-1, 1, width=32)))


def groups(*sizes: int, spread: float = 0.1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit(np.vstack([E[i] + rng.normal(0, spread, (size, 4)) for i, size in enumerate(sizes)]))


def test_kmeans_finds_separate_directions() -> None:
    labels, objective = spherical_kmeans(groups(5, 5, 5), np.ones(15), 3, seed=0)
    assert [len(set(labels[i : i + 5])) for i in (0, 5, 10)] == [1, 1, 1]
    assert len(set(labels)) == 3
    assert objective > 14


def test_kmeans_with_fewer_directions_than_clusters() -> None:
    labels, objective = spherical_kmeans(np.stack([E[0], E[0], E[1]]), np.ones(3), 3, seed=0)
    assert len(set(labels.tolist())) == 2
    assert objective == pytest.approx(3.0)


@pytest.mark.parametrize(("people", "picks", "spread"), [(40, 12, 0.3), (20, 60, 0.5), (10, 60, 2.0)])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_all_starts_at_once_give_what_one_after_another_gives(people: int, picks: int, spread: float, k: int) -> None:
    rng = np.random.default_rng(picks)
    for seed in range(people):
        vectors = unit(E[rng.integers(0, 4, picks)] + rng.normal(0, spread, (picks, 4)))
        mass = np.exp2(-4 * rng.random(picks))
        labels, objective = spherical_kmeans(vectors, mass, k, seed)
        expected, best = one_after_another(vectors, mass, k, seed)
        assert np.array_equal(labels, expected)
        assert objective == pytest.approx(best)


def one_after_another(vectors: np.ndarray, mass: np.ndarray, k: int, seed: int) -> tuple[np.ndarray, float]:
    """Spherical k-means as its paper writes it, with k-means++ starts drawn by NumPy."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(RESTARTS if k > 1 else 1):
        chosen = [rng.choice(len(vectors), p=mass / mass.sum())]
        while len(chosen) < k:
            far = np.clip(1 - (vectors @ vectors[chosen].T).max(axis=1), 0, None) * mass
            chosen.append(rng.choice(len(vectors), p=far / far.sum()))
        centroids, labels = vectors[chosen], np.full(len(vectors), -1)
        while not np.array_equal(labels, new := (vectors @ centroids.T).argmax(axis=1)):
            labels = new
            for c in set(labels):
                centroids[c] = unit(mass[labels == c] @ vectors[labels == c])
        found.append((labels, float(mass @ (vectors @ centroids.T).max(axis=1))))
    return max(found, key=lambda one: round(one[1], 9))


def test_a_centroid_whose_rows_leave_or_cancel_out_stays() -> None:
    opposite = np.stack([E[0], -E[0], E[1], E[1]])
    labels, objective = spherical_kmeans(opposite, np.ones(4), 2, seed=0)
    assert np.isfinite(objective) and labels[2] == labels[3]


@given(rows, st.integers(0, 3))
def test_silhouette_agrees_with_scikit_learn(vectors: np.ndarray, seed: int) -> None:
    # Distances near the precision of doubles are noise, whose ratios the two sum up differently.
    points = unit(np.round(vectors, 2) + 0.01 * np.ones(4))
    labels = np.random.default_rng(seed).integers(0, 3, len(points))
    if 2 <= len(np.unique(labels)) < len(points):
        distance = np.clip(1 - points @ points.T, 0, None) * (1 - np.eye(len(points)))
        expected = silhouette_score(distance, labels, metric="precomputed")
        assert silhouette(points, labels) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("sizes", "styles"), [((8,), 1), ((8, 8), 2), ((6, 6, 6), 3), ((1, 1), 1), ((3,), 1), ((2, 2), 2)]
)
def test_the_data_choose_the_number_of_styles(sizes: tuple[int, ...], styles: int) -> None:
    points = groups(*sizes, spread=0.05)
    assert len(set(choose_labels(points, np.ones(len(points)), most=5, seed=0).tolist())) == styles


@settings(max_examples=50, deadline=None)
@given(rows, st.integers(1, 6))
def test_the_chosen_split_is_the_best_of_all_that_kmeans_finds(vectors: np.ndarray, most: int) -> None:
    points = unit(np.round(vectors, 2) + 0.01 * np.ones(4))
    mass = np.ones(len(points))
    labels = choose_labels(points, mass, most, seed=1)
    assert len(np.unique(labels)) <= most
    if len(np.unique(labels)) > 1:
        scores = []
        for k in range(2, min(most, len(points) - 1) + 1):
            split, _ = spherical_kmeans(points, mass, k, seed=1)
            if len(np.unique(split)) < k:
                break
            scores.append(silhouette(points, split))
        assert silhouette(points, labels) == pytest.approx(max(scores))

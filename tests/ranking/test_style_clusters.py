from __future__ import annotations

import numpy as np
import pytest

from persrv.ranking.profile import unit
from persrv.ranking.style_clusters import (
    MOST_NEAR,
    NEAR,
    NEAREST,
    cluster_of,
    cluster_similarity,
    far_similarity,
    fit_clusters,
    near_clusters,
    sampled,
)

AXES = np.eye(4)


def test_groups_of_directions_are_found() -> None:
    rng = np.random.default_rng(0)
    rows = unit(np.repeat(AXES, 50, axis=0) + 0.1 * rng.normal(size=(200, 4)))
    found = fit_clusters(rows, seed=1, count=4)
    assert sorted(np.abs(found).argmax(axis=1).tolist()) == [0, 1, 2, 3]
    assert np.abs(found @ found.T - np.eye(4)).max() < 0.1
    assert len({cluster_of(row, found) for row in rows[:50]}) == 1
    assert (fit_clusters(rows, seed=1, count=4) == found).all()


def test_there_are_no_more_clusters_than_directions() -> None:
    assert len(fit_clusters(np.repeat(AXES[:2], 5, axis=0), seed=0, count=6)) == 2
    assert len(fit_clusters(np.zeros((3, 4)), seed=0)) == 0


def test_a_direction_is_of_length_1_however_little_its_stickers_have_in_common() -> None:
    apart = np.array([[np.cos(a), np.sin(a)] for a in (0.0, np.radians(150))])
    # The two add up to a length of 0.5.
    np.testing.assert_allclose(fit_clusters(apart, seed=0, count=1), [[0.2588, 0.9659]], atol=1e-4)
    # Nothing is left of two that are opposite: the direction stays the one that it began with.
    assert np.abs(fit_clusters(np.array([[1.0, 0.0], [-1.0, 0.0]]), seed=0, count=1)).tolist() == [[1.0, 0.0]]


def test_a_small_collection_has_no_clusters_and_a_large_one_is_sampled_evenly() -> None:
    ids = [f"{n:05d}" for n in range(10_000)]
    assert len(sampled(ids[:-1])) == 0
    assert sampled(ids) == ids
    assert sampled(ids + ids) == (ids + ids)[::2]
    assert len(sampled(ids + ids + ids[:-1])) == 15_000


def test_a_sticker_without_a_picture_is_in_none() -> None:
    clusters = AXES.astype(np.float32)
    assert cluster_of(np.zeros(4), clusters) is None
    assert cluster_of(None, clusters) is None
    assert cluster_of(AXES[2], clusters[:0]) is None
    assert cluster_of(AXES[2], clusters) == 2


def test_clusters_near_a_user_are_those_of_their_styles() -> None:
    clusters = AXES.astype(np.float32)
    styles, weights = AXES[[1, 3]], np.array([1.0, 0.5])
    assert near_clusters(cluster_similarity(styles, weights, clusters)) == (1, 3)
    assert near_clusters(cluster_similarity(styles, np.array([1.0, 0.1]), clusters)) == (1,)
    assert near_clusters(cluster_similarity(styles[:0], weights[:0], clusters)) == ()
    assert far_similarity(cluster_similarity(styles, weights, clusters), (1,), 4) == pytest.approx(min(1.0, 0.5 + 1.0))
    assert far_similarity(cluster_similarity(styles, weights, clusters), (0, 1, 2, 3), 4) == 0.0


def test_few_clusters_are_near_however_many_styles_somebody_has() -> None:
    clusters = np.eye(100, dtype=np.float32)
    styles = np.eye(100)
    weights = np.linspace(1.0, 0.81, 100)
    assert near_clusters(cluster_similarity(styles, weights, clusters)) == tuple(range(MOST_NEAR))
    weights = np.where(np.arange(100) == 5, 1.0, NEAR)
    assert near_clusters(cluster_similarity(styles[[5, 7]], weights[[5, 7]], clusters)) == (5, 7)
    assert near_clusters(cluster_similarity(styles[[5, 7]], np.array([1.0, NEAR - 0.01]), clusters)) == (5,)


def test_nearness_is_measured_against_the_nearest_cluster() -> None:
    assert near_clusters(np.array([0.01, 0.5, 0.5 * NEAR + 0.01, 0.5 * NEAR - 0.01])) == (1, 2)
    assert near_clusters(np.array([0.5, 0.5 * NEAREST + 0.01, 0.5 * NEAREST - 0.01]), NEAREST) == (0, 1)


def test_what_is_far_is_bounded_by_its_clusters_direction_and_chance() -> None:
    clusters = np.eye(100, dtype=np.float32)
    styles, weights = np.eye(100)[[0, 1]], np.array([1.0, 0.5])
    assert far_similarity(cluster_similarity(styles, weights, clusters), (0,), 100) == pytest.approx(0.5 + 0.2)
    assert far_similarity(cluster_similarity(styles, weights, clusters), (0, 1), 100) == pytest.approx(0.2)
    assert far_similarity(cluster_similarity(-styles, weights, clusters), (0, 1), 100) == pytest.approx(0.2)
    assert far_similarity(cluster_similarity(styles, weights, clusters), (), 100) == 1.0


def test_a_start_that_covers_all_directions_ends_and_rounds() -> None:
    rows = unit(np.random.default_rng(3).normal(size=(60, 4)))
    found = fit_clusters(rows, seed=2, count=5)
    assert found.shape == (5, 4)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.round(found, 4))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=2e-4)
    # Every direction is the mean of those that are nearest to it: Lloyd's steps came to their end.
    labels = (rows.astype(np.float32) @ found.T).argmax(axis=1)
    for number in range(5):
        np.testing.assert_allclose(found[number], unit(rows[labels == number].sum(axis=0)[None])[0], atol=2e-3)
    assert len(fit_clusters(rows, seed=2)) == 60
    assert len(fit_clusters(rows[:1], seed=2, count=3)) == 1

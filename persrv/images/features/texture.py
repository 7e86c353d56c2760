"""The grain of a drawing at several scales."""

from __future__ import annotations

import numpy as np

from persrv.images.features.group import FeatureGroup, Values, weighted_mean
from persrv.images.features.raster import Plane, Raster

_LIGHTER = 0.012
_NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_OCTAVES = 4
_FAINTEST = 1e-3


def _patterns(raster: Raster) -> Values:
    """Rotation-invariant uniform local binary patterns (Ojala, Pietikäinen & Mäenpää 2002), with a threshold."""
    plane, side = raster.grounded[0], raster.alpha.shape[0]
    centre = plane[1:-1, 1:-1]
    lighter = np.stack([plane[1 + y : side - 1 + y, 1 + x : side - 1 + x] - centre > _LIGHTER for y, x in _NEIGHBOURS])
    changes = (lighter != np.roll(lighter, 1, axis=0)).sum(axis=0)
    code = np.where(changes <= 2, lighter.sum(axis=0), 9)
    weights = raster.alpha[1:-1, 1:-1].ravel().astype(np.float64)
    total = max(float(weights.sum()), 1e-12)
    return (np.bincount(code.ravel(), weights, 10) / total).astype(np.float32)


def _bands(raster: Raster) -> Values:
    """Absolute differences from a binomial blur, octave by octave (Burt & Adelson 1983)."""
    plane, alpha = raster.grounded[0], raster.alpha
    values: list[float] = []
    for _ in range(_OCTAVES):
        blurred = _blur(plane)
        band = np.abs(plane - blurred)
        size = weighted_mean(band, alpha)
        energy = weighted_mean(band * band, alpha) ** 0.5
        values += [np.log10(size + _FAINTEST) / 3 + 1, size / (energy + 1e-4)]
        plane, alpha = _half(blurred), _half(alpha)
    return np.array(values, np.float32)


def _blur(plane: Plane) -> Plane:
    padded = np.pad(plane, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16, np.float32)


def _half(plane: Plane) -> Plane:
    quads = plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]
    return np.asarray(quads / 4, np.float32)


GROUPS = (
    FeatureGroup(
        "patterns",
        (
            *(f"share of pixels with {count} of 8 neighbours lighter, all in one run" for count in range(9)),
            "share of pixels whose lighter neighbours are in several runs",
        ),
        0,
        1,
        _patterns,
    ),
    FeatureGroup(
        "bands",
        tuple(
            f"{what} of lightness detail of about {2**octave} pixels"
            for octave in range(_OCTAVES)
            for what in ("logarithm of the mean amount", "evenness (mean over root mean square)")
        ),
        0,
        1,
        _bands,
    ),
)

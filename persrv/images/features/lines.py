"""How a drawing style has its contour, its edges and its shading."""

from __future__ import annotations

import numpy as np

from persrv.images.features.group import FeatureGroup, Values, histogram, weighted_mean
from persrv.images.features.raster import Plane, Raster

_RINGS = (1, 2, 3, 4, 5, 7)
_DARK = 0.35
_INSIDE = 3
"""Depth from which a pixel's gradient is free of the contour."""
_STEPS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.3)
_SMOOTH = 0.03
_SLOPE = 0.001
_SHADING_GAIN = 50.0


def _contour(raster: Raster) -> Values:
    lightness = float((raster.lightness * raster.alpha).sum()) / raster.total
    chroma = float((raster.chroma * raster.alpha).sum()) / raster.total
    values: list[float] = []
    for depth in _RINGS:
        ring = raster.depth == depth
        if not ring.any():
            values += [0.0, 0.0, 0.0, 0.0]
            continue
        light = raster.lightness[ring]
        values += [
            float(light.mean()) - lightness,
            float(light.std()),
            float(raster.chroma[ring].mean()) - chroma,
            float((light < _DARK).mean()),
        ]
    return np.array(values, np.float32)


def _gradient(plane: Plane) -> tuple[Plane, Plane]:
    """Return central differences down and to the right, per pixel; edges repeat the outermost pixels."""
    padded = np.pad(plane, 1, mode="edge")
    half = np.float32(0.5)
    return half * (padded[2:, 1:-1] - padded[:-2, 1:-1]), half * (padded[1:-1, 2:] - padded[1:-1, :-2])


def _edges_and_shading(raster: Raster) -> Values:
    inside = raster.depth >= _INSIDE
    if not inside.any():
        return np.zeros(2 * len(_STEPS) + 9, np.float32)
    (down, right), red, yellow = (_gradient(plane) for plane in raster.grounded)
    light = np.hypot(down, right)
    colour = np.sqrt(red[0] ** 2 + red[1] ** 2 + yellow[0] ** 2 + yellow[1] ** 2)
    both = np.hypot(light, colour)
    ones = np.ones(int(inside.sum()), np.float32)
    smooth = (inside & (both < _SMOOTH)).astype(np.float32)
    slopes = [weighted_mean((slope > _SLOPE).astype(np.float32), smooth) for slope in (down, -down, right, -right)]
    gains = [_SHADING_GAIN * weighted_mean(plane, smooth) for plane in (light, down, right, colour)]
    shading = [float(smooth.sum()) / ones.size, *gains[:3], *slopes, gains[3]]
    return np.concatenate(
        [histogram(both[inside], ones, _STEPS), histogram(colour[inside], ones, _STEPS), shading]
    ).astype(np.float32)


GROUPS = (
    FeatureGroup(
        "contour",
        tuple(
            f"{what} at depth {depth}"
            for depth in _RINGS
            for what in (
                "mean lightness minus the drawing's",
                "standard deviation of lightness",
                "mean chroma minus the drawing's",
                "share of lightness below 0.35",
            )
        ),
        -1,
        1,
        _contour,
    ),
    FeatureGroup(
        "edges",
        (
            *(f"share of inner pixels whose colour changes by about {step} a pixel" for step in _STEPS),
            *(f"share of inner pixels whose red and yellow change by about {step} a pixel" for step in _STEPS),
            "share of inner pixels that are smooth (change below 0.03 a pixel)",
            "50 × mean change of lightness in smooth places",
            "50 × mean change of lightness downwards in smooth places",
            "50 × mean change of lightness to the right in smooth places",
            "share of smooth places that get lighter downwards",
            "share of smooth places that get darker downwards",
            "share of smooth places that get lighter to the right",
            "share of smooth places that get darker to the right",
            "50 × mean change of red and yellow in smooth places",
        ),
        -1.5,
        1.5,
        _edges_and_shading,
    ),
)

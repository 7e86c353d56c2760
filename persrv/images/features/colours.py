"""Which colours a drawing style uses, and how many, whatever is drawn."""

from __future__ import annotations

import numpy as np

from persrv.images.features.group import FeatureGroup, Values, histogram, joint_histogram
from persrv.images.features.raster import Raster

_CHROMA = (0.0, 0.02, 0.05, 0.09, 0.13, 0.17, 0.21, 0.26)
_LIGHT_ROWS = (0.1, 0.3, 0.5, 0.65, 0.8, 0.95)
_CHROMA_COLUMNS = (0.0, 0.04, 0.1, 0.16, 0.24)
_OPPONENT = (-0.16, -0.08, 0.0, 0.08, 0.16)
_HUES = 12
_COLOURFUL = 0.05
"""Mean chroma from which a picture's hue counts in full; the hue of a grey picture is noise."""
_LARGEST = 8
_NEARLY_SOLID = 0.95
_INK = 0.45
_INK_RAMP = 0.2


def _chroma(raster: Raster) -> Values:
    return histogram(raster.chroma.ravel(), raster.alpha.ravel(), _CHROMA)


def _tone(raster: Raster) -> Values:
    lightness, chroma = raster.lightness.ravel(), raster.chroma.ravel()
    return joint_histogram(lightness, chroma, raster.alpha.ravel(), _LIGHT_ROWS, _CHROMA_COLUMNS)


def _opponent(raster: Raster) -> Values:
    red, yellow = raster.red.ravel(), raster.yellow.ravel()
    return np.sqrt(joint_histogram(red, yellow, raster.alpha.ravel(), _OPPONENT, _OPPONENT))


def _hue(raster: Raster) -> Values:
    weights = (raster.alpha * raster.chroma).ravel().astype(np.float64)
    total = float(weights.sum())
    if total == 0:
        return np.zeros(_HUES + 3, np.float32)
    angle = np.arctan2(raster.yellow, raster.red).ravel().astype(np.float64)
    position = (angle / (2 * np.pi) * _HUES) % _HUES
    bins = position.astype(np.int64) % _HUES
    share = position - np.floor(position)
    sums = np.bincount(bins, weights * (1 - share), _HUES)
    shares = (sums + np.bincount((bins + 1) % _HUES, weights * share, _HUES)) / total
    used = shares[shares > 0]
    spread = float(-(used * np.log(used)).sum() / np.log(_HUES))
    one_sided = [abs(complex((weights * np.exp(1j * order * angle)).sum())) / total for order in (1, 2)]
    colourful = min(1.0, total / raster.total / _COLOURFUL)
    return np.concatenate([shares * colourful, one_sided, [spread]]).astype(np.float32)


def _palette(raster: Raster) -> Values:
    """Return the shares of the largest cells of a grid of 16 x 25 x 25 steps per unit of Oklab."""
    solid = raster.alpha > _NEARLY_SOLID
    answer = np.zeros(_LARGEST, np.float32)
    if solid.any():
        light = np.floor(raster.lightness[solid] * 16).astype(np.int64)
        red = np.floor((raster.red[solid] + 0.4) * 25).astype(np.int64)
        yellow = np.floor((raster.yellow[solid] + 0.4) * 25).astype(np.int64)
        _, counts = np.unique(light * 1024 + red * 32 + yellow, return_counts=True)
        largest = np.sort(counts)[::-1][:_LARGEST]
        answer[: largest.size] = largest / counts.sum()
    return answer


def _ink(raster: Raster) -> Values:
    weights = raster.alpha * np.clip((_INK - raster.lightness) / _INK_RAMP, 0, 1)
    total = float(weights.sum())
    if total == 0:
        return np.zeros(5, np.float32)
    planes = (raster.chroma, raster.lightness, raster.red * 5, raster.yellow * 5)
    return np.array([total / raster.total, *(float((plane * weights).sum()) / total for plane in planes)], np.float32)


GROUPS = (
    FeatureGroup("chroma", tuple(f"share of chroma near {c:.2f}" for c in _CHROMA), 0, 1, _chroma),
    FeatureGroup(
        "tone",
        tuple(
            f"share of lightness near {row:.2f} with chroma near {c:.2f}"
            for row in _LIGHT_ROWS
            for c in _CHROMA_COLUMNS
        ),
        0,
        1,
        _tone,
    ),
    FeatureGroup(
        "opponent",
        tuple(f"square root of the share of red {r:+.2f}, yellow {y:+.2f}" for r in _OPPONENT for y in _OPPONENT),
        0,
        1,
        _opponent,
    ),
    FeatureGroup(
        "hue",
        (
            *(f"share of the hue near {360 // _HUES * number}°, weighted by chroma" for number in range(_HUES)),
            "how one-sided the hues are (length of the mean direction)",
            "how much the hues lie on one axis (the same for doubled angles)",
            "spread of the hues (entropy divided by its largest value)",
        ),
        0,
        1,
        _hue,
    ),
    FeatureGroup(
        "palette",
        tuple(f"share of the {number}. most frequent colour" for number in range(1, _LARGEST + 1)),
        0,
        1,
        _palette,
    ),
    FeatureGroup(
        "ink",
        (
            "share of dark pixels (lightness below 0.45, in full below 0.25)",
            "their mean chroma",
            "their mean lightness",
            "5 × their mean red",
            "5 × their mean yellow",
        ),
        -2,
        2,
        _ink,
    ),
)

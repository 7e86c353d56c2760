"""What stands where in a perceptual hash."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LIGHT_CELLS = 32
COLOUR_CELLS = 16
SIDE_UNIT = 1024.0
"""Pixels that a stored side of 1 stands for, so that half precision holds any side to a thousandth."""

_FINE, _COARSE = LIGHT_CELLS**2, COLOUR_CELLS**2
_SHOWN = _FINE + 3 * _COARSE + 1
_WHITE = _FINE + 2 * _COARSE + 1
DIMENSION = _SHOWN + _WHITE + 2


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """n drawings in their squares.

    Attributes:
        light: Brightness on grey or on white, shape (n, 32, 32, 1), in [0, 1].
        colour: Red against green, blue against yellow and, where the ground shows through, alpha; premultiplied,
            shape (n, 16, 16, 3 or 2), in [-1, 1].
        side: Pixels of the picture along a side of the square, shape (n,); 0 where nothing is drawn.
    """

    light: NDArray[np.float32]
    colour: NDArray[np.float32]
    side: NDArray[np.float32]


def layout_on_grey(rows: NDArray[np.float32]) -> Layout:
    """Return how perceptual hashes, shape (n, 3332), look by their alpha, on middle grey."""
    return _look(rows[:, :_SHOWN], 3)


def on_white(rows: NDArray[np.float32]) -> Layout:
    """Return how perceptual hashes, shape (n, 3332), look on white."""
    return _look(rows[:, _SHOWN : _SHOWN + _WHITE], 2)


def opaque(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which perceptual hashes are of pictures without transparency, shape (n,)."""
    return np.asarray(rows[:, -2] > 0.5)


def moves(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which perceptual hashes are of animations whose frames differ, shape (n,)."""
    return np.asarray(rows[:, -1] > 0.5)


def _look(rows: NDArray[np.float32], channels: int) -> Layout:
    n = len(rows)
    light = rows[:, :_FINE].reshape(n, LIGHT_CELLS, LIGHT_CELLS, 1)
    colour = rows[:, _FINE:-1].reshape(n, COLOUR_CELLS, COLOUR_CELLS, channels)
    return Layout(light, colour, rows[:, -1] * np.float32(SIDE_UNIT))

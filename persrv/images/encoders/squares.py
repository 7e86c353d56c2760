"""Pictures as the squares on an even ground that networks take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.images.compositing import content_box, fit, on_neutral
from persrv.images.decode import Picture


def squares(
    pictures: Sequence[Picture], side: int, margin: int, grey: int, batch: int
) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """Yield batches of frames, cut to what is drawn and fitted into squares.

    Frames in which nothing is visible are left out, since many animations begin or end empty.

    Args:
        pictures: What to show.
        side: The squares' side in pixels.
        margin: Pixels of ground on every side.
        grey: The ground's sRGB value, 0 to 255.
        batch: Largest number of frames in a batch.

    Yields:
        For every frame the number of its picture, and the frames, shape (n, side, side, 3), RGB.
    """
    owners: list[int] = []
    frames: list[NDArray[np.uint8]] = []
    for number, picture in enumerate(pictures):
        for frame in picture.frames:
            if content_box(frame) is None:
                continue
            owners.append(number)
            frames.append(on_neutral(fit(frame, side, margin), grey))
            if len(frames) == batch:
                yield owners, np.stack(frames)
                owners, frames = [], []
    if frames:
        yield owners, np.stack(frames)


def mean_by_owner(vectors: NDArray[np.float32], owners: Sequence[int], count: int) -> NDArray[np.float32]:
    """Return the mean vector of each of ``count`` pictures, shape (count, d); zero where it has no frame.

    Args:
        vectors: One a frame, shape (n_frames, d).
        owners: For every frame the number of its picture.
        count: Number of pictures.
    """
    totals = np.zeros((count, vectors.shape[1]), np.float64)
    rows = np.asarray(owners, np.int64)
    np.add.at(totals, rows, vectors)
    frames = np.bincount(rows, minlength=count)[:, None]
    return np.divide(totals, frames, out=totals, where=frames > 0).astype(np.float32)

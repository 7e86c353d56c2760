"""Learning from a collection's own labels what its unlabelled stickers may be called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from persrv.errors import PictureError, SourceError
from persrv.images.decode import Picture, open_picture
from persrv.images.encoder import ImageEncoder
from persrv.reading.describe.nearest_model import NearestModel
from persrv.reading.emotions import canonical
from persrv.records import Semantics, Skipped, Sticker

_BATCH = 64


def train_nearest(
    stickers: Iterable[Sticker], encoder: ImageEncoder, advance: Callable[[int], None] = lambda count: None
) -> tuple[NearestModel, tuple[Skipped, ...]]:
    """Encode the stickers that have a picture and a name or tag, and fit a model on them.

    Args:
        stickers: In the order of their ids, so that the same collection gives the same model; without what a
            describer said of them, which would be learnt back. The first pack of each is its group when confidences
            are measured.
        encoder: Makes content vectors.
        advance: Called with the number of stickers that were just encoded.

    Returns:
        The model, and the stickers whose pictures could not be read.

    Raises:
        SourceError: No sticker has both a picture and a label.
    """
    skipped: list[Skipped] = []
    kept: list[Sticker] = []
    vectors: list[NDArray[np.float32]] = []
    waiting: list[tuple[Sticker, Picture]] = []
    labelled = (s for s in stickers if s.path is not None and (s.semantics.name or s.semantics.tags))
    for sticker in labelled:
        opened = _open(sticker)
        if isinstance(opened, Skipped):
            skipped.append(opened)
            continue
        waiting.append((sticker, opened))
        if len(waiting) == _BATCH:
            _encode(encoder, waiting, kept, vectors)
            advance(_BATCH)
            waiting = []
    _encode(encoder, waiting, kept, vectors)
    advance(len(waiting))
    if not kept:
        raise SourceError("no sticker has both a picture and a name or tag", "give some of them tags, then train again")
    model = NearestModel.fit(
        np.concatenate(vectors),
        [(*sticker.semantics.name, *sticker.semantics.tags) for sticker in kept],
        [_emotions(sticker.semantics) for sticker in kept],
        encoder=encoder.name,
        encoder_revision=encoder.revision,
        ids=[sticker.id for sticker in kept],
        groups=[sticker.packs[0] if sticker.packs else sticker.id for sticker in kept],
    )
    return model, tuple(skipped)


def _emotions(known: Semantics) -> tuple[str, ...]:
    """Return what the source says that a sticker expresses, in emotions, emoji or other words."""
    return canonical((*known.emotions, *known.emoji, *known.name, *known.tags))


def _open(sticker: Sticker) -> Picture | Skipped:
    if sticker.path is None:
        return Skipped(sticker.id, "it has no picture")
    try:
        return open_picture(sticker.path)
    except PictureError as error:
        return Skipped(sticker.id, error.problem)


def _encode(
    encoder: ImageEncoder,
    waiting: Sequence[tuple[Sticker, Picture]],
    kept: list[Sticker],
    vectors: list[NDArray[np.float32]],
) -> None:
    """Encode a batch; pictures in which nothing is visible have no vector and teach nothing."""
    if not waiting:
        return
    encoded = encoder.encode([picture for _, picture in waiting])
    visible = encoded.any(axis=1)
    kept.extend(waiting[row][0] for row in np.flatnonzero(visible).tolist())
    vectors.append(encoded[visible])

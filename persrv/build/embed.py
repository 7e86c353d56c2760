"""The second stage: what every sticker looks like, computed once per content and encoder revision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from persrv.build.progress import Progress
from persrv.catalog import Catalog, VectorCache
from persrv.catalog.batches import chunks
from persrv.errors import PictureError
from persrv.images.decode import Picture, open_picture
from persrv.images.encoder import ImageEncoder
from persrv.records import Skipped

READERS = 2
"""Threads that decode the next batch while the encoder works on this one."""


def embed(
    catalog: Catalog, cache: VectorCache, encoder: ImageEncoder, batch: int, progress: Progress
) -> tuple[int, tuple[Skipped, ...]]:
    """Encode the pictures whose vectors are missing, in id order; each batch is durable when it is done.

    Args:
        catalog: Says which stickers there are.
        cache: Where vectors go.
        encoder: Makes them.
        batch: Pictures encoded at once.
        progress: Shows how far it is.

    Returns:
        How many were encoded, and the pictures that could not be; those are tried again at the next run.
    """
    paths = {sticker.id: sticker.path for sticker in catalog.stickers() if sticker.path is not None}
    missing = cache.missing(sorted(paths))
    skipped: list[Skipped] = []
    encoded = 0
    with (
        progress.stage(f"looking at pictures ({encoder.name})", len(missing)) as advance,
        ThreadPoolExecutor(READERS) as readers,
    ):
        for ids, opened in _read_ahead(readers, [(i, paths[i]) for i in missing], batch):
            good = [(i, picture) for i, picture in zip(ids, opened, strict=True) if isinstance(picture, Picture)]
            skipped.extend(picture for picture in opened if isinstance(picture, Skipped))
            if good:
                cache.append([i for i, _ in good], encoder.encode([picture for _, picture in good]))
            encoded += len(good)
            advance(len(ids))
    return encoded, tuple(skipped)


def _read_ahead(
    readers: ThreadPoolExecutor, wanted: Sequence[tuple[str, Path]], batch: int
) -> Iterator[tuple[list[str], list[Picture | Skipped]]]:
    batches = list(chunks(wanted, batch))
    coming = [readers.submit(_open, item) for item in batches[0]] if batches else []
    for number, current in enumerate(batches):
        opened = [future.result() for future in coming]
        following = batches[number + 1] if number + 1 < len(batches) else []
        coming = [readers.submit(_open, item) for item in following]
        yield [sticker_id for sticker_id, _ in current], opened


def _open(item: tuple[str, Path]) -> Picture | Skipped:
    _, path = item
    try:
        return open_picture(path)
    except PictureError as error:
        return Skipped(str(path), error.problem)

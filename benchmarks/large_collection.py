"""A whole built collection of made-up stickers, in a folder that is kept: ``python -m benchmarks.large_collection``.

Answers are by words, picks, utility and styles; meaning is off. The catalog, the vectors and the picks are written as
an import would have left them, without pictures' files; the index is built from them by the very code of ``persrv
build``. What was done is not done again, so that a run that was ended goes on. Measuring is another command, ``python
-m benchmarks at_size``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.brute_force import BruteForce
from benchmarks.sticker_corpus import PIECE, StickerCorpus
from persrv.catalog import Catalog
from persrv.catalog.batches import chunks
from persrv.catalog.placements import Entry
from persrv.index.columns.store import make_columns
from persrv.indexing.progress import Advance
from persrv.indexing.update import update_index
from persrv.indexing.vector_sources import VectorSources, open_vectors
from persrv.recipe import Meaning, Recipe, Source
from persrv.records import SourceSticker
from persrv.workspace import Workspace

NAME, LOADER = "large", "made_up"
_AT_ONCE = 5_000


class LargeCollection:
    """A built collection of a made-up corpus.

    Args:
        folder: Where collections are kept; each size has a folder of its own in it.
        size: Stickers.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.corpus = StickerCorpus(size)
        self.home = folder / f"stickers-{size}"
        # Brute force knows words, picks, utility and styles; and meaning takes 5 ms of processor time a sticker.
        self.recipe = Recipe(
            name=NAME, stickers=(Source(loader="folder", path=self.home),), meaning=Meaning(encoder="")
        )
        self.workspace = Workspace.of(self.recipe, self.home)

    @property
    def brute_force(self) -> Path:
        """The folder of what brute force needs."""
        return self.home / "brute-force"

    def build(self) -> None:
        """Do what is not done yet."""
        started = time.perf_counter()
        with self.workspace.catalog() as catalog, open_vectors(self.workspace) as sources:
            if len(sources.images) < self.corpus.size:
                self._take_in(catalog, sources)
            if not catalog.noted("picked"):
                for batch in chunks(self.corpus.picks(), _AT_ONCE):
                    catalog.put_interactions(batch)
                catalog.note("picked", True)
            with self.workspace.store() as store:
                if store.current(NAME) is None:
                    update_index(self.workspace, catalog, sources, store, Told())
                else:
                    make_columns(store, NAME)
            if not self.brute_force.is_dir():
                BruteForce.write(self.brute_force, self.workspace, catalog)
        print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)

    def _take_in(self, catalog: Catalog, sources: VectorSources) -> None:
        with Told().stage("taking in", self.corpus.size) as advance:
            # A piece is whole when its vectors, which come last, are there.
            for first in range(len(sources.images) // PIECE * PIECE, self.corpus.size, PIECE):
                piece = self.corpus.piece(first)
                catalog.put(
                    [
                        Entry(
                            sticker.id,
                            LOADER,
                            SourceSticker(
                                key=str(sticker.row),
                                path=self.home / sticker.pack / f"{sticker.row}.webp",
                                pack=sticker.pack,
                                semantics=sticker.semantics,
                                language="" if sticker.language == "both" else sticker.language,
                            ),
                            format="webp",
                            width=512,
                            height=512,
                            frames=1,
                            size=40_000,
                        )
                        for sticker in piece
                    ]
                )
                sources.images.append([sticker.id for sticker in piece], self.corpus.vectors(first))
                advance(len(piece))


class Told:
    """Says on standard error how long each stage took."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Count, and say the rate at the end."""
        done, started = [0], time.perf_counter()

        def advance(more: int) -> None:
            done[0] += more

        yield advance
        taken = time.perf_counter() - started
        print(f"{name}: {done[0]:,} in {taken:.1f} s, {1e3 * taken / max(done[0], 1):.3f} ms each", file=sys.stderr)


def main() -> None:
    """Build one collection."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=10_000)
    chosen = parser.parse_args()
    LargeCollection(chosen.folder, chosen.size).build()


if __name__ == "__main__":
    main()

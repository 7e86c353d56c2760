"""The text in pictures, read once for each engine and revision."""

from __future__ import annotations

from collections.abc import Sequence

from persrv.catalog import Catalog
from persrv.catalog.columns import Json
from persrv.errors import PictureError
from persrv.images.decode import open_picture
from persrv.offline.stage import Item
from persrv.reading.ocr.engine import OcrEngine
from persrv.reading.ocr.picture_text import MORE_FRAMES, OcrText, read_picture, reading_revision
from persrv.recipe import Ocr
from persrv.records import Skipped

SOURCE = "ocr"
"""Who said it, in the catalog."""


class OcrStage:
    """Reads the text in pictures into the catalog; what was read without confidence is kept apart.

    Args:
        engine: Reads.
        settings: The recipe's ``[ocr]``.
    """

    name = "ocr"
    blind_to = frozenset({SOURCE})
    title = "reading text"
    batch = 16

    def __init__(self, engine: OcrEngine, settings: Ocr) -> None:
        self._engine = engine
        self._settings = settings
        self.model = reading_revision(engine, min_confidence=settings.min_confidence, max_side=settings.max_side)

    def missing(self, catalog: Catalog) -> list[str]:
        """Return the ids of pictures that this engine has not read yet, ascending."""
        pictured = catalog.pictured()
        return [sticker_id for sticker_id in catalog.unread(SOURCE, self.model) if sticker_id in pictured]

    def work(self, items: Sequence[Item]) -> list[OcrText | Skipped]:
        """Return the text of each picture."""
        return [self._read(item) for item in items]

    def store(self, catalog: Catalog, results: Sequence[tuple[str, OcrText]]) -> None:
        """Write what was read, and the doubtful lines as a note, in one transaction."""
        with catalog.transaction():
            catalog.put_all_semantics(SOURCE, self.model, {sticker_id: text.semantics for sticker_id, text in results})
            for sticker_id, text in results:
                if text.uncertain:
                    doubts: Json = [{"text": line.text, "confidence": line.confidence} for line in text.uncertain]
                    catalog.note(f"ocr-uncertain:{sticker_id}", doubts)

    def _read(self, item: Item) -> OcrText | Skipped:
        if item.picture is None:
            return Skipped(item.sticker_id, "no picture")
        try:
            path = item.path
            return read_picture(
                self._engine,
                item.picture,
                min_confidence=self._settings.min_confidence,
                max_side=self._settings.max_side,
                more=None if path is None else lambda: open_picture(path, max_frames=MORE_FRAMES),
            )
        except PictureError as error:
            return Skipped(str(item.path), error.problem)

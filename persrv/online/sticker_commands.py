"""What a program may change of a collection's stickers while it is searched."""

from __future__ import annotations

from collections.abc import Iterable

from persrv.catalog import Catalog
from persrv.online.arguments import LONGEST_QUERY, check_text
from persrv.online.live_index import LiveIndex
from persrv.records import Sticker


class StickerCommands:
    """The part of a :class:`~persrv.online.retriever.Retriever` that changes stickers.

    Whatever is changed is durable in the catalog before the index follows; it is found when the call returns.
    """

    _catalog: Catalog
    _live: LiveIndex

    def edit(self, sticker_id: str, field: str, phrases: Iterable[str], *, editor: str = "") -> Sticker:
        """Set a field of a sticker to exactly these phrases, whatever its sources say now or later.

        Args:
            sticker_id: The sticker's id or a unique prefix of it.
            field: One of :data:`persrv.catalog.EDITABLE`.
            phrases: The field's whole content, none to empty it; exactly one for language, rating and style.
            editor: Who edits.

        Returns:
            The sticker as it is now.

        Raises:
            NotFoundError: No such sticker.
            CatalogError: There is no such field, or it cannot have these phrases.
            VectorIndexError: The index could not be written; the edit is kept, and the index follows later.
        """
        known = self._catalog.sticker(check_text("sticker", sticker_id, LONGEST_QUERY))
        self._catalog.edit(known.id, field, phrases, editor)
        return self._shown(known.id)

    def reset(self, sticker_id: str, field: str, *, editor: str = "") -> Sticker:
        """Give a field back to the sticker's sources, see :meth:`edit`."""
        known = self._catalog.sticker(check_text("sticker", sticker_id, LONGEST_QUERY))
        self._catalog.reset(known.id, field, editor)
        return self._shown(known.id)

    def _shown(self, sticker_id: str) -> Sticker:
        self._live.refresh([sticker_id])
        return self._catalog.sticker(sticker_id)

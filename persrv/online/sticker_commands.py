"""What a program may change of a collection's stickers while it is searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from persrv.catalog import ADDED, Catalog, Entry, content_id
from persrv.catalog.durable import write_file
from persrv.errors import CatalogError, PictureError, QueryError
from persrv.online.arguments import LONGEST_QUERY, check_text
from persrv.online.live_index import LiveIndex
from persrv.records import FIELDS, Semantics, Skipped, SourceSticker, Sticker

TOGETHER = 32
"""Pictures in memory at once."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of pictures that were added.

    Attributes:
        stickers: Those that can be found now, each once, in the order in which they were given.
        skipped: Those that cannot be used, with the reason.
    """

    stickers: tuple[Sticker, ...]
    skipped: tuple[Skipped, ...]


class StickerCommands:
    """The part of a :class:`~persrv.online.retriever.Retriever` that changes stickers.

    Whatever is changed is durable in the catalog before the index follows; it is found when the call returns.
    """

    _catalog: Catalog
    _live: LiveIndex

    def add(
        self,
        pictures: Iterable[str | Path | bytes],
        *,
        pack: str = "",
        tags: Iterable[str] = (),
        texts: Mapping[str, Iterable[str]] | None = None,
        language: str = "",
        rating: str = "",
        style: str = "",
    ) -> AddReport:
        """Add stickers; they are found when this returns, and stay whatever the recipe's sources hold.

        The pictures are copied into the collection's folder. What a describer or OCR says of them follows at the next
        build. A picture that is in the collection already is not added twice: what is said of it here is added.

        Args:
            pictures: Files, or their contents.
            pack: The set that they belong to.
            tags: Of all of them.
            texts: Further fields of all of them, such as ``{"name": ["cat"]}``.
            language: BCP 47 tag of the texts.
            rating: ``"safe"``, ``"unsafe"`` or ``""``.
            style: Name of the drawing style.

        Raises:
            QueryError: A field that stickers do not have, or no rating.
            CatalogError: The catalog or the folder cannot be written.
            VectorIndexError: The index could not be written; the stickers are kept, and the index follows later.
        """
        common = Semantics(**_checked({"tags": tags, **(texts or {})}))
        if rating not in ("", "safe", "unsafe"):
            raise QueryError(f"{rating!r:.40} is no rating", "use safe, unsafe or nothing")
        added: dict[str, None] = {}
        skipped: list[Skipped] = []
        from persrv.images.decode import Picture, open_picture

        opened: dict[str, Picture] = {}
        entries: list[Entry] = []

        def keep() -> None:
            self._live.look_at(opened)
            self._catalog.add_again(opened)
            self._catalog.put(entries, durable=True)
            self._live.refresh(opened)
            added.update(dict.fromkeys(opened))
            opened.clear()
            entries.clear()

        for given in pictures:
            picture = Path(given) if isinstance(given, str) else given
            try:
                shown = open_picture(picture)
                content = picture if isinstance(picture, bytes) else picture.read_bytes()
            except PictureError as error:
                skipped.append(Skipped(_called(picture), error.problem))
                continue
            except OSError as error:
                skipped.append(Skipped(_called(picture), f"it cannot be read: {error.strerror or error}"))
                continue
            sticker_id = content_id(content)
            file = self._kept(sticker_id, shown.format, content)
            stat = file.stat()
            entries.append(
                Entry(
                    sticker_id,
                    ADDED,
                    SourceSticker(sticker_id, file, pack, common, language, rating, style),
                    format=shown.format,
                    width=shown.width,
                    height=shown.height,
                    frames=shown.n_frames,
                    size=stat.st_size,
                    mtime_ns=stat.st_mtime_ns,
                )
            )
            opened[sticker_id] = shown
            if len(opened) >= TOGETHER:
                keep()
        if opened:
            keep()
        found = {sticker.id: sticker for sticker in self._catalog.stickers(added)}
        return AddReport(tuple(found[sticker_id] for sticker_id in added if sticker_id in found), tuple(skipped))

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
        known = self._known(sticker_id)
        self._catalog.edit(known.id, field, phrases, editor)
        return self._shown(known.id)

    def reset(self, sticker_id: str, field: str, *, editor: str = "") -> Sticker:
        """Give a field back to the sticker's sources, see :meth:`edit`."""
        known = self._known(sticker_id)
        self._catalog.reset(known.id, field, editor)
        return self._shown(known.id)

    def remove(self, sticker_id: str) -> Sticker:
        """Take a sticker out of the collection until somebody adds it again; its sources do not bring it back.

        A picture that was added by hand is deleted from the collection's folder.

        Args:
            sticker_id: The sticker's id or a unique prefix of it.

        Returns:
            The sticker as it was.

        Raises:
            NotFoundError: No such sticker.
            VectorIndexError: The index could not be written; the sticker is removed there later.
        """
        known = self._known(sticker_id)
        self._catalog.remove(known.id)
        self._live.refresh([known.id])
        if known.path is not None and known.path.parent == self._live.pictures:
            known.path.unlink(missing_ok=True)
        return known

    def _known(self, sticker_id: str) -> Sticker:
        return self._catalog.sticker(check_text("sticker", sticker_id, LONGEST_QUERY))

    def _shown(self, sticker_id: str) -> Sticker:
        self._live.refresh([sticker_id])
        return self._catalog.sticker(sticker_id)

    def _kept(self, sticker_id: str, kind: str, content: bytes) -> Path:
        """Copy a picture into the collection's folder, and return where it is."""
        file = self._live.pictures / f"{sticker_id}.{kind}"
        try:
            if not file.exists():
                self._live.pictures.mkdir(parents=True, exist_ok=True)
                write_file(file, content)
        except OSError as error:
            raise CatalogError(
                f"{file} cannot be written: {error.strerror}", "make room, or the folder writable"
            ) from error
        return file


def _checked(texts: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for field, phrases in texts.items():
        if field not in FIELDS or field in ("pack", "queries"):
            raise QueryError(f"a sticker that is added has no field {field!r:.40}", f"use one of {', '.join(FIELDS)}")
        if isinstance(phrases, str):
            raise QueryError(
                f"{field} wants a list of phrases, not the text {phrases!r:.60}", f"give [{phrases!r:.60}]"
            )
        found[field] = tuple(check_text(field, phrase, LONGEST_QUERY) for phrase in phrases)
    return found


def _called(picture: Path | bytes) -> str:
    return f"a picture of {len(picture)} bytes" if isinstance(picture, bytes) else str(picture)

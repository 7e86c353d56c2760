"""Pictures and archives that are uploaded become stickers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from persrv.catalog import content_id
from persrv.errors import PictureError, SourceError
from persrv.records import Skipped, Sticker
from persrv.serve.schemas.stickers import AddedBody, SkippedBody
from persrv.serve.served import ServedCollection
from persrv.serve.stickers import sticker_body
from persrv.text.file_names import read_file_name

_ARCHIVES = (".zip", ".wastickers", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True, slots=True)
class UploadLabels:
    """Words and labels of uploaded pictures, the same for all of them.

    Attributes:
        pack: Their pack, ``""`` for each one's folder.
        tags: Their tags.
        texts: Further fields; ``None`` takes them from each file's name.
        language: BCP 47 tag of the texts.
        rating: ``"safe"``, ``"unsafe"`` or ``""``.
        style: Name of the drawing style.
    """

    pack: str = ""
    tags: tuple[str, ...] = ()
    texts: Mapping[str, Sequence[str]] | None = None
    language: str = ""
    rating: str = ""
    style: str = ""


def add_uploads(
    collection: ServedCollection,
    uploads: Iterable[tuple[str, BinaryIO]],
    labels: UploadLabels,
    *,
    with_stickers: bool = False,
) -> AddedBody:
    """Add uploaded files to a collection; what cannot be used is reported, and the rest goes on.

    Args:
        collection: Where to.
        uploads: Name and content of each; a name may begin with folders, of which the last is the pack.
        labels: Of all of them.
        with_stickers: Whether the report tells all that is known of the stickers.
    """
    added: dict[str, Sticker] = {}
    known: dict[str, Sticker] = {}
    skipped: list[SkippedBody] = []
    for name, found in _pictures(uploads):
        if isinstance(found, Skipped):
            skipped.append(SkippedBody(name=found.key, reason=found.reason))
            continue
        place = PurePosixPath(name)
        sticker_id = content_id(found)
        there = bool(collection.catalog.paths([sticker_id]))
        try:
            report = collection.retriever.add(
                [found],
                pack=labels.pack or (place.parent.name if labels.texts is None else ""),
                tags=labels.tags,
                texts=dict(read_file_name(place.stem).items()) if labels.texts is None else dict(labels.texts),
                language=labels.language,
                rating=labels.rating,
                style=labels.style,
            )
        except PictureError as error:
            skipped.append(SkippedBody(name=name, reason=error.problem))
            continue
        skipped += [SkippedBody(name=name, reason=item.reason) for item in report.skipped]
        (known if there else added).update((sticker.id, sticker) for sticker in report.stickers)
    return AddedBody(
        added=list(added),
        known=list(known),
        skipped=skipped,
        stickers=[sticker_body(collection, each) for each in (added | known).values()] if with_stickers else [],
    )


def _pictures(uploads: Iterable[tuple[str, BinaryIO]]) -> Iterator[tuple[str, bytes | Skipped]]:
    for name, content in uploads:
        if name.lower().endswith(_ARCHIVES):
            yield from _unpacked(name, content)
        else:
            yield name, content.read()


def _unpacked(name: str, content: BinaryIO) -> Iterator[tuple[str, bytes | Skipped]]:
    from persrv.offline.sources.archives import innermost, unpack
    from persrv.offline.sources.walking import walk_pictures

    with tempfile.TemporaryDirectory(prefix="persrv-") as folder:
        # The name chooses nothing but the kind of archive: it is somebody else's.
        ending = next(known for known in _ARCHIVES if name.lower().endswith(known))
        archive, root = Path(folder) / f"upload{ending}", Path(folder) / "unpacked"
        with archive.open("wb") as out:
            while block := content.read(1 << 20):
                out.write(block)
        try:
            for item in unpack(archive, root):
                yield f"{name}/{item.key}", Skipped(f"{name}/{item.key}", item.reason)
            inside = innermost(root).resolve()
            whole = inside.name if inside != root.resolve() else PurePosixPath(name).name.split(".")[0]
            for found in walk_pictures(inside):
                if isinstance(found, Skipped):
                    yield f"{name}/{found.key}", Skipped(f"{name}/{found.key}", found.reason)
                else:
                    below = found.relative_to(inside)
                    place = below if len(below.parts) > 1 else Path(whole) / below
                    yield place.as_posix(), found.read_bytes()
        except SourceError as error:
            yield name, Skipped(name, error.problem.replace(str(archive), "the archive"))

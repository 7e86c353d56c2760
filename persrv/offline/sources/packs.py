"""Stickers of packs whose files and side-cars say all there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from persrv.offline.sources.known import Known
from persrv.offline.sources.pack_files import PackFiles, pack_files, read_pack_files
from persrv.offline.sources.walking import SUFFIXES, UnreadPicture, unread_pictures
from persrv.offline.sources.webp_exif import NOTHING, read_sticker_exif
from persrv.records import FIELDS, Semantics, Skipped, SourceSticker, Unchanged
from persrv.text.file_names import read_file_name

PackReader = Callable[[Path], PackFiles]


def merged(*several: Semantics) -> Semantics:
    """Return the texts of all, each once, the first ones first."""
    return Semantics(
        **{name: tuple(dict.fromkeys(phrase for each in several for phrase in getattr(each, name))) for name in FIELDS}
    )


def named(shortcode: str, *, tags: tuple[str, ...] = (), emoji: tuple[str, ...] = ()) -> Semantics:
    """Return what a custom emoji's name says, with its tags."""
    return merged(read_file_name(shortcode), Semantics(tags=tags, emoji=emoji))


def pack_stickers(
    source: Path,
    known: Known,
    read_pack: PackReader | None = None,
    says_nothing: Callable[[Path], bool] = lambda path: False,
) -> Iterator[SourceSticker | Unchanged | Skipped]:
    """Yield the pictures of a folder and its sub-folders, each folder a pack.

    Args:
        source: The folder.
        known: What earlier builds read.
        read_pack: Reads what a folder says about its pack, from any file in it that is no picture, and from its names;
            default title.txt and the like.
        says_nothing: Whether a file's name is made up, so that it names no sticker.

    Raises:
        SourceError: The folder cannot be listed.
    """
    root = source.resolve()
    packs: dict[Path, PackFiles] = {}
    for found in unread_pictures(root, known, pack_files if read_pack is None else _names_and_texts, lambda path: ()):
        if not isinstance(found, UnreadPicture):
            yield found
            continue
        path = found.path
        pack = packs.get(path.parent)
        if pack is None:
            pack = read_pack(path.parent) if read_pack else read_pack_files(path.parent, root)
            packs[path.parent] = pack
            yield from pack.problems
        if pack.is_pack and path.stem.casefold() in pack.covers:
            known.leave_out("" if pack.problems else found.state)
            continue
        inside = read_sticker_exif(path) if path.suffix.lower() == ".webp" else NOTHING
        place = path.parent.relative_to(root).as_posix()
        own = Semantics() if says_nothing(path) else read_file_name(path.stem)
        listed = Semantics(emoji=(*pack.emoji.get(path.stem, ()), *inside.emoji))
        sticker = SourceSticker(
            key=path.relative_to(root).as_posix(),
            path=path,
            pack=pack.title or inside.pack or ("" if place == "." else place),
            semantics=merged(own, listed, Semantics(**pack.texts.get(path.stem, _NO_TEXTS))),
            state="" if pack.problems else found.state,  # what is wrong is told at each build
        )
        rating = pack.ratings.get(path.stem, "")
        yield replace(sticker, rating=rating) if rating else sticker


def _names_and_texts(folder: Path) -> list[Path]:
    """Return what a pack's texts may be read from: the folder, which changes with its names, and what is no picture."""
    texts = sorted(file for file in folder.iterdir() if file.suffix.lower() not in SUFFIXES and file.is_file())
    return [folder, *texts]


_NO_TEXTS: Mapping[str, tuple[str, ...]] = {}

"""The pictures of a folder, those that have to be read, and a word on what looks like one and is not taken."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from persrv.errors import SourceError
from persrv.images.containers import begins_like_a_picture
from persrv.offline.sources.known import Known
from persrv.records import Skipped, Unchanged

_KINDS = ".png .apng .jpg .jpeg .jfif .jpe .webp .gif .bmp .tif .tiff .avif .heic .heif .jxl .svg .webm .mp4 .tgs"
SUFFIXES = frozenset(_KINDS.split())
"""File names that end in one of these, in any case, are stickers; what they hold is looked at when they are read."""

_ARCHIVES = frozenset((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".wastickers", ".stickerpack"))
_OTHER_KINDS = ".psd .xcf .kra .ai .eps .ico .cur .jp2 .j2k .dds .tga .raw .dng .mov .avi .mkv .flv .wmv .lottie"
_NOT_READ = frozenset(_OTHER_KINDS.split())
_SIDE_CARS = frozenset((".json", ".txt", ".meta"))
_UNWANTED = frozenset(("__MACOSX", "Thumbs.db", "desktop.ini"))
_SMALL_COPY = "_thumb.jpg"
_FIRST_BYTES = 32


def walk_pictures(root: Path) -> Iterator[Path | Skipped]:
    """Yield reports on what cannot be entered or is not read, then the pictures, each in the order of their paths.

    Hidden files and folders are passed over. No file is opened: of one with another ending, such as ``a.jpg!w500``, or
    with none :func:`is_picture` tells whether it is a picture. Links are followed to files inside the folder only; what
    lies behind a linked folder is reported, since it may be anywhere. Telegram's and other apps' small copies
    (``a.webp_thumb.jpg`` beside ``a.webp``) are passed over.

    Args:
        root: The folder, resolved.

    Raises:
        SourceError: It is no folder, or cannot be listed.
    """
    if not root.is_dir():
        raise SourceError(f"{root} is no folder", "name a folder of pictures")
    reports: list[Skipped] = []
    found: list[tuple[str, bool]] = []
    pending = [str(root)]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as listing:
                entries = [each for each in listing if not each.name.startswith(".") and each.name not in _UNWANTED]
        except OSError as error:
            if folder == str(root):
                raise SourceError(f"{root} cannot be listed: {error.strerror}", "check its rights") from error
            reports.append(Skipped(_key(folder, root), f"cannot be listed: {error.strerror}"))
            continue
        names = {each.name for each in entries}
        for each in entries:
            if each.is_dir(follow_symlinks=False):
                pending.append(each.path)
            elif each.is_symlink() and Path(each.path).is_dir():
                reports += _linked(each.path, root)
            elif not (each.name.endswith(_SMALL_COPY) and each.name.removesuffix(_SMALL_COPY) in names):
                # What the listing says of a file saves two questions about each.
                plain = each.is_file(follow_symlinks=False)
                found += [(path, plain) for path in _taken(each.path, reports, root)]
    yield from sorted(reports, key=lambda report: report.key)
    for key, path, plain in sorted((_key(path, root), path, plain) for path, plain in found):
        checked = _checked(key, Path(path), root, plain)
        if not isinstance(checked, Skipped) or is_picture(Path(path)):
            yield checked


@dataclass(frozen=True, slots=True)
class UnreadPicture:
    """A picture that no earlier build read as it is now.

    Attributes:
        path: Its file.
        state: Of the picture, what stands beside it and what its folder says, for the sticker that is made of it.
    """

    path: Path
    state: str


def unread_pictures(
    root: Path, known: Known, in_folder: Callable[[Path], Sequence[Path]], beside: Callable[[Path], Sequence[Path]]
) -> Iterator[UnreadPicture | Unchanged | Skipped]:
    """Yield what :func:`walk_pictures` does, opening nothing but new files of which the ending does not say enough.

    Args:
        root: The folder, resolved.
        known: What earlier builds read.
        in_folder: Files that all pictures of a folder depend on; they need not be there.
        beside: Files that a picture depends on besides; they need not be there.

    Raises:
        SourceError: As :func:`walk_pictures`.
    """
    folder, shared = Path(), ""
    for path in walk_pictures(root):
        if isinstance(path, Skipped):
            yield path
            continue
        if path.parent != folder:
            folder, shared = path.parent, known.state(*in_folder(path.parent))
        state = known.state(path, *beside(path), beside=shared)
        before = known.before(state)
        if before == "placed":
            yield Unchanged(_key(str(path), root))
        elif before == "unread":
            if is_picture(path):
                yield UnreadPicture(path, state)
            else:
                known.leave_out(state)


def is_picture(file: Path) -> bool:
    """Return whether a file is one by its ending, else by how it begins."""
    if file.suffix.lower() in SUFFIXES:
        return True
    try:
        with file.open("rb") as content:
            return begins_like_a_picture(content.read(_FIRST_BYTES))
    except OSError:
        return False


def folders_of(source: Path, most: int = 200) -> list[Path]:
    """Return a folder and those in it, some of them where there are many: enough to recognise what it is."""
    try:
        inside = [each for each in islice(source.iterdir(), most) if each.is_dir() and not each.name.startswith(".")]
    except OSError:
        inside = []
    return [source, *sorted(inside)]


def _taken(path: str, reports: list[Skipped], root: Path) -> list[str]:
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 (half a million of them)
    if suffix in SUFFIXES:
        return [path]
    if suffix in _ARCHIVES:
        reports.append(Skipped(_key(path, root), "it is an archive; run persrv import on it, or unpack it"))
    elif suffix in _NOT_READ:
        reports.append(Skipped(_key(path, root), f"{suffix} files are not read; save it as PNG or WebP"))
    elif suffix not in _SIDE_CARS and os.path.isfile(path):  # noqa: PTH113
        return [path]
    return []


def _linked(path: str, root: Path) -> list[Skipped]:
    """Return the report on a linked folder, none where its files are found at their own place."""
    try:
        place = Path(path).resolve()
    except (OSError, RuntimeError):
        return []
    inside = place.is_relative_to(root)
    if inside and not any(part.startswith(".") for part in place.relative_to(root).parts):
        return []
    reason = "it is a link to a folder outside; name that folder as another [[stickers]] of the recipe"
    return [Skipped(_key(path, root), reason if not inside else "it is a link to a hidden folder")]


def _checked(key: str, path: Path, root: Path, plain: bool) -> Path | Skipped:
    if key != key.encode("utf-8", "replace").decode():
        return Skipped(ascii(key), "its path is not valid UTF-8")
    if plain:
        return path
    if not path.is_symlink():
        return Skipped(key, "it is no plain file")
    if not path.is_file():
        return Skipped(key, "it is a link to nothing, or no plain file")
    if not path.resolve().is_relative_to(root):
        return Skipped(key, "it is a link to a file outside the folder")
    return path


def _key(path: str, root: Path) -> str:
    """Return the path below the root that it begins with; a :class:`Path` for each would take longer than all else."""
    return path[len(str(root)) :].lstrip(os.sep).replace(os.sep, "/")

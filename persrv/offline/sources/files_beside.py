"""Pictures that a table names, sought below its own folder and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from persrv.offline.sources.walking import SUFFIXES


def file_below(root: Path, place: str) -> Path | None:
    """Return the file that a table names, ``None`` where there is none, or it lies outside ``root``.

    Args:
        root: The table's folder, resolved.
        place: A path relative to it, as the table has it.
    """
    if not place or "\0" in place:
        return None
    try:
        path = root / place
        if path.is_file() and path.resolve().is_relative_to(root):
            return path
    except (OSError, ValueError, RuntimeError):
        pass
    return None


def by_stem(folders: Iterable[Path]) -> Mapping[str, Path]:
    """Return the pictures of some folders, by their names without ending; the first of one name counts.

    Folders that are not there are passed over; sub-folders are not entered.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        try:
            files = sorted(folder.iterdir())
        except OSError:
            continue
        for file in files:
            if file.suffix.lower() in SUFFIXES or not file.suffix:
                inside = not file.is_symlink() or file.resolve().is_relative_to(folder.resolve())
                if file.is_file() and inside:
                    found.setdefault(file.stem, file)
    return found

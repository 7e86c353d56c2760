"""What sticker-convert writes: a folder a pack, with ``title.txt``, ``author.txt``, ``emoji.txt`` and ``cover.*``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from persrv.offline.sources.json_files import find_tables, rows, table, text, texts
from persrv.offline.sources.known import Known
from persrv.offline.sources.pack_files import PackFiles, read_pack_files
from persrv.offline.sources.packs import pack_stickers
from persrv.offline.sources.walking import folders_of
from persrv.records import Skipped, SourceSticker, Unchanged

ARCHIVES = True
TITLE = "packs by sticker-convert"
KEEPS = "stickers with their emoji, the title of each pack"
LEAVES = "covers, authors, folders of older results (archive_...)"


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no folder in it is such a pack."""
    if not source.is_dir():
        return ""
    found = any((each / "emoji.txt").is_file() and (each / "title.txt").is_file() for each in folders_of(source))
    return TITLE if found else ""


def stickers(source: Path, *, known: Known | None = None) -> Iterator[SourceSticker | Unchanged | Skipped]:
    """Yield the stickers of all packs.

    Args:
        source: The folder.
        known: What earlier builds read.

    Raises:
        SourceError: The folder cannot be listed.
    """
    root = source.resolve()
    known = known or Known()
    for found in pack_stickers(root, known, lambda folder: _pack(folder, root)):
        if not any(part.startswith("archive_") for part in found.key.split("/")[:-1]):
            yield found
        elif isinstance(found, SourceSticker):
            known.leave_out(found.state)


def _pack(folder: Path, root: Path) -> PackFiles:
    """Return what a folder says; a file for Misskey may name the pictures besides."""
    pack = read_pack_files(folder, root)
    extra = {
        Path(text(entry.get("fileName"))).stem: {
            "name": texts(table(entry.get("emoji")).get("name")),
            "tags": texts(table(entry.get("emoji")).get("aliases")),
        }
        for file, content in find_tables(folder, lambda content: "emojis" in table(content))
        if file.name == "misskey_meta.json"
        for entry in rows(content["emojis"])
    }
    return PackFiles(pack.title, pack.author, pack.emoji, extra, {}, pack.is_pack, pack.covers, pack.problems)

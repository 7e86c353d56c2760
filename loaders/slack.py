"""Custom emoji of Slack: what ``emoji.list`` answers, an object from names to addresses, beside the pictures.

A name whose address is ``alias:OTHER`` is another name of OTHER; names of emoji that all people have are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persrv.offline.sources.files_beside import by_stem
from persrv.offline.sources.json_files import find_tables, table, text
from persrv.offline.sources.packs import named
from persrv.offline.sources.walking import folders_of
from persrv.records import Skipped, SourceSticker

ARCHIVES = True
ONLY_SOURCE = True
TITLE = "custom emoji of Slack"
KEEPS = "custom emoji with their names and other names"
LEAVES = "addresses, who added them"

_ALIAS = "alias:"


def recognise(source: Path) -> str:
    """Return what the source is, ``""`` where no JSON in it is a list of emoji."""
    return TITLE if any(True for _ in find_tables(source, lambda content: bool(_list(content)))) else ""


def stickers(source: Path, pack: str = "Slack") -> Iterator[SourceSticker | Skipped]:
    """Yield the emoji in the order of their names.

    Args:
        source: The list, or the folder with it.
        pack: What they are called together.
    """
    for file, content in find_tables(source, lambda content: bool(_list(content))):
        root = file.parent.resolve()
        files = by_stem(folders_of(root))
        addresses = _list(content)
        others: dict[str, list[str]] = {}
        for name, address in addresses.items():
            if address.startswith(_ALIAS):
                others.setdefault(address.removeprefix(_ALIAS), []).append(name)
        for name, address in sorted(addresses.items()):
            if address.startswith(_ALIAS):
                continue
            path = files.get(name) or files.get(Path(address.rpartition("/")[2]).stem)
            if path is None:
                yield Skipped(name, "the list names it, its picture is not there")
                continue
            semantics = named(name, tags=tuple(sorted(others.get(name, ()))))
            yield SourceSticker(key=path.relative_to(root).as_posix(), path=path, pack=pack, semantics=semantics)


def _list(content: Any) -> dict[str, str]:
    """Return names and addresses, ``{}`` for what is no list of emoji."""
    found = table(content).get("emoji")
    found = found if isinstance(found, dict) else content
    if not isinstance(found, dict) or not found:
        return {}
    pairs = {text(name): text(address) for name, address in found.items()}
    fits = all(name and address.startswith(("http://", "https://", _ALIAS)) for name, address in pairs.items())
    return pairs if fits else {}

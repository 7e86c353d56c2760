"""Which files this process opens, by Python's own account: whatever library asks for them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_watching: list[list[Path]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _watching and isinstance(arguments[0], str | bytes | os.PathLike):
        for opened in _watching:
            opened.append(Path(os.fsdecode(arguments[0])).absolute())


sys.addaudithook(_hook)  # it cannot be taken away again, so there is one for all tests


@contextmanager
def opened_below(*folders: Path) -> Iterator[set[Path]]:
    """Collect what is opened inside the ``with`` of the files below some folders; complete when it ends."""
    opened: list[Path] = []
    found: set[Path] = set()
    _watching.append(opened)
    try:
        yield found
    finally:
        _watching.remove(opened)
        found |= {file for file in opened if any(file.is_relative_to(folder) for folder in folders) and file.is_file()}

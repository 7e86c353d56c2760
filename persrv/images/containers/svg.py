"""SVG: a drawing as XML, taken only where it stands on its own."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from persrv.images.containers.container import Container, MalformedError

SIDE = 512
"""Pixels of the longer side that a drawing is given: it has no pixels of its own."""

_LARGEST = 4_000_000
_LENGTH = re.compile(r"\s*([0-9.]+(?:e[0-9]+)?)\s*(?:px|pt|pc|mm|cm|in)?\s*")
_MOST_ASPECT = 32.0
_ACTIVE = frozenset(("script", "foreignobject", "iframe", "object", "embed", "handler", "listener"))
"""Elements that may run or load something where a browser shows the drawing."""


def looks_like_svg(data: bytes) -> bool:
    """Return whether a file's beginning is that of an SVG."""
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<") and b"<svg" in start and b"<html" not in start.lower()


def read_svg(data: bytes) -> Container:
    """Check that the drawing is XML without entities, refers to nothing outside, and holds nothing that may run.

    Raises:
        MalformedError: It is no SVG, too large, refers to other files, or holds a script.
    """
    if len(data) > _LARGEST:
        raise MalformedError(f"it has more than {_LARGEST} bytes of XML")
    if b"<!ENTITY" in data or b"\0" in data:
        raise MalformedError("it defines entities of its own")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 (entities are refused above)
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise MalformedError(f"it is no XML: {error}") from error
    if not root.tag.endswith("svg"):
        raise MalformedError("it is no SVG drawing")
    for element in root.iter():
        if _local(element.tag) in _ACTIVE:
            raise MalformedError(f"it holds {_local(element.tag)}, which may run")
        for name, value in element.attrib.items():
            if _local(name).startswith("on") or value.strip().lower().startswith("javascript:"):
                raise MalformedError(f"its attribute {_local(name)} may run")
            if name.endswith("href") and not value.strip().startswith(("#", "data:")) and _draws(element.tag):
                raise MalformedError(f"it refers to the file {value!r:.80}")
    width, height = _size(root)
    scale = SIDE / max(width, height)
    return Container("svg", max(1, round(width * scale)), max(1, round(height * scale)), 1, 0, b"", data)


def _draws(tag: object) -> bool:
    return _local(tag) != "a"


def _local(name: object) -> str:
    """Return a name in lower case, without its namespace; comments have none."""
    return name.rpartition("}")[2].lower() if isinstance(name, str) else ""


def _size(root: ElementTree.Element) -> tuple[float, float]:
    sides = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
    try:
        box = [float(part) for part in re.split(r"[\s,]+", root.get("viewBox", "").strip())]
        found = [float(side[1]) for side in sides if side] if all(sides) else box[2:4]
    except ValueError:
        found = []
    if len(found) != 2 or not all(0 < side < 1e6 for side in found):
        return 1.0, 1.0
    if max(found) > _MOST_ASPECT * min(found):
        raise MalformedError(f"it claims a size of {found[0]:g} × {found[1]:g} pixels")
    return found[0], found[1]

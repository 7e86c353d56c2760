"""The page: a few files of the package, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from persrv.errors import NotFoundError
from persrv.serve.routes.stickers import knows

router = APIRouter(include_in_schema=False)

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page: its content, media type and entity tag."""

    content: bytes
    media_type: str
    tag: str


def page_files() -> dict[str, PageFile]:
    """Return the page's files by name."""
    found: dict[str, PageFile] = {}
    for file in sorted(files("persrv.serve").joinpath("page").iterdir(), key=lambda entry: entry.name):
        media_type = _TYPES.get(file.name.rpartition(".")[2])
        if media_type is not None:
            content = file.read_bytes()
            found[file.name] = PageFile(content, media_type, f'"{sha256(content).hexdigest()[:16]}"')
    return found


_FILES = page_files()


@router.get("/")
async def page(request: Request) -> Response:
    """Return the page."""
    return _sent(request, "index.html")


@router.get("/page/{name}")
async def part(request: Request, name: str) -> Response:
    """Return one of the page's other files."""
    return _sent(request, name)


def _sent(request: Request, name: str) -> Response:
    file = _FILES.get(name)
    if file is None:
        raise NotFoundError(f"the page has no file {name[:80]!r}", "open / in a browser")
    # Asked for again at each visit, and sent again only after an update.
    headers = {"etag": file.tag, "cache-control": "no-cache"}
    if knows(request, file.tag):
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)

"""A folder as people have them: good pictures of every kind among files that are none, made when it is asked for."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from PIL import Image, ImageCms, ImageDraw, ImageFont

from persrv.recipe.places import shipped


def write_mixed_folder(folder: Path) -> None:
    """Write the good and the broken files, and a few that a folder of pictures may hold besides."""
    folder.mkdir(parents=True)
    _write_good(folder)
    for name, content in _broken().items():
        (folder / name).write_bytes(content)
    (folder / "nowhere.png").symlink_to(folder / "gone.png")
    (folder / "folder.png").mkdir()
    (folder / "notes.pdf").write_bytes(b"%PDF-1.7\n")
    (folder / ".hidden.png").write_bytes(b"")
    if refuses_us():
        (folder / "locked.png").write_bytes(_saved(_captioned("LOCKED"), "PNG"))
        (folder / "locked.png").chmod(0)


def refuses_us() -> bool:
    """Return whether a file's rights can keep this process out: root may read everything."""
    return os.geteuid() != 0


GOOD = 15
"""Good files in the folder; two of them are the same picture."""

NO_PICTURE = "it is no sticker of a known kind"

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "bomb.png": "its 9000 × 9000 pixels are more than the allowed",
        "broken\nname \x1b[31m.png": "it is empty",
        "chopped.gif": "it is cut short",
        "chopped.png": "it is cut short",
        "chopped.webp": "it is cut short",
        "crc.png": "its chunk IDAT is damaged",
        "document.jpg": NO_PICTURE,
        "drawing.png": "it is no XML",
        "empty.png": "it is empty",
        "huge.png": "bytes are more than the allowed",
        "noise.gif": "it has an unknown block",
        "none.webp": "it has no pixels",
        "nowhere.png": "it is a link to nothing",
        "page.webp": NO_PICTURE,
        "pixels.jpg": "its segments are damaged",
        "text.png": NO_PICTURE,
        "zero.png": "it claims a size of 0 × 0 pixels",
        "zip.png": NO_PICTURE,
    }
)
"""Files that are refused when they are taken in, and what is said of them; ``locked.png`` besides, for all but root."""

UNREADABLE: Mapping[str, str] = MappingProxyType(
    {
        "chopped.jpg": "image file is truncated",
        "liar.png": "its pixels end before the size that its header claims",
    }
)
"""Files whose damage only decoding can find."""


def _write_good(folder: Path) -> None:
    emoji = shipped("collections") / "emoji"
    for number, file in enumerate(sorted(emoji.rglob("*.webp"))[::620]):
        (folder / f"drawn {number}.webp").write_bytes(file.read_bytes())
    (folder / "the same again.webp").write_bytes((folder / "drawn 0.webp").read_bytes())
    (folder / "evening.png").write_bytes(_saved(_captioned("GOOD NIGHT"), "PNG"))
    (folder / "two\nlines 🎉.png").write_bytes(_saved(_captioned("PARTY"), "PNG"))
    turning = [_captioned("WAIT").rotate(10 * number) for number in range(3)]
    for name, kind in (("turning.gif", "GIF"), ("turning.apng", "PNG"), ("turning.webp", "WEBP")):
        (folder / name).write_bytes(_saved(turning[0], kind, save_all=True, append_images=turning[1:], duration=80))
    (folder / "long dance.gif").write_bytes(_long())
    print_colours = _captioned("CYAN").convert("CMYK")
    (folder / "print colours.jpg").write_bytes(_saved(print_colours, "JPEG"))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (folder / "profile.jpg").write_bytes(_saved(_captioned("COLOUR").convert("RGB"), "JPEG", icc_profile=profile))
    (folder / "bad profile.png").write_bytes(_saved(_captioned("TORN"), "PNG", icc_profile=b"no profile"))


def _broken() -> dict[str, bytes]:
    png = _saved(_captioned("BROKEN"), "PNG")
    jpeg = _saved(_captioned("BROKEN").convert("RGB"), "JPEG")
    webp = _saved(_captioned("BROKEN"), "WEBP")
    gif = _saved(_captioned("BROKEN"), "GIF")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("x.png", png)
    return {
        "bomb.png": _png(9_000, 9_000, zlib.compress(bytes(9_000 * 1_126), 9)),
        "broken\nname \x1b[31m.png": b"",
        "chopped.gif": gif[: len(gif) // 2],
        "chopped.jpg": jpeg[: len(jpeg) // 2],
        "chopped.png": png[: len(png) // 2],
        "chopped.webp": webp[: len(webp) // 2],
        "crc.png": png[:-20] + bytes([png[-20] ^ 0xFF]) + png[-19:],
        "document.jpg": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg"><g></svg>',
        "empty.png": b"",
        "huge.png": png + bytes(21_000_000),
        "liar.png": _png(400, 400, zlib.compress(bytes(40 * 6))),
        "noise.gif": b"GIF89a" + bytes(range(256)),
        "none.webp": b"RIFF\x04\x00\x00\x00WEBP",
        "page.webp": b"<!DOCTYPE html><title>404</title>",
        "pixels.jpg": jpeg[:300] + bytes(200) + jpeg[500:520],
        "text.png": "a cat 🐱".encode(),
        "zero.png": _png(0, 0, zlib.compress(b"")),
        "zip.png": archive.getvalue(),
    }


def _captioned(text: str) -> Image.Image:
    picture = Image.new("RGBA", (200, 80), (255, 236, 179, 255))
    ImageDraw.Draw(picture).text((12, 22), text, fill=(40, 30, 20, 255), font=ImageFont.load_default(30))
    return picture


def _long() -> bytes:
    """Return an animation of 70 frames, more than are looked at."""
    frames = [Image.new("RGB", (48, 48), (3 * number, 90, 200 - 2 * number)) for number in range(70)]
    return _saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=40)


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def _png(width: int, height: int, pixels: bytes) -> bytes:
    """Return a black and white PNG whose header says this size, whatever the pixels are."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )

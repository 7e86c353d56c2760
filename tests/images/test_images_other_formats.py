"""Formats beside the usual ones: what is read, what is refused, and what names its extra."""

from __future__ import annotations

import io
import struct
import sys

import numpy as np
import pillow_heif
import pytest
from picture_files import drawing, encoded, solid
from PIL import Image
from pillow_jxl import JpegXLImagePlugin  # noqa: F401 (teaches Pillow to write JPEG XL)

from persrv.errors import PictureError
from persrv.images.decode import facts, open_picture

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 40">
<rect width="30" height="40" fill="#f00"/></svg>"""


def heic(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=-1)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("bmp", encoded(Image.fromarray(solid((200, 30, 40), 40, 60)).convert("RGB"), "BMP")),
        ("tiff", encoded(Image.fromarray(drawing()), "TIFF", compression="tiff_lzw")),
        ("avif", encoded(Image.fromarray(drawing()), "AVIF")),
        ("heic", heic(Image.fromarray(drawing()))),
        ("jxl", encoded(Image.fromarray(drawing()), "JXL", lossless=True)),
    ],
)
def test_a_format_is_read_with_its_size_and_colours(kind: str, content: bytes) -> None:
    message = facts(content)
    assert (message.format, message.width, message.height, message.frames) == (kind, 60, 40, 1)
    (frame,) = open_picture(content).frames
    assert frame.shape == (40, 60, 4)
    red, green, blue, alpha = frame[10, 30]
    assert red > 150 > 100 > max(green, blue)
    assert alpha > 250


def test_a_jpeg_in_jpeg_xl_is_that_jpeg() -> None:
    jpeg = encoded(Image.fromarray(solid((10, 200, 30), 24, 50)).convert("RGB"), "JPEG")
    with Image.open(io.BytesIO(jpeg)) as image:
        content = encoded(image, "JXL", lossless_jpeg=True)
    (frame,) = open_picture(content).frames
    assert frame.shape == (24, 50, 4)
    assert np.abs(frame[5, 5].astype(int) - (10, 200, 30, 255)).max() < 6


def test_a_moving_avif_has_its_frames() -> None:
    frames = [Image.fromarray(solid((40 * n, 10, 200 - 40 * n))) for n in range(4)]
    content = encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:], duration=80)
    assert facts(content).frames == 4
    assert open_picture(content).animated


def test_an_avif_and_a_tiff_that_lie_on_their_side_are_turned() -> None:
    lying = Image.fromarray(drawing(40, 60))
    exif = Image.Exif()
    exif[0x0112] = 6
    for content in (encoded(lying, "AVIF", exif=exif), encoded(lying, "TIFF", tiffinfo={0x0112: 6})):
        picture_facts = facts(content)
        assert (picture_facts.width, picture_facts.height) == (40, 60)
        assert open_picture(content).frames[0].shape == (60, 40, 4)


def test_a_drawing_in_svg_is_drawn_large() -> None:
    svg = facts(SVG)
    assert (svg.format, svg.width, svg.height) == ("svg", 512, 341)
    (frame,) = open_picture(SVG).frames
    assert frame[100, 100].tolist() == [255, 0, 0, 255]
    assert frame[100, 400].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (SVG.replace(b"<rect", b'<image href="/etc/hostname"/><rect'), "it refers to the file '/etc/hostname'"),
        (SVG.replace(b"<rect", b"<script>1</script><rect"), "it holds script, which may run"),
        (SVG.replace(b"<rect", b"<rect onload='alert(1)'"), "its attribute onload may run"),
        (SVG.replace(b"<rect", b"<a href=' JavaScript:x'/><rect"), "its attribute href may run"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "it defines entities of its own"),
        (SVG[:-10], "it is no XML"),
        (SVG.replace(b"0 0 60 40", b"0 0 6000 4"), "it claims a size"),
        (b"BM" + bytes(12) + struct.pack("<Iii", 40, 0, 3), "it claims a size of 0 × 3"),
        (b"BM" + bytes(12) + struct.pack("<Iii", 40, 90_000, 90_000), "are more than the allowed"),
        (b"II*\0" + struct.pack("<IH", 8, 0), "it names no size"),
        (b"MM\0*" + struct.pack(">IH", 8, 3), "it is cut short"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "its main picture has no size"),
        (b"\xff\x0a\x01", "it is cut short"),
        (b"\xff\x0a\xfe" + b"\xff" * 12, "are more than the allowed"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n" + b"\0\0\0\x08free", "it is cut short"),
    ],
)
def test_a_broken_or_hostile_file_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        open_picture(content)


@pytest.mark.parametrize(
    ("module", "content", "advice"),
    [
        ("pillow_heif", heic(Image.new("RGB", (9, 9))), r"persrv\[heif\]"),
        ("pillow_jxl", encoded(Image.new("RGB", (9, 9)), "JXL"), r"persrv\[jxl\]"),
        ("resvg_py", SVG, r"persrv\[emoji-set\]"),
    ],
)
def test_a_missing_package_names_its_extra(
    module: str, content: bytes, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PictureError, match=advice):
        open_picture(content)

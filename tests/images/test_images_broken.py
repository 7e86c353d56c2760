"""Files that lie, end early, or are no pictures: a PictureError that names file and reason, and never a warning."""

from __future__ import annotations

import os
import struct
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import animation, chunk, drawing, encoded, gif, png, solid
from PIL import Image

from persrv.errors import PictureError, RecipeError
from persrv.images.decode import facts, open_picture
from persrv.images.limits import Limits

NOISE = Image.effect_noise((64, 64), 90).convert("RGB")
STILLS = {f: encoded(NOISE, f) for f in ("PNG", "JPEG", "WEBP", "GIF")}
MOVING = {f: animation([solid((v, 0, 0)) for v in (0, 90, 200)], f) for f in ("PNG", "WEBP", "GIF")}
ROW = b"\0" + bytes(40)


def png_frame(sequence: int, width: int, height: int) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, width, height, 0, 0, 1, 10, 0, 0))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def jpeg_with_size(width: int, height: int) -> bytes:
    data = STILLS["JPEG"]
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def webp_canvas(width: int, height: int) -> bytes:
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + struct.pack("<I", width - 1)[:3]
    body += struct.pack("<I", height - 1)[:3] + STILLS["WEBP"][12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


BROKEN = {
    "empty": (b"", "empty"),
    "text": (b"a letter" * 30, "no sticker of a known kind"),
    "svg cut": (b'<svg xmlns="http://www.w3.org/2000/svg"><g', "no XML"),
    "bmp cut": (encoded(NOISE, "BMP")[:-500], "cannot be decoded"),
    "tiff cut": (encoded(NOISE, "TIFF")[:-9000], "cut short|cannot be decoded"),
    "ico": (encoded(NOISE, "ICO"), "no sticker of a known kind"),
    "signature only": (b"\x89PNG\r\n\x1a\n", "cut short"),
    "png cut": (STILLS["PNG"][:-500], "cut short"),
    "png without end": (STILLS["PNG"][:-12], "cut short"),
    "png without pixels": (png(10, 1, b"")[:33] + chunk(b"IEND", b""), "no pixels"),
    "png wrong check sum": (flipped(STILLS["PNG"], 29), "IHDR is damaged"),
    "png wrong pixel check sum": (flipped(STILLS["PNG"], 60), "IDAT is damaged"),
    "png 81 megapixels": (png(9000, 9000, ROW), "81000000|9000 × 9000"),
    "png lies taller": (png(10, 5, ROW), "pixels end before"),
    "apng lies taller": (
        png(10, 2, ROW, 8, 6, chunk(b"acTL", struct.pack(">II", 1, 0)), png_frame(0, 10, 2)),
        "pixels end before",
    ),
    "png zero wide": (png(0, 5, ROW), "0 × 5"),
    "png damaged stream": (png(10, 1, ROW).replace(b"\x78\x9c", b"\x00\x00"), "damaged"),
    "png two headers": (png(10, 1, ROW, 8, 6, chunk(b"IHDR", bytes(13))), "two headers"),
    "png header late": (b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"a\0b") + png(10, 1, ROW)[8:], "header"),
    "apng short of frames": (png(10, 1, ROW, 8, 6, chunk(b"acTL", struct.pack(">II", 900, 0))), "announces 900"),
    "apng frame outside": (
        png(10, 1, ROW, 8, 6, chunk(b"acTL", struct.pack(">II", 1, 0)), png_frame(0, 99, 99)),
        "outside",
    ),
    "apng cut": (MOVING["PNG"][:-60], "cut short"),
    "jpeg cut": (STILLS["JPEG"][: len(STILLS["JPEG"]) // 2], "cannot be decoded"),
    "jpeg header only": (STILLS["JPEG"][:100], "cut short"),
    "jpeg bomb": (jpeg_with_size(60000, 60000), "60000 × 60000"),
    "jpeg without header": (b"\xff\xd8\xff\xda\0\x02" + bytes(50), "no header"),
    "jpeg zero": (jpeg_with_size(0, 10), "0 × 10"),
    "gif cut": (STILLS["GIF"][:-800], "cut short"),
    "gif without frames": (gif(4, 4, []), "no pixels"),
    "gif huge frame": (gif(4, 4, [(0, 0, 65535, 65535)]), "65535 × 65535"),
    "gif lies taller": (gif(40, 40, [(0, 0, 40, 40)]), "cannot be decoded"),
    "gif strange block": (gif(4, 4, [(0, 0, 4, 4)], trailer=b"\x77"), "unknown block"),
    "webp cut": (STILLS["WEBP"][:-200], "cut short"),
    "webp moving cut": (MOVING["WEBP"][:-40], "cut short"),
    "webp bomb": (webp_canvas(16000, 16000), "16000 × 16000"),
    "webp lies": (webp_canvas(640, 640), "cannot be decoded"),
    "webp damaged": (flipped(STILLS["WEBP"], 23), "damaged"),
    "webp without pixels": (b"RIFF\x04\0\0\0WEBP", "no pixels"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused_by_name_and_reason(name: str, tmp_path: Path) -> None:
    data, reason = BROKEN[name]
    file = tmp_path / "sticker.png"
    file.write_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(PictureError, match=reason) as error:
            open_picture(file)
    assert not caught
    assert str(file) in error.value.problem
    with pytest.raises(PictureError, match=f"picture of {len(data)} bytes"):
        open_picture(data)


@pytest.mark.parametrize("name", ["png 81 megapixels", "jpeg bomb", "gif huge frame", "webp bomb", "gif cut", "text"])
def test_facts_refuse_what_the_structure_gives_away(name: str) -> None:
    data, reason = BROKEN[name]
    with pytest.raises(PictureError, match=reason):
        facts(data)


def test_ten_thousand_frames_are_counted_and_a_few_decoded() -> None:
    data = gif(4, 4, [(0, 0, 4, 4)] * 10_000)
    picture = open_picture(data)
    assert picture.n_frames == 10_000
    assert len(picture.frames) == 1


def test_places_that_hold_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, reason in (
        (tmp_path / "missing.png", "does not exist"),
        (tmp_path, "no regular file"),
        (pipe, "no regular file"),
        (Path("a\0b.png"), "cannot be read"),
    ):
        for read in (open_picture, facts):
            with pytest.raises(PictureError, match=reason):
                read(path)


def test_large_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(PictureError, match="1099511627776 bytes"):
        open_picture(file)
    with pytest.raises(PictureError, match="larger than 100 bytes"):
        open_picture(STILLS["PNG"], Limits(file_bytes=100))


def test_limits_are_inclusive_and_checked() -> None:
    frame = drawing(20, 30)
    assert open_picture(encoded(frame, "PNG"), Limits(pixels=600)).width == 30
    with pytest.raises(PictureError, match="more than the allowed 599"):
        open_picture(encoded(frame, "PNG"), Limits(pixels=599))
    with pytest.raises(RecipeError, match="frames is 0"):
        Limits(frames=0)
    with pytest.raises(RecipeError, match="pixels is 90000000"):
        Limits(pixels=90_000_000)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*STILLS.values(), *MOVING.values()]), st.data())
def test_damaged_bytes_give_a_picture_or_a_picture_error(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            picture = open_picture(bytes(damaged))
        except PictureError:
            pass
        else:
            assert all(frame.shape == (picture.height, picture.width, 4) for frame in picture.frames)
    assert not caught


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([STILLS["PNG"], STILLS["WEBP"], MOVING["PNG"], MOVING["WEBP"]]), st.floats(0, 0.999))
def test_no_truncated_file_is_accepted(data: bytes, share: float) -> None:
    with pytest.raises(PictureError):
        open_picture(data[: int(len(data) * share)])

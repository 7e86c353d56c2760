"""Every format and colour mode, decoded to the pixels that went in."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from picture_files import Frame, animation, chunk, drawing, encoded, gif, png, solid
from PIL import Image, ImageCms

from persrv.images.decode import Picture, PictureFacts, facts, open_picture
from persrv.images.limits import Limits

LOSSLESS = [("PNG", {}), ("WEBP", {"lossless": True, "exact": True})]


def only(picture: Picture) -> Frame:
    assert len(picture.frames) == 1
    frame = picture.frames[0]
    assert frame.dtype == np.uint8
    assert frame.shape == (picture.height, picture.width, 4)
    return frame


@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
def test_lossless_stills_come_back_exactly(kind: str, options: dict[str, bool]) -> None:
    frame = drawing()
    picture = open_picture(encoded(frame, kind, **options))
    assert (picture.format, picture.width, picture.height, picture.n_frames) == (kind.lower(), 60, 40, 1)
    assert not picture.animated
    assert np.array_equal(only(picture), frame)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"quality": 95})])
def test_lossy_stills_come_back_nearly(kind: str, options: dict[str, int]) -> None:
    image = Image.fromarray(solid((200, 30, 60))).convert("RGB")
    frame = only(open_picture(encoded(image, kind, **options)))
    assert np.abs(frame.astype(int) - (200, 30, 60, 255)).max() <= 4


def test_progressive_jpeg() -> None:
    image = Image.fromarray(solid((10, 200, 60))).convert("RGB")
    frame = only(open_picture(encoded(image, "JPEG", progressive=True, quality=95)))
    assert np.abs(frame.astype(int) - (10, 200, 60, 255)).max() <= 4


def test_a_path_is_read_like_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "disc.webp"
    file.write_bytes(encoded(drawing(), "PNG"))
    assert np.array_equal(only(open_picture(file)), drawing())
    assert facts(file) == PictureFacts("png", 60, 40, 1)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_png_modes_agree(mode: str) -> None:
    grey = solid((255, 255, 255))
    grey[:, 10:, :3] = 0
    if mode == "I;16":
        image = Image.fromarray(grey[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(grey).convert("RGB").convert(mode)
    assert np.array_equal(only(open_picture(encoded(image, "PNG"))), grey)


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    deep = np.array([[0, 256, 257, 32768, 65535]], np.uint16)
    frame = only(open_picture(encoded(Image.fromarray(deep), "PNG")))
    assert frame[0, :, 0].tolist() == [0, 1, 1, 128, 255]


def test_sixteen_bit_grey_with_a_transparent_value() -> None:
    rows = b"\0" + struct.pack(">3H", 0, 4000, 65535)
    frame = only(open_picture(png(3, 1, rows, 16, 0, chunk(b"tRNS", struct.pack(">H", 4000)))))
    assert frame[0, :, 3].tolist() == [255, 0, 255]


def test_sixteen_bit_colour_with_a_transparent_value() -> None:
    rows = b"\0" + struct.pack(">6H", 65535, 0, 0, 0x8001, 0x4002, 0x2003)
    frame = only(open_picture(png(2, 1, rows, 16, 2, chunk(b"tRNS", struct.pack(">3H", 0x8001, 0x4002, 0x2003)))))
    assert frame[0].tolist() == [[255, 0, 0, 255], [0x80, 0x40, 0x20, 0]]


def test_interlaced_png() -> None:
    # Adam7 of 3 x 3 grey pixels: passes 1, 4, 5, 6 and 7 have pixels.
    rows = b"\0\x01" + b"\0\x03" + b"\0\x07\x09" + b"\0\x02" + b"\0\x08" + b"\0\x04\x05\x06"
    data = bytearray(png(3, 3, rows, 8, 0))
    data[28] = 1
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    frame = only(open_picture(bytes(data)))
    assert frame[..., 0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize("key", [b"\x00\xff", b"\x80"], ids=["one entry", "graded"])
def test_palette_with_transparency(key: bytes) -> None:
    palette = chunk(b"PLTE", bytes([255, 0, 0, 0, 0, 255]))
    frame = only(open_picture(png(2, 1, b"\0\x00\x01", 8, 3, palette, chunk(b"tRNS", key))))
    assert frame[0].tolist() == [[255, 0, 0, key[0]], [0, 0, 255, 255]]


def test_grey_and_colour_keys() -> None:
    grey = only(open_picture(png(2, 1, b"\0\x07\x08", 8, 0, chunk(b"tRNS", b"\0\x07"))))
    assert grey[0].tolist() == [[7, 7, 7, 0], [8, 8, 8, 255]]
    rgb = only(open_picture(png(2, 1, b"\0\x01\x02\x03\x04\x05\x06", 8, 2, chunk(b"tRNS", b"\0\x01\0\x02\0\x03"))))
    assert rgb[0].tolist() == [[1, 2, 3, 0], [4, 5, 6, 255]]


def test_cmyk_jpeg() -> None:
    image = Image.fromarray(solid((250, 20, 30))).convert("RGB").convert("CMYK")
    frame = only(open_picture(encoded(image, "JPEG", quality=98)))
    assert np.abs(frame.astype(int) - (250, 20, 30, 255)).max() <= 6


def test_a_still_gif_keeps_its_transparency() -> None:
    frame = only(open_picture(encoded(drawing(), "GIF")))
    assert np.array_equal(frame[..., 3], drawing()[..., 3])
    assert np.array_equal(frame[20, 30], (30, 60, 200, 255))


def p3_like_profile() -> bytes:
    """Return a valid RGB profile under which sRGB values mean other colours: red and green are exchanged."""
    raw = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    table = {bytes(raw[at : at + 4]): at for at in range(132, 132 + 12 * struct.unpack_from(">I", raw, 128)[0], 12)}
    red, green = table[b"rXYZ"], table[b"gXYZ"]
    raw[red + 4 : red + 12], raw[green + 4 : green + 12] = raw[green + 4 : green + 12], raw[red + 4 : red + 12]
    return bytes(raw)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_an_icc_profile_is_honoured(kind: str) -> None:
    image = Image.fromarray(solid((255, 0, 0))).convert("RGB")
    options = {"lossless": True} if kind == "WEBP" else {"quality": 98} if kind == "JPEG" else {}
    frame = only(open_picture(encoded(image, kind, icc_profile=p3_like_profile(), **options)))
    assert np.abs(frame[0, 0].astype(int) - (0, 255, 0, 255)).max() <= 4


def test_an_icc_profile_leaves_alpha_alone() -> None:
    frame = only(open_picture(encoded(drawing(), "PNG", icc_profile=p3_like_profile())))
    assert np.array_equal(frame[..., 3], drawing()[..., 3])
    assert frame[8, 30, 1] > frame[8, 30, 0]


@pytest.mark.parametrize("profile", [b"not a profile", p3_like_profile()[:200], b""])
def test_a_broken_icc_profile_is_ignored(profile: bytes) -> None:
    assert np.array_equal(only(open_picture(encoded(drawing(), "PNG", icc_profile=profile))), drawing())


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    stored = solid((0, 0, 0), 16, 32)
    stored[:8, :16, :3] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 98} if kind == "JPEG" else {}
    data = encoded(Image.fromarray(stored).convert("RGB"), kind, exif=exif, **options)
    picture = open_picture(data)
    # EXIF names the sides on which the stored top row and left column belong; the marked corner lies between them.
    corner = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br", 8: "bl"}[orientation]
    size = (32, 16) if orientation < 5 else (16, 32)
    assert (picture.width, picture.height) == size
    assert facts(data) == PictureFacts(kind.lower(), *size, 1)
    frame = only(picture)
    row, column = 2 if corner[0] == "t" else -3, 2 if corner[1] == "l" else -3
    assert frame[row, column, 0] > 240
    assert frame[-1 - row, column, 0] < 15
    assert frame[row, -1 - column, 0] < 15


@pytest.mark.parametrize("exif", [b"", b"II*\0", b"II*\0\xff\xff\xff\x7f", b"MM\0*\0\0\0\x08\xff\xff\0", b"junk" * 9])
def test_broken_exif_is_ignored_without_a_warning(exif: bytes) -> None:
    image = Image.fromarray(solid((9, 9, 9))).convert("RGB")
    picture = open_picture(encoded(image, "JPEG", exif=b"Exif\0\0" + exif))
    assert (picture.width, picture.height) == (30, 20)


COLOURS = [(255, 0, 0), (250, 5, 0), (0, 255, 0), (0, 250, 5), (0, 0, 255), (5, 0, 250)]


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_animations_give_first_last_and_most_different(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    data = animation([solid(colour) for colour in COLOURS], kind, **options)
    assert facts(data) == PictureFacts(kind.lower(), 30, 20, 6)
    picture = open_picture(data, max_frames=3)
    assert picture.n_frames == 6
    assert picture.animated
    seen = [tuple(frame[0, 0, :3].tolist()) for frame in picture.frames]
    assert seen[0] == COLOURS[0]
    assert seen[-1] == COLOURS[-1]
    assert seen[1] in (COLOURS[2], COLOURS[3])
    assert all(frame.shape == (20, 30, 4) for frame in picture.frames)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_frames_are_composed_with_what_is_under_them(kind: str) -> None:
    first, second = solid((255, 0, 0)), solid((255, 0, 0))
    second[5:10, 5:10, :3] = (0, 0, 255)
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = open_picture(animation([first, second], kind, **options))
    assert np.array_equal(picture.frames[1], second)


def test_the_default_image_of_an_apng_is_no_frame() -> None:
    frames = [Image.fromarray(solid(colour)) for colour in COLOURS[:3]]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)
    picture = open_picture(data)
    assert picture.n_frames == 2
    assert [tuple(frame[0, 0, :3].tolist()) for frame in picture.frames] == COLOURS[1:3]


def test_only_the_first_frames_are_looked_at() -> None:
    data = animation([solid((value, 0, 0)) for value in range(0, 250, 25)], "GIF")
    picture = open_picture(data, Limits(frames=4))
    assert picture.n_frames == 10
    assert [frame[0, 0, 0] for frame in picture.frames] == [0, 25, 50, 75]
    bounded = open_picture(data, Limits(total_pixels=2 * 600))
    assert [frame[0, 0, 0] for frame in bounded.frames] == [0, 25]


def test_one_frame_can_be_asked_for() -> None:
    picture = open_picture(animation([solid(colour) for colour in COLOURS], "GIF"), max_frames=1)
    assert [tuple(frame[0, 0, :3].tolist()) for frame in picture.frames] == [COLOURS[0]]
    assert picture.animated


def test_a_gif_frame_beyond_the_screen_enlarges_the_canvas() -> None:
    data = gif(4, 4, [(0, 0, 4, 4), (2, 2, 4, 4)])
    assert facts(data) == PictureFacts("gif", 6, 6, 2)
    assert all(frame.shape == (6, 6, 4) for frame in open_picture(data).frames)


def test_a_gif_without_trailer_is_accepted() -> None:
    assert open_picture(gif(4, 4, [(0, 0, 4, 4)], trailer=b"")).width == 4


def test_threads_get_the_same_pictures() -> None:
    files = [animation([solid(c) for c in COLOURS], f) for f in ("GIF", "PNG", "WEBP")] + [encoded(drawing(), "PNG")]
    expected = [open_picture(data) for data in files]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(open_picture, files * 8))
    for number, picture in enumerate(found):
        alone = expected[number % len(files)]
        assert all(np.array_equal(a, b) for a, b in zip(picture.frames, alone.frames, strict=True))

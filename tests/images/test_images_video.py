"""WebM and MP4 stickers: what comes back is what was filmed, and hostile files cost one error."""

from __future__ import annotations

import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import Frame, drawing, solid

from persrv.errors import PictureError
from persrv.images.decode import PictureFacts, facts, open_picture
from persrv.images.limits import Limits

files = pytest.importorskip("video_files")
element, mp4, video, webm = files.element, files.mp4, files.video, files.webm

COLOURS = [(220, 40, 50, 255), (30, 160, 60, 255), (40, 60, 200, 255)]
FILM = [solid(COLOURS[number // 4], 32, 48) for number in range(12)]
FILES = {
    "webm": video(FILM),
    "vp8": video(FILM, codec="libvpx", pixels="yuv420p"),
    "mp4": mp4(FILM),
}


def near(frame: Frame, colour: tuple[int, ...], tolerance: int = 12) -> bool:
    return bool(np.abs(frame.astype(int) - colour).max() <= tolerance)


@pytest.mark.parametrize("name", FILES)
def test_size_and_frames_are_known_without_decoding(name: str) -> None:
    kind = "mp4" if name == "mp4" else "webm"
    assert facts(FILES[name]) == PictureFacts(kind, 48, 32, 12)


@pytest.mark.parametrize("name", FILES)
def test_the_representative_frames_are_the_scenes(name: str) -> None:
    picture = open_picture(FILES[name])
    assert (picture.n_frames, picture.animated) == (12, True)
    assert len(picture.frames) == 3
    assert all(near(frame, colour) for frame, colour in zip(picture.frames, COLOURS, strict=True))


def test_one_frame_is_the_first() -> None:
    (frame,) = open_picture(FILES["webm"], max_frames=1).frames
    assert near(frame, COLOURS[0])


def test_alpha_of_vp9_is_read() -> None:
    figure = drawing(64, 96)
    (frame, *_) = open_picture(video([figure] * 3)).frames
    agree = np.abs(frame[..., 3].astype(int) - figure[..., 3]) <= 12
    assert agree.mean() > 0.97
    assert frame[0, 0, 3] == 0
    assert near(frame[32, 48][None], (30, 60, 200, 255))


def test_video_without_alpha_is_opaque() -> None:
    assert all((frame[..., 3] == 255).all() for frame in open_picture(FILES["mp4"]).frames)


def test_a_longer_video_is_looked_at_from_beginning_to_end() -> None:
    film = [solid((220, 40, 50), 16, 16)] * 80 + [solid((40, 60, 200), 16, 16)] * 20
    assert len(open_picture(mp4(film)).frames) == 2


def test_only_as_many_pixels_are_decoded_as_allowed() -> None:
    picture = open_picture(FILES["mp4"], Limits(total_pixels=48 * 32 * 5))
    assert [near(frame, colour) for frame, colour in zip(picture.frames, COLOURS, strict=False)] == [True, True]


def test_same_file_same_frames() -> None:
    first, second = (open_picture(FILES["webm"]).frames for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def with_size(data: bytes, before: tuple[int, int], after: tuple[int, int]) -> bytes:
    """Return the WebM with another size in its header."""
    old, new = (bytes([0xB0, 0x81, width, 0xBA, 0x81, height]) for width, height in (before, after))
    assert data.count(old) == 1
    return data.replace(old, new)


def mp4_samples(count: int) -> bytes:
    data = FILES["mp4"]
    at = data.index(b"stsz") + 12
    return data[:at] + struct.pack(">I", count) + data[at + 4 :]


BROKEN = {
    "webm cut": (FILES["webm"][:-20], "cut short"),
    "mp4 cut": (FILES["mp4"][:-20], "cut short"),
    "mp4 head": (FILES["mp4"][:45], "cut short"),
    "webm lies": (with_size(FILES["webm"], (48, 32), (47, 31)), "header does not say"),
    "webm bomb": (webm(60_000, 60_000), "60000 × 60000"),
    "webm zero": (webm(0, 10), "0 × 10"),
    "webm of an hour": (webm(8, 8, seconds=3600), "3600 seconds"),
    "webm of for ever": (webm(8, 8, seconds=float("inf")), "lasts inf"),
    "webm of many blocks": (webm(8, 8, blocks=20_000), "20000 frames"),
    "webm of nothing but parts": (webm(8, 8, tail=element(0xEC, b"") * 200_001), "more than 200000 parts"),
    "webm without blocks": (webm(8, 8, blocks=0), "0 frames"),
    "webm without pixels": (webm(8, 8), "cannot be decoded"),
    "webm of another codec": (webm(8, 8, codec=b"V_THEORA"), "'V_THEORA' is not read"),
    "matroska": (webm(8, 8, doctype=b"matroska"), "no WebM"),
    "webm without track": (element(0x1A45DFA3, element(0x4282, b"webm")), "no video track"),
    "webm with an endless part": (b"\x1a\x45\xdf\xa3\x80\xec\xff", "has no size"),
    "webm with an impossible size": (b"\x1a\x45\xdf\xa3\x00", "impossible size"),
    "mp4 without track": (b"\0\0\0\x0cftypisom", "no video track"),
    "mp4 announcing too many": (mp4_samples(1_000_000), "1000000 frames"),
    "mp4 box in box": (b"\0\0\0\x0cftypisom\0\0\0\x10moov\0\0\0\xfftrak", "larger than the one around it"),
    "mp4 tiny box": (b"\0\0\0\x0cftypisom\0\0\0\x02free", "cut short"),
    "mp4 fragmented": (FILES["mp4"] + b"\0\0\0\x08moof", "fragmented"),
    "mp4 of another codec": (FILES["mp4"].replace(b"avc1\0\0\0\0\0\0", b"encv\0\0\0\0\0\0"), "'encv' is not read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_videos_are_refused_by_name_and_reason(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, reason = BROKEN[name]
    file = tmp_path / "sticker.webm"
    file.write_bytes(data)
    with pytest.raises(PictureError, match=reason) as error:
        open_picture(file)
    assert str(file) in error.value.problem
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["webm bomb", "webm of an hour", "webm cut", "mp4 announcing too many"])
def test_facts_refuse_what_the_structure_gives_away(name: str) -> None:
    data, reason = BROKEN[name]
    with pytest.raises(PictureError, match=reason):
        facts(data)


def test_a_stream_larger_than_its_header_allocates_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    lying = with_size(video([solid((9, 9, 9), 128, 128)]), (128, 128), (8, 8))
    assert facts(lying).width == 8
    with pytest.raises(PictureError, match="cannot be decoded"):
        open_picture(lying, Limits(pixels=100))
    assert capfd.readouterr() == ("", "")


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_damaged_bytes_give_a_picture_or_a_picture_error(name: str, draw: st.DataObject) -> None:
    damaged = bytearray(FILES[name])
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            picture = open_picture(bytes(damaged))
        except PictureError:
            pass
        else:
            assert all(frame.shape == (picture.height, picture.width, 4) for frame in picture.frames)
    assert not caught


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.floats(0, 0.999))
def test_no_truncated_video_is_accepted(name: str, share: float) -> None:
    with pytest.raises(PictureError):
        facts(FILES[name][: int(len(FILES[name]) * share)])


def test_without_pyav_one_sticker_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "persrv.images.readers.video", raising=False)
    assert facts(FILES["webm"]).frames == 12
    with pytest.raises(PictureError, match=r"needs pip install \"persrv\[video\]\"; run pip install"):
        open_picture(FILES["webm"])

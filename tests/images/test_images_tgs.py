"""Telegram's vector animations: drawn in the right place and colour, and unable to take anything down with them."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lottie_files import endless, lottie, tgs

from persrv.errors import PictureError
from persrv.images.decode import PictureFacts, facts, open_picture
from persrv.images.limits import Limits
from persrv.images.readers import lottie as reader

pytest.importorskip("rlottie_python")


def test_size_and_frames_are_known_without_drawing() -> None:
    assert facts(tgs(lottie())) == PictureFacts("tgs", 64, 48, 60)


def test_the_square_is_drawn_where_it_is_in_that_frame() -> None:
    picture = open_picture(tgs(lottie()))
    assert (picture.width, picture.height, picture.n_frames) == (64, 48, 60)
    assert len(picture.frames) == 4
    first = picture.frames[0]
    expected = np.zeros((48, 64, 4), np.uint8)
    expected[14:34, 2:22] = (255, 0, 0, 255)
    assert np.array_equal(first, expected)
    middles = [np.flatnonzero(frame[24, :, 3]).mean() for frame in picture.frames]
    assert middles == sorted(middles)
    assert middles[-1] > 50


def test_half_transparent_colours_are_straight() -> None:
    content = lottie()
    content["layers"][0]["shapes"][0]["it"][1]["o"]["k"] = 50
    pixel = open_picture(tgs(content), max_frames=1).frames[0][24, 12]
    assert np.abs(pixel.astype(int) - (255, 0, 0, 128)).max() <= 2


def test_the_limit_on_frames_spreads_over_the_whole_animation() -> None:
    picture = open_picture(tgs(lottie(frames=600)), Limits(frames=3))
    middles = [np.flatnonzero(frame[24, :, 3]).mean() for frame in picture.frames]
    assert np.allclose(middles, [12, 12 + 40 / 3, 12 + 80 / 3], atol=1)


def changed(**values: Any) -> bytes:
    return tgs({**lottie(), **values})


BROKEN = {
    "cut": (tgs(lottie())[:-9], "cut short"),
    "signature only": (b"\x1f\x8b", "cut short"),
    "wrong check sum": (tgs(lottie())[:-8] + b"abcd" + tgs(lottie())[-4:], "cannot be unpacked"),
    "bomb": (gzip.compress(bytes(50_000_000)), "more than 4000000 bytes"),
    "text": (gzip.compress(b"a letter"), "no JSON"),
    "deep": (gzip.compress(b"[" * 1_000_000), "no JSON"),
    "nan": (gzip.compress(b'{"w": NaN}'), "NaN, which is no number"),
    "overflow": (
        gzip.compress(json.dumps(lottie()).encode().replace(b'"assets": []', b'"assets": 1e999')),
        "cannot be used",
    ),
    "list": (tgs([]), "no Lottie"),
    "empty": (tgs({}), "w is no usable number"),
    "large number": (changed(w=10**400), "w is no usable number"),
    "truth": (changed(w=True), "w is no usable number"),
    "large": (changed(w=40_000, h=40_000), "40000 × 40000"),
    "flat": (changed(h=0), "64 × 0"),
    "broken size": (changed(w=1.5), "1.5 × 48"),
    "negative": (changed(w=-4), "-4 × 48"),
    "no frames": (changed(op=0), "0 frames"),
    "many frames": (changed(op=1e6), "1e\\+06 frames"),
    "no rate": (changed(fr=0), "60 frames at 0 a second"),
    "long": (changed(fr=0.001), "60000 seconds"),
    "no layers": (changed(layers={}), "no layers"),
    "other files": (changed(assets=[{"id": "a", "u": "/etc/", "p": "passwd"}]), "refers to the file 'passwd'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_animations_are_refused_by_name_and_reason(name: str, tmp_path: Path) -> None:
    data, reason = BROKEN[name]
    file = tmp_path / "sticker.tgs"
    file.write_bytes(data)
    for read in (open_picture, facts):
        with pytest.raises(PictureError, match=reason) as error:
            read(file)
        assert str(file) in error.value.problem


def test_a_drawing_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_SECONDS", 1.0)
    with pytest.raises(PictureError, match="not within 1 seconds"):
        open_picture(tgs(endless()))


def test_a_drawing_that_takes_the_renderer_down_is_one_error() -> None:
    content = lottie()
    own = {**content["layers"][0], "ty": 0, "refId": "a", "w": 64, "h": 48}
    content["assets"] = [{"id": "a", "layers": [own]}]
    content["layers"].append(own)
    with pytest.raises(PictureError, match="cannot be drawn"):
        open_picture(tgs(content))


def places(content: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a JSON value."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [place for key, value in list(items) for place in ((content, key), *places(value))]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_damaged_animations_give_a_picture_or_a_picture_error(draw: st.DataObject) -> None:
    content = lottie()
    for _ in range(draw.draw(st.integers(1, 3))):
        found = places(content)
        container, key = found[draw.draw(st.integers(0, 999)) % len(found)]
        container[key] = draw.draw(st.sampled_from([None, -1, 0, 1e8, "x", [], {}, [[]], True, 0.5]))
    try:
        picture = open_picture(tgs(content))
    except PictureError:
        return
    assert all(frame.shape == (picture.height, picture.width, 4) for frame in picture.frames)


def test_without_rlottie_one_sticker_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rlottie_python", None)
    assert facts(tgs(lottie())).frames == 60
    with pytest.raises(PictureError, match=r"needs pip install \"persrv\[lottie\]\"; run pip install"):
        open_picture(tgs(lottie()))
